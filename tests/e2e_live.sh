#!/bin/bash
# hearken listen beside a real jackd, received by a real OSC program (liblo's oscdump).
# Runs alone: it watches what each thread waits for.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

port=$((20000 + RANDOM % 20000))
messages() { grep -c " /hearken/$2 " "$1"; }

beside_jack_live() {
    oscdump -L $port >"$dir/a.osc" & local a=$!
    oscdump -L $((port + 1)) >"$dir/b.osc" & local b=$!
    # The third destination is nobody: that must cost the others nothing.
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame,event \
        --match-score 0 --osc-to 127.0.0.1:$port --osc-to "localhost:$((port + 1))" \
        --osc-to 127.0.0.1:9 >"$dir/live.json" 2>"$dir/live.log" & local listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    "$bin/hearken" listen "$dir/x.hkn" --jack-wait no --osc-to none >"$dir/second.out" 2>"$dir/second.log"
    echo $? >"$dir/second.rc"
    timeout 60 "$bin/tests/tools/jackfeed" -s 0.4 -c hearken:in "$dir"/play/*.wav >"$dir/feed.json"
    sleep 1.2
    kill -INT $listener
    wait $listener
    echo $? >"$dir/live.rc"
    kill $a $b
    wait $a $b 2>/dev/null
}

beside_jack_silence() {
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame,event,scene \
        --match-score 0 --osc-to none >"$dir/silent.json" 2>"$dir/silent.log" & local listener=$!
    wait_for "$dir/silent.log" 'stream begins' || exit 1
    timeout 60 "$bin/tests/tools/jackfeed" -F -c hearken:in "$dir/silence.wav" >"$dir/silent.feed"
    sleep 0.3
    kill -TERM $listener
    wait $listener
}

beside_jack_killed() {
    "$bin/hearken" listen "$dir/x.hkn" --jack-wait no --osc-to none >/dev/null 2>"$dir/gone.log" & local listener=$!
    wait_for "$dir/gone.log" 'stream begins' || exit 1
    kill -KILL "$JACKD_PID"
    timeout 10 tail --pid=$listener -f /dev/null
    wait $listener
    echo $? >"$dir/gone.rc"
}

beside_jack_guarded() {
    RTGUARD=report RTGUARD_THREAD=hearken-analyse RTGUARD_ALLOW=$allow RTGUARD_OUT=$dir/guard.json \
        LD_PRELOAD=$(realpath "$bin")/tests/tools/rtguard.so \
        "$bin/hearken" listen "$dir/cells.hkn" -c none -f json --match-scales frame,event,scene,timbre -k 3 \
        --match-score 0 --osc-to 127.0.0.1:9 >/dev/null 2>"$dir/guard.log" & local listener=$!
    wait_for "$dir/guard.log" 'stream begins' || exit 1
    timeout 140 "$bin/tests/tools/jackfeed" -l "${GUARD_LOOPS:-1}" -c hearken:in "$dir"/play/*.wav >/dev/null
    kill -INT $listener
    wait $listener
}

beside_jack_all() {
    "$bin/hearken" listen "$dir/sp.hkn" -c none -f json --match-scales event --osc-to none \
        >"$dir/all.json" 2>"$dir/all.log" & local listener=$!
    wait_for "$dir/all.log" 'stream begins' || exit 1
    timeout 120 "$bin/tests/tools/jackfeed" -F -s 1.1 -m -c hearken:in "$dir"/all/*.wav >"$dir/all.feed"
    sleep 0.5
    kill -INT $listener
    wait $listener
}

if [ "${1:-}" ]; then
    "beside_jack_$1"
    exit
fi
jack() { "$here/tools/with-jack.sh" -n "${3:-e2e$$}" -t 150 -r 48000 -p "$1" -- "$0" "$2"; }

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
mkdir "$dir/play"
for f in "$dir"/corpus/*/[135].wav; do
    sox -V1 -D "$f" -r 48000 -b 24 -c 1 "$dir/play/$(basename "$(dirname "$f")")_$(basename "$f")" trim 0 1.5
done

jack 128 live
is "listen ends with status 0 on Ctrl-C" "$(cat "$dir/live.rc")"
[ "$(cat "$dir/second.rc")" = 69 ] && grep -q 'named hearken is there already' "$dir/second.log"
is "a second client of the same name that may not wait ends with status 69 and a sentence" $?
n=$(grep -c '"type":"match"' "$dir/live.json")
[ "$n" -gt 100 ] && [ "$(messages "$dir/a.osc" match)" = "$n" ] && [ "$(messages "$dir/b.osc" match)" = "$n" ]
is "two receivers got all $n matches that stdout shows" $?
awk '/ \/hearken\// { if ($4 != n++) bad = 1 } END { exit bad || n < 100 }' "$dir/a.osc"
is "their seq numbers count up without a hole" $?
[ "$(messages "$dir/a.osc" onset)" -ge 6 ] && [ "$(messages "$dir/a.osc" status)" -ge 3 ]
is "onsets and a status a second came too" $?
sent=$(sed -n 's/.*"sent" \([0-9]*\).*/\1/p' "$dir/a.osc" | tail -1)
[ -n "$sent" ] && [ "$sent" -gt 100 ] && grep -q 'in all: .*matches [0-9]* .*sent [0-9]*' "$dir/live.log"
is "the counts are in the status and in the exit summary" $?
! grep -E ' /hearken/match ' "$dir/a.osc" | grep -vE ' issiffifffss [0-9]+ "in" "(frame|event)" 1 [0-9.]+ -?[0-9.]+ [0-9]+ [0-9.]+ [0-9.]+ [0-9.]+ "(tones|noises)" "/.*\.wav"$' | grep .
is "every match has the documented form" $?
! grep -qE 'dropped_|unprinted|failed' "$dir/live.log"
is "nothing was dropped" $?

sox -n -r 48000 -b 16 -c 1 "$dir/silence.wav" trim 0 30
jack 256 silence
[ ! -s "$dir/silent.json" ] && grep -q '"clean":true' "$dir/silent.feed" && grep -q 'in all: .*gated' "$dir/silent.log"
is "30 s of digital silence match nothing" $?

# A killed jackd keeps one of eight places for servers until one of its name comes again.
jack 128 killed e2ekilled
"$here/tools/with-jack.sh" -n e2ekilled -- true
[ "$(cat "$dir/gone.rc")" = 69 ] && grep -q 'server went away' "$dir/gone.log"
is "a server that is killed ends a listen that may not wait with status 69 and a sentence" $?

if ldd "$bin/hearken" | grep -qE 'libasan|libtsan'; then
    echo "skipped: rtguard cannot watch a sanitizer build"
else
    allow=""
    if [ "$(ulimit -l)" != unlimited ] && [ "$(id -u)" -ne 0 ]; then
        allow=minor_fault
        echo "note: memory may not be locked here (ulimit -l), so page faults are not judged"
    fi
    export allow
    "$bin/hearken" build "$dir/corpus" -o "$dir/cells.hkn" --index-family cells --build-timbre yes >/dev/null
    jack 128 guarded
    cat "$dir/guard.json"
    grep -q '"violations":0}' "$dir/guard.json" && ! grep -qE '"(callbacks|wakes)":0' "$dir/guard.json"
    is "neither the callback nor the analysis allocates, locks, prints, faults, or waits but for sound" $?
fi

samples=/usr/share/sonic-pi/samples
if [ -d $samples ]; then
    mkdir "$dir/all"
    for f in "$samples"/*.flac; do
        sox -V1 -D "$f" -r 48000 -b 24 -c 1 "$dir/all/$(basename "${f%.flac}").wav" trim 0 2.5
    done
    "$bin/hearken" build $samples -o "$dir/sp.hkn" >/dev/null
    jack 1024 all
    grep -q '"clean":true' "$dir/all.feed"
    is "165 sounds of sonic-pi-samples were played without a loss" $?
    begin=$(sed -n 's/.*stream begins at JACK frame //p' "$dir/all.log")
    recognised=$(awk -v begin="$begin" -v at=1 '
        function field(key) { match($0, "\"" key "\":(\"[^\"]*\"|[-0-9.]+)"); v = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3); gsub(/"/, "", v); return v }
        function name(path) { sub(/.*\//, "", path); sub(/\.[a-z]*$/, "", path); return path }
        FILENAME == ARGV[1] { if ($0 ~ /"event":"start"/) { n++; from[n] = field("first_frame") - begin; to[n] = from[n] + field("frames") + 38400; is[n] = name(field("file")); best[n] = -2 } next }
        /"type":"match"/ && field("rank") == 1 { f = field("frame") + 0; while (at < n && f > to[at]) at++
            if (f >= from[at] && f <= to[at] && field("cosine") + 0 > best[at]) { best[at] = field("cosine") + 0; found[at] = name(field("path")) } }
        END { for (i = 1; i <= n; i++) hits += found[i] == is[i]; print hits + 0, n }' "$dir/all.feed" "$dir/all.json")
    read -r hits n <<<"$recognised"
    [ "$n" -ge 160 ] && [ $((hits * 100)) -ge $((n * 95)) ]
    is "$hits of $n played sounds of sonic-pi-samples are rank 1 of the event scale" $?
else
    echo "skipped: $samples is not there (Debian package sonic-pi-samples)"
fi
finish
