#!/bin/bash
# latency.sh [PERIOD [RATE [jackd|pipewire]]]: from the cycle that carries a click to the packet
# received, of hearken and of the bare path (callback -> semaphore -> FIFO thread -> semaphore ->
# FIFO thread -> packet), both listening to the same clicks in the same run. One row of a table
# in Markdown for each; latency.sh table does the periods of docs/reliability.md on both servers.
set -u
tools=$(dirname "$0")/../tools bin=${B:-build}
head='| server | period | path | clicks | answered | median µs | p95 | p99 | max | player lost nothing |
|---|---|---|---|---|---|---|---|---|---|'
if [ "${1:-}" = table ]; then
    echo "$head"
    for period in 16 64 256 1024; do HEAD='' "$0" $period 48000 jackd || exit; done
    for period in 64 256; do HEAD='' "$0" $period 48000 pipewire || exit; done
    exit
fi
period=${1:-64} rate=${2:-48000} server=${3:-jackd} clicks_s=${CLICKS_S:-20}
if [ -z "${LATENCY_DIR:-}" ]; then
    LATENCY_DIR=$(mktemp -d)
    export LATENCY_DIR
    trap 'rm -rf "$LATENCY_DIR"' EXIT
    mkdir "$LATENCY_DIR/corpus"
    sox -R -n -r "$rate" -b 16 -c 1 "$LATENCY_DIR/corpus/a.wav" synth 1 pluck A3
    sox -R -n -r "$rate" -b 16 -c 1 "$LATENCY_DIR/corpus/b.wav" synth 1 noise
    "$bin/hearken" build "$LATENCY_DIR/corpus" -o "$LATENCY_DIR/x.hkn" >/dev/null || exit
    [ -n "${HEAD-$head}" ] && echo "$head"
    with=("$tools/with-jack.sh" -n hklatency)
    [ "$server" = pipewire ] && with=("$tools/with-pipewire.sh")
    "${with[@]}" -t 120 -r "$rate" -p "$period" -- "$0" "$period" "$rate" "$server"
    exit
fi
dir=$LATENCY_DIR jack=() clock=raw
if [ "$server" = pipewire ]; then
    jack=(pw-jack) clock=mono # its JACK clock is CLOCK_MONOTONIC, jackd2's the raw one
fi
a=$((20000 + RANDOM % 10000)) b=$((31000 + RANDOM % 10000))
"$bin/tests/tools/oscstamp" -r -s $((clicks_s + 6)) $a >"$dir/hearken.stamps" 2>/dev/null & stamps_a=$!
"$bin/tests/tools/oscstamp" -r -s $((clicks_s + 6)) $b >"$dir/bare.stamps" 2>/dev/null & stamps_b=$!
"${jack[@]}" "$bin/tests/tools/barepath" $b 2>/dev/null & bare=$!
"${jack[@]}" "$bin/hearken" listen "$dir/x.hkn" -c none -f none --osc-to 127.0.0.1:$a --match-scales frame \
    --match-score 0 2>"$dir/log" & listener=$!
for _ in $(seq 100); do grep -q 'stream begins' "$dir/log" && break; sleep 0.1; done
# Distances longer than the gate's hold, so that each click is an onset of its own.
"${jack[@]}" "$bin/tests/tools/jackfeed" -c hearken:in -c bare:in -k "$clicks_s" -i 0.15003 >"$dir/feed" 2>&1 ||
    { cat "$dir/feed" "$dir/log" >&2; exit 1; }
kill $bare $listener
wait $bare $listener $stamps_a $stamps_b 2>/dev/null
tail -n 1 "$dir/feed" >"$dir/feed.json"
for row in "bare /bare" "hearken /hearken/onset" "hearken /hearken/match"; do
    read -r who path <<<"$row"
    python3 "$tools/latency.py" "$dir/feed.json" "$dir/$who.stamps" --path "$path" --clock $clock \
        --markdown "$server"
done
