#!/bin/bash
# run.sh [FOLDER]: all benchmarks of one build (B=folder), one after the other, on a machine
# that does nothing else. FOLDER (or HEARKEN_SOUNDS) is a corpus whose building is timed.
set -u
cd "$(dirname "$0")/../.." || exit 1
export B=${B:-build}
sounds=${1:-${HEARKEN_SOUNDS:-/usr/share/sonic-pi/samples}}
echo "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg), $(date +%F)"
echo; echo "== frames"
taskset -c 1 "$B/tests/bench/bench_dsp"
echo; echo "== windows, and a hop of a stream"
taskset -c 1 "$B/tests/bench/bench_event"
echo; echo "== queries"
taskset -c 1 "$B/tests/bench/bench_query"
echo; echo "== click to packet, beside the bare path in the same run (µs)"
tests/bench/latency.sh 64 2>/dev/null
tests/bench/latency.sh 256 2>/dev/null
echo; echo "== building an index, one core"
out=$(mktemp -d)
if [ -d "$sounds" ]; then
    taskset -c 1 "$B/hearken" build "$sounds" -j 1 -o "$out/x.hkn"
    # The same sounds as 48 kHz wav: what is left is the analysis.
    mkdir "$out/wav"
    find -L "$sounds" -type f | LC_ALL=C sort | while read -r f; do
        sox -V1 -D "$f" -r 48000 -b 16 "$out/wav/$(echo "$f" | tr / _).wav" 2>/dev/null
    done
    echo "decoded beforehand, as 48 kHz wav:"
    taskset -c 1 "$B/hearken" build "$out/wav" -j 1 -o "$out/x.hkn"
else
    echo "skipped: no folder $sounds"
fi
rm -rf "$out"
