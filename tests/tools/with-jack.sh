#!/bin/bash
# with-jack.sh: runs a command beside a private JACK server on the dummy backend, and stops
# that server afterwards. The exit status is the command's; 125 when there is no server.
#
#   with-jack.sh [-n NAME] [-r RATE] [-p PERIOD] [-t SECONDS] [-S] [-o] [-v] -- COMMAND...
#     -n  server name (default: tb<pid>, so that runs side by side do not meet)
#     -r  sample rate in Hz (default 48000)   -p  frames in a period (default 128)
#     -t  end COMMAND after so many seconds (default 300), status 124
#     -S  synchronous mode (the whole graph waits for every client)
#     -o  no realtime scheduling (default: SCHED_FIFO when it can be had)
#     -v  show the server's own output
# In COMMAND's environment: JACK_DEFAULT_SERVER, JACK_NO_START_SERVER, JACKD_PID.
set -u
usage() {
    sed -n '2,12p' "$0"
    exit "$1"
}
name=tb$$ rate=48000 period=128 limit=300 sync=() rt=(-R -P 60) verbose="" command=""
while getopts n:r:p:t:Sovh o; do
    case $o in
    n) name=$OPTARG ;;
    r) rate=$OPTARG ;;
    p) period=$OPTARG ;;
    t) limit=$OPTARG ;;
    S) sync=(-S) ;;
    o) rt=(-r) ;;
    v) verbose=1 ;;
    h) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage 2 >&2
[ "${rt[0]}" = -R ] && ! chrt -f 60 true 2>/dev/null && rt=(-r)

export JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=$name
log=$(mktemp)
# -p 64 before -d: 64 ports. The default, 2048, takes 107 MB of /dev/shm: more than the
# 64 MB a container has, and jackd then dies of SIGBUS.
jackd --name "$name" "${rt[@]}" "${sync[@]}" -p 64 \
    -d dummy -r "$rate" -p "$period" >"$log" 2>&1 </dev/null &
JACKD_PID=$!
export JACKD_PID
# shellcheck disable=SC2317 # it is called by the trap
stop() {
    [ -n "$command" ] && kill -TERM "$command" 2>/dev/null && wait "$command" 2>/dev/null
    kill -TERM "$JACKD_PID" 2>/dev/null
    for _ in $(seq 50); do kill -0 "$JACKD_PID" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$JACKD_PID" 2>/dev/null
    wait "$JACKD_PID" 2>/dev/null
    rm -f /dev/shm/jack_sem.*_"$name"_* /dev/shm/jack_"$name"_* # left when it was killed
    [ -n "$verbose" ] && cat "$log" >&2
    rm -f "$log"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ready=""
for _ in $(seq 50); do
    timeout 5 jack_lsp >/dev/null 2>&1 && ready=1 && break
    kill -0 "$JACKD_PID" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$ready" ]; then
    echo "with-jack.sh: the server did not start" >&2
    cat "$log" >&2
    exit 125
fi
# In the background, so that a signal to this script ends the command at once.
timeout -k 5 "$limit" "$@" <&0 &
command=$!
wait "$command"
rc=$?
command=""
exit $rc
