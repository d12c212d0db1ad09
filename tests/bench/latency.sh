#!/bin/bash
# latency.sh [PERIOD [RATE]]: from the cycle that carries a click to the packet received, of
# hearken and of the bare path (callback -> semaphore -> FIFO thread -> semaphore -> FIFO
# thread -> packet), both listening to the same clicks in the same run.
set -u
tools=$(dirname "$0")/../tools bin=${B:-build}
period=${1:-64} rate=${2:-48000} clicks_s=${CLICKS_S:-20}
if [ -z "${LATENCY_DIR:-}" ]; then
    LATENCY_DIR=$(mktemp -d)
    export LATENCY_DIR
    trap 'rm -rf "$LATENCY_DIR"' EXIT
    mkdir "$LATENCY_DIR/corpus"
    sox -R -n -r "$rate" -b 16 -c 1 "$LATENCY_DIR/corpus/a.wav" synth 1 pluck A3
    sox -R -n -r "$rate" -b 16 -c 1 "$LATENCY_DIR/corpus/b.wav" synth 1 noise
    "$bin/hearken" build "$LATENCY_DIR/corpus" -o "$LATENCY_DIR/x.hkn" >/dev/null || exit
    "$tools/with-jack.sh" -t 120 -r "$rate" -p "$period" -- "$0" "$period" "$rate"
    exit
fi
dir=$LATENCY_DIR
a=$((20000 + RANDOM % 10000)) b=$((31000 + RANDOM % 10000))
"$bin/tests/tools/oscstamp" -r -s $((clicks_s + 4)) $a >"$dir/hearken.stamps" & stamps_a=$!
"$bin/tests/tools/oscstamp" -r -s $((clicks_s + 4)) $b >"$dir/bare.stamps" & stamps_b=$!
"$bin/tests/tools/barepath" $b 2>/dev/null & bare=$!
"$bin/hearken" listen "$dir/x.hkn" -c none -f none --osc-to 127.0.0.1:$a --match-scales frame \
    --match-score 0 2>"$dir/log" & listener=$!
sleep 1
# Distances longer than the gate's hold, so that each click is an onset of its own.
"$bin/tests/tools/jackfeed" -c hearken:in -c bare:in -k "$clicks_s" -i 0.15003 >"$dir/feed" 2>&1 ||
    { cat "$dir/feed" "$dir/log" >&2; exit 1; }
kill $bare $listener
wait $stamps_a $stamps_b 2>/dev/null
tail -n 1 "$dir/feed" >"$dir/feed.json"
# PipeWire's JACK clock is CLOCK_MONOTONIC, jackd2's the raw one.
for row in "bare /bare" "hearken /hearken/onset" "hearken /hearken/match"; do
    read -r who path <<<"$row"
    printf '%-22s ' "$path"
    python3 "$tools/latency.py" "$dir/feed.json" "$dir/$who.stamps" --path "$path" --clock raw
done
