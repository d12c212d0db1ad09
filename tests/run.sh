#!/bin/bash
# run.sh: all check programs, replays of the fuzzers' corpora and end-to-end scripts of one
# build (B=folder), as many at a time as there are cores; then the scripts that need a server of
# sound, at most two at a time. Ends with how many programs passed.
set -u
cd "$(dirname "$0")/.." || exit 1
export B=${B:-build}
jobs=${JOBS:-$(nproc)}
results=$(mktemp -d "${TMPDIR:-/tmp}/hearken-run-XXXXXX")
# shellcheck disable=SC2046 # one word each
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$results"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run NAME COMMAND...: what it wrote is shown in one piece when it has ended.
run() {
    local name=$1 log start=$SECONDS rc word=passed
    log=$(mktemp "$results/log-XXXXXX")
    shift
    timeout -k 5 300 "$@" </dev/null >"$log" 2>&1 &
    trap 'kill $! 2>/dev/null; exit' INT TERM
    wait $!
    rc=$?
    kill -- -$! 2>/dev/null # timeout leads a group: what a script that failed has left
    case $rc in
    0) ;;
    77) word=skipped ;;
    *) word=failed ;;
    esac
    {
        echo "== $name"
        cat "$log"
        [ $word = passed ] || echo "${word^^} $name (status $rc)"
        [ $((SECONDS - start)) -lt 20 ] || echo "($name took $((SECONDS - start)) s)"
    } >"$log.shown"
    echo "$name" >>"$results/$word"
    flock "$results" cat "$log.shown"
}

# together NAME COMMAND...: beside others, when one of the places is free.
together() {
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    run "$@" &
}

count() { wc -l <"$results/$1"; }

served=()
for t in tests/e2e_*.sh; do
    if grep -qE '^need .*(jackd|pipewire)' "$t"; then
        served+=("$t")
    else
        together "$t" "$t"
    fi
done
for t in tests/check_*.c; do
    t=$(basename "${t%.c}")
    together "$t" "$B/tests/$t"
done
for t in tests/fuzz_*.c; do
    t=$(basename "${t%.c}")
    together "replay of $t" "$B/tests/replay_${t#fuzz_}" "tests/corpus/${t#fuzz_}"
done
wait
# Servers that come and go side by side mix up each other's clients, by what they share in /dev/shm:
# two at a time where each script may have one of its own (root may), and the rest one by one.
apart=(unshare -m sh -c 'mount -t tmpfs none /dev/shm && exec "$@"' apart)
[ "$jobs" -lt 2 ] || jobs=2
"${apart[@]}" true 2>/dev/null || jobs=1 apart=()
for t in "${served[@]}"; do
    grep -q '^# Runs alone: ' "$t" || together "$t" "${apart[@]}" "$t"
done
wait
jobs=1
for t in "${served[@]}"; do
    ! grep -q '^# Runs alone: ' "$t" || together "$t" "$t"
done
wait
touch "$results"/{passed,failed,skipped}
sed 's/^/FAILED /' "$results/failed"
echo "$(count passed) passed, $(count failed) failed, $(count skipped) skipped"
[ ! -s "$results/failed" ] && [ -s "$results/passed" ]
