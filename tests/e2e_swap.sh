#!/bin/bash
# Another index while listen runs beside a real jackd: by OSC, by SIGHUP, over and over.
# SWAPS=1000 swaps more often than there is time for each day.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox python3 oscsend oscdump
port=$((20000 + RANDOM % 20000)) # of commands; then that of answers
swaps=${SWAPS:-60}

tell() { oscsend 127.0.0.1 "$port" "$@"; }
play() { timeout 60 "$bin/tests/tools/jackfeed" -w 5 -c hearken:in "$@" >>"$dir/feed.json"; }
kbytes() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
count() { sed -n "s/.*in all:.* $1 \([0-9]*\).*/\1/p" "$dir/live.log"; }
recorded() { # NAME: what was heard last, and the lines of it
    mkdir -p "$dir/$1"
    rm -f "$dir"/dumps/*
    tell /hearken/record/dump
    local i
    for ((i = 0; i < 100; i++)); do
        compgen -G "$dir/dumps/*.wav" >/dev/null && break
        sleep 0.05
    done
    mv "$dir"/dumps/* "$dir/$1/"
}

if [ "${1:-}" = beside-jack ]; then
    port=$2
    : >"$dir/a.osc"
    oscdump -L $((port + 1)) >"$dir/a.osc" & answers=$!
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame,event --match-score 0 --osc-to none \
        --osc-listen 127.0.0.1:"$port" --osc-reply-port $((port + 1)) --osc-query none \
        --record-seconds 3 --record-folder "$dir/dumps" >"$dir/live.json" 2>"$dir/live.log" & listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    play -F "$dir/in.wav"
    recorded before
    tell /hearken/index/load s "$dir/y.hkn"
    wait_for "$dir/a.osc" 'index/loaded'
    play -F -l 6 "$dir/in.wav" # scenes look 10 s back, the floor 10 s more
    recorded after
    tell /hearken/index/load s "$dir/bad.hkn"
    wait_for "$dir/a.osc" 'hearken/error'
    tell /hearken/index/load s "$dir/none.hkn"
    wait_for "$dir/a.osc" 'none.hkn'
    play "$dir/short.wav"
    wc -l <"$dir/live.json" >"$dir/n_kept"
    # the file in use becomes another, as hearken build --update makes it
    cp "$dir/x.hkn" "$dir/y.new" && mv "$dir/y.new" "$dir/y.hkn"
    kill -HUP $listener
    wait_for "$dir/live.log" 'y.hkn now, 10 sounds' && touch "$dir/hup"
    tell /hearken/osc/reply-port i 0
    sleep 0.2
    timeout 3600 "$bin/tests/tools/jackfeed" -w 5 -l 700 -c hearken:in "$dir/in.wav" >>"$dir/feed.json" & feeder=$!
    "$here/tools/swaps.py" "$port" 20 "$dir/x.hkn" "$dir/z.hkn" >/dev/null
    kbytes $listener >"$dir/kb_first"
    "$here/tools/swaps.py" "$port" "$swaps" "$dir/x.hkn" "$dir/z.hkn" >"$dir/swaps.json"
    echo $? >"$dir/swaps.rc"
    kbytes $listener >"$dir/kb_last"
    kill $feeder
    wait $feeder 2>/dev/null
    kill -INT $listener
    wait $listener
    echo $? >"$dir/live.rc"
    kill $answers
    wait $answers 2>/dev/null
    exit 0
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" --build-invariance 0 >/dev/null || exit 1
"$bin/hearken" build "$dir/corpus/noises" -o "$dir/y.hkn" --build-invariance 0 >/dev/null || exit 1
cp "$dir/y.hkn" "$dir/z.hkn"
head -c 5000 "$dir/x.hkn" >"$dir/bad.hkn"
sox -V1 -D "$dir"/corpus/tones/[35].wav "$dir"/corpus/noises/[34].wav -r 48000 -b 24 -c 1 "$dir/in.wav" gain -6 trim 0 5
sox -V1 -D "$dir/in.wav" "$dir/short.wav" trim 0 1
mkdir "$dir/dumps"
"$here/tools/with-jack.sh" -n "swap$$" -t $((100 + swaps)) -r 48000 -p 256 -- "$0" beside-jack $port || exit 1

grep -q "/hearken/index/loaded sis \".*y.hkn\" 5 \"main\"" "$dir/a.osc" && grep -q 'listens with .*y.hkn now, 5 sounds' "$dir/live.log"
is "an index is loaded at a command, which answers and says so" $?
for at in before after; do
    index=$dir/x.hkn
    [ $at = after ] && index=$dir/z.hkn # what y.hkn was
    wav=$(echo "$dir/$at"/*.wav) lines=$(echo "$dir/$at"/*.jsonl)
    "$bin/hearken" query "$index" "$wav" -f json >"$dir/again.jsonl"
    [ "$(wc -l <"$lines")" -gt 50 ] && cmp "$lines" "$dir/again.jsonl"
    is "what is found $at the swap is what query finds, byte for byte" $?
done
! grep -q tones/ "$dir"/after/*.jsonl
is "after it, nothing of the index of before is found" $?
grep -q 'hearken/error s ".*bad.hkn' "$dir/a.osc" && grep -q 'hearken/error s ".*none.hkn' "$dir/a.osc" &&
    [ "$(grep -c 'going on with the index in use' "$dir/live.log")" = 2 ]
is "one that is damaged or missing is refused, with the reason, and said" $?
[ -e "$dir/hup" ]
is "SIGHUP reads the file of the index anew" $?
cat "$dir/swaps.json"
[ "$(cat "$dir/swaps.rc")" = 0 ] && [ "$(cat "$dir/live.rc")" = 0 ]
is "$swaps swaps while it plays are all answered" $?
# each gap of the server's own, where the machine is busy, costs the hop that it falls in
blocks=$(count blocks) hops=$(count hops) xruns=$(count xruns)
! grep -qE 'in all:.* (dropped_blocks|dropped_matches|unprinted) ' "$dir/live.log" &&
    [ "$((hops + 2 * ${xruns:-0} + 2))" -ge $((blocks * 256 / 480)) ]
is "and no block or match is lost, and none of $hops hops missed (xruns of the server: ${xruns:-0})" $?
first=$(cat "$dir/kb_first") last=$(cat "$dir/kb_last")
echo "memory: $first kB after 20 swaps, $last kB after $swaps more"
[ "$last" -lt $((first + 4000)) ]
is "memory does not grow with them" $?
finish
