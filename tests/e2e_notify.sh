#!/bin/bash
# What a service manager is told: by listen without a server, with one, and when nothing but
# its analysis stands still.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox python3

told() { grep -c "$1" "$dir/told"; }
# fed SECONDS: how often the watchdog is fed in so long.
fed() {
    local before
    before=$(told 'WATCHDOG=1')
    sleep "$1"
    echo $(($(told 'WATCHDOG=1') - before))
}

beside_jack() {
    wait_for "$dir/told" 'STATUS=running' 20
    is "it tells when it is running" $?
    n=$(fed 1.5)
    [ "$n" -ge 1 ]
    is "and feeds the watchdog of 2 s $n times in 1.5 s" $?
    if [ -e "$dir/preloaded" ]; then
        touch "$dir/stall"
        sleep 2.75 # two seconds are not yet a standstill
        n=$(fed 2)
        [ "$n" -eq 0 ]
        is "when the analysis stands still it is not fed any more: $n times in 2 s" $?
        kill -0 "$listener"
        is "although the program is there" $?
    else
        echo "skipped: nothing can be preloaded into a sanitizer build"
    fi
    kill -TERM "$listener"
    wait_for "$dir/told" 'STOPPING=1'
    is "it tells when it ends" $?
    kill -KILL "$listener" 2>/dev/null # the end waits for the analysis
    echo "$e2e_passed $e2e_failed" >"$dir/inner"
}
if [ "${1:-}" ]; then
    "beside_$1"
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
name=e2en$$
"$here/tools/manager.py" "@$name" >"$dir/told" & manager=$!
wait_for "$dir/told" listening || exit 1
preload=
if ! ldd "$bin/hearken" | grep -qE 'libasan|libtsan'; then
    preload=$(realpath "$bin/tests/tools/stall.so")
    touch "$dir/preloaded"
fi
NOTIFY_SOCKET=@$name WATCHDOG_USEC=2000000 JACK_DEFAULT_SERVER=$name LD_PRELOAD=$preload \
    STALL_FILE=$dir/stall STALL_THREAD=hearken-analyse \
    "$bin/hearken" listen "$dir/x.hkn" -c none -f none --osc-to none 2>"$dir/log" & export listener=$!
disown
wait_for "$dir/told" 'READY=1'
is "a service without a JACK server is ready" $?
grep -q 'STATUS=waiting; nothing lost' "$dir/told"
is "and says that it waits" $?
n=$(fed 1.5)
[ "$n" -ge 1 ]
is "the watchdog of 2 s is fed $n times in 1.5 s" $?
"$here/tools/with-jack.sh" -n "$name" -t 60 -p 256 -- "$0" jack
read -r passed failed <"$dir/inner" && e2e_passed=$((e2e_passed + passed)) e2e_failed=$((e2e_failed + failed))
is "a server was there" $?
[ "$(told 'READY=1')" -eq 1 ]
is "ready was told once" $?
kill $manager
finish
