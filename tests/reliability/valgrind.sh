#!/bin/bash
# valgrind.sh [SECONDS]: hearken listen under valgrind's memcheck beside a jackd that plays to it,
# is killed and comes back; status 0 when valgrind had nothing to say, leaks included.
set -u
cd "$(dirname "$0")/../.." || exit 1
bin=${B:-build} seconds=${1:-120} name=hkvalgrind
dir=$(mktemp -d)
export JACK_NO_AUDIO_RESERVATION=1 JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=$name
server="" feed=""
trap 'kill $server $feed 2>/dev/null; wait; rm -rf "$dir" /dev/shm/jack_sem.*_"$name"_* /dev/shm/jack_"$name"_*' EXIT
rt=(-R -P 60)
chrt -f 60 true 2>/dev/null || rt=(-r)
start() {
    jackd --name $name "${rt[@]}" -p 64 -d dummy -r 48000 -p 1024 >"$dir/jackd.log" 2>&1 </dev/null & server=$!
    for _ in $(seq 100); do timeout 5 jack_lsp >/dev/null 2>&1 && break; sleep 0.1; done
    "$bin/tests/tools/jackfeed" -s 0.3 -l 999 "$dir/a.wav" >/dev/null 2>&1 & feed=$!
}
mkdir "$dir/corpus"
sox -R -n -r 48000 -b 24 -c 1 "$dir/a.wav" synth 0.5 pluck A3 fade 0.001 0.5 0.1
sox -R -n -r 48000 -b 24 -c 1 "$dir/corpus/b.wav" synth 0.5 noise
cp "$dir/a.wav" "$dir/corpus"
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
start
valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect \
    --errors-for-leak-kinds=definite,indirect "$bin/hearken" listen "$dir/x.hkn" -f json -c feed:out_1 \
    --osc-to 127.0.0.1:9 --match-score 0 --listen-seconds "$seconds" >"$dir/out" 2>"$dir/err" & listener=$!
sleep $((seconds / 2))
before=$(grep -c '"type":"match"' "$dir/out")
kill -KILL $server
wait $server $feed 2>/dev/null
start
wait $listener
status=$?
after=$(grep -c '"type":"match"' "$dir/out")
cat "$dir/err" >&2
echo "valgrind: status $status; $before matches, then the server was killed, then $((after - before)) more"
[ $status -eq 0 ] && [ "$before" -gt 0 ] && [ "$after" -gt "$before" ]
