#!/bin/bash
# run.sh: all check programs, replays of the fuzzers' corpora and end-to-end scripts of one
# build (B=folder), one after the other; ends with how many programs passed.
set -u
cd "$(dirname "$0")/.." || exit 1
export B=${B:-build}
passed=0 failed=0 skipped=0
run() {
    local name=$1 start=$SECONDS rc
    shift
    timeout -k 5 300 "$@" </dev/null
    rc=$?
    case $rc in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)); echo "SKIPPED $name" ;;
    *) failed=$((failed + 1)); echo "FAILED $name (status $rc)" ;;
    esac
    [ $((SECONDS - start)) -lt 20 ] || echo "($name took $((SECONDS - start)) s)"
}
for t in tests/check_*.c; do
    t=$(basename "${t%.c}")
    run "$t" "$B/tests/$t"
done
for t in tests/fuzz_*.c; do
    t=$(basename "${t%.c}")
    run "replay of $t" "$B/tests/replay_${t#fuzz_}" "tests/corpus/${t#fuzz_}"
done
for t in tests/e2e_*.sh; do
    echo "== $t"
    run "$t" "$t"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
