#!/bin/bash
# fuzz.sh SECONDS: each fuzzer of one build (B=folder) for so long, from its corpus in
# tests/corpus; what breaks one is left in tests/corpus/NAME, to be mended and kept.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build/fuzz} failed=0
for f in tests/fuzz_*.c; do
    name=$(basename "${f%.c}")
    corpus=tests/corpus/${name#fuzz_} grown=$B/corpus/${name#fuzz_}
    mkdir -p "$grown" "$corpus"
    echo "== $name for ${1:-60} s"
    "$B/tests/$name" -max_total_time="${1:-60}" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$corpus/found-" "$grown" "$corpus" 2>&1 |
        grep -E 'ERROR|SUMMARY|found-|stat::number_of_executed|Done' || true
    [ "${PIPESTATUS[0]}" -eq 0 ] || { failed=1; echo "FOUND by $name: see $corpus"; }
done
exit $failed
