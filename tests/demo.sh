#!/bin/bash
# demo.sh [CORPUS]: the whole of hearken on real sound. Indexes a corpus, starts a private
# JACK server without a sound card, plays sounds into `hearken listen` and prints what a
# separate OSC receiver (oscdump) got. Ends by itself in under two minutes, leaves nothing.
set -u
here=$(dirname "$0")
bin=${B:-build}
corpus=${1:-/usr/share/sonic-pi/samples}
n_sounds=24 longest=2.5 gap=1.1 rate=48000
port=$((20000 + RANDOM % 10000)) bed_port=$((30000 + RANDOM % 10000))
[ -d "$corpus" ] || { echo "demo: no folder $corpus; name one: make demo CORPUS=folder" >&2; exit 66; }

if [ -z "${HEARKEN_DEMO_DIR:-}" ]; then # first pass: everything, then the part beside JACK
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
    export HEARKEN_DEMO_DIR=$dir
    echo "1. Index of $corpus"
    "$bin/hearken" build "$corpus" -o "$dir/corpus.hkn" || exit
    echo
    echo "2. Sounds to play: $n_sounds of the corpus, and 3 strangers"
    mkdir "$dir/play"
    # Evenly over the corpus; by name, so that every run is the same.
    find -L "$corpus" -type f -size +1k | LC_ALL=C sort >"$dir/all"
    step=$(($(wc -l <"$dir/all") / (n_sounds + 6))) n=0
    while read -r f && [ "$n" -lt "$n_sounds" ]; do
        out=$dir/play/$(printf %02d "$n")_$(basename "${f%.*}").wav
        sox -V1 -D "$f" -r $rate -c 1 -b 24 "$out" trim 0 $longest 2>/dev/null || { rm -f "$out"; continue; }
        printf '%s\t%s\n' "$out" "$(realpath "$f")" >>"$dir/truth"
        n=$((n + 1))
    done < <(awk -v s="$((step > 0 ? step : 1))" 'NR % s == 0' "$dir/all")
    sox -n -r $rate -c 1 -b 24 "$dir/play/x1_stranger_pluck.wav" synth 1.5 pluck A3
    sox -n -r $rate -c 1 -b 24 "$dir/play/x2_stranger_sweep.wav" synth 1.5 sine 200-4000 vol 0.5
    sox -n -r $rate -c 1 -b 24 "$dir/play/x3_stranger_brown.wav" synth 1.5 brownnoise vol 0.5
    sox -R -n -r $rate -c 1 -b 24 "$dir/silence.wav" trim 0 30
    sox -R -n -r $rate -c 1 -b 24 "$dir/pink.wav" synth 30 pinknoise vol 0.3
    echo "   $n of them ready"
    echo
    timeout --foreground 110 "$here/tools/with-jack.sh" -r $rate -p 512 -- "$0" "$corpus"
    exit
fi

dir=$HEARKEN_DEMO_DIR
oscdump -L $port >"$dir/osc" & receiver=$!
oscdump -L $bed_port >"$dir/bed.osc" & bed_receiver=$!
"$bin/hearken" listen "$dir/corpus.hkn" -c none -f none --osc-to 127.0.0.1:$port \
    --match-scales event 2>"$dir/listen.log" & listener=$!
"$bin/hearken" listen "$dir/corpus.hkn" -n bed -c none -f none --osc-to 127.0.0.1:$bed_port \
    --match-scales event 2>"$dir/bed.log" & bed=$!
sleep 0.5
echo "3. Live: played into JACK, found over OSC (event scale, rank 1, the surest while it sounds)"
printf '   %-28s %-28s %6s %6s\n' played found cosine score

# Feeder and receiver write into one pipe, and awk reads it in the order of arrival.
mkfifo "$dir/pipe"
"$bin/tests/tools/jackfeed" -n bedfeed -w 10 -s 1 -c bed:in "$dir/silence.wav" "$dir/pink.wav" \
    >"$dir/bed.feed" & bed_feed=$!
tail -n +1 -f --pid=$listener "$dir/osc" >"$dir/pipe" & follower=$!
{ "$bin/tests/tools/jackfeed" -s $gap -w 10 -c hearken:in "$dir"/play/*.wav; sleep 1; echo 'done'; } \
    >"$dir/pipe" & feed=$!
awk -v truth="$dir/truth" '
    function name(path) { sub(/.*\//, "", path); return path }
    function row(   ok, stranger) {
        if (file == "") return
        stranger = !(file in is)
        ok = found != "" && found == is[file]
        n += !stranger; hits += ok
        printf "   %-28.28s %-28.28s %6s %6s  %s\n", name(file), found == "" ? "-" : name(found),
            found == "" ? "" : cosine, found == "" ? "" : score, stranger ? "(not in the corpus)" : ok ? "found" : "MISSED"
        fflush(); file = ""
    }
    BEGIN { while ((getline line < truth) > 0) { split(line, t, "\t"); is[t[1]] = t[2] } }
    /"event":"start"/ { row(); match($0, /"file":"[^"]*"/); file = substr($0, RSTART + 8, RLENGTH - 9); found = ""; cosine = -2 }
    / \/hearken\/match / && $6 == "\"event\"" && $7 == 1 && file != "" && $9 > cosine {
        cosine = $9; score = $8; match($0, /"[^"]*"$/); found = substr($0, RSTART + 1, RLENGTH - 2) }
    /^done$/ { row(); exit }
    END { printf "\n%d %d\n", hits, n }' "$dir/pipe" | tee "$dir/rows" | grep -v '^[0-9]* [0-9]*$'
wait "$bed_feed"
sleep 0.3
kill -INT $listener $bed
wait $listener $bed
kill "$receiver" "$bed_receiver" "$follower" "$feed" 2>/dev/null
wait 2>/dev/null
read -r hits n < <(tail -n 1 "$dir/rows")

echo "4. Some messages as oscdump got them"
grep -m 3 '/hearken/match' "$dir/osc" | cut -c 19- | sed 's/^/   /'
grep -m 1 '/hearken/onset' "$dir/osc" | cut -c 19- | sed 's/^/   /'
echo
in_silence=$(grep -c '"file":"[^"]*silence' "$dir/bed.feed")
matches=$(grep -c '/hearken/match' "$dir/bed.osc")
onset_s=$(grep -m 1 -c '/hearken/onset' "$dir/bed.osc")
# The noise comes second: what was matched before its onset was matched in silence.
silent=$(sed '/hearken.onset/,$d' "$dir/bed.osc" | grep -c '/hearken/match')
echo "5. A second hearken heard 30 s of digital silence, then 30 s of pink noise"
if [ "$in_silence" -lt 1 ] || [ "$onset_s" != 1 ]; then
    echo "   the bed did not play: $(cat "$dir/bed.log")"
    exit 1
fi
echo "   matches in silence: $silent; in noise: $((matches - silent)), of ten moments a second"
if [ "$matches" -gt 0 ]; then
    echo "   what the noise was taken for (messages, sound):"
    grep '/hearken/match' "$dir/bed.osc" | sed 's/.*\/\([^"]*\)"$/\1/' | sort | uniq -c | sort -rn | head -3 | sed 's/^/   /'
fi
echo
sed -n 's/^hearken: in all:/   counted:/p' "$dir/listen.log"
echo "Recognised: $hits of $n played corpus sounds at rank 1."
[ "$silent" = 0 ] && [ "$n" -gt 0 ] && [ $((hits * 100)) -ge $((n * 95)) ]
