#!/bin/bash
# Sounds learned over OSC while listen runs beside a real jackd: found, kept, forgotten.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscsend oscdump
port=$((20000 + RANDOM % 20000)) # of commands; then those of answers, matches

tell() { oscsend 127.0.0.1 "$port" "$@"; }
# in freewheel no frame is lost, however busy the machine; then what is sent arrives
play() {
    timeout 60 "$bin/tests/tools/jackfeed" -F -w 5 -c hearken:in "$@" >>"$dir/feed.json"
    sleep 0.2
}
live() { grep -c '"bleep" "live:bleep"' "$dir/m.osc"; }
listen() { # LOG OPTION...
    local log=$1
    shift
    "$bin/hearken" listen "$dir/x.hkn" -c none -f none --match-scales event --osc-to 127.0.0.1:$((port + 2)) \
        --osc-listen 127.0.0.1:"$port" --osc-reply-port $((port + 1)) --osc-query none \
        --learn-file "$dir/learned.hkn" "$@" 2>"$dir/$log" & listener=$!
    wait_for "$dir/$log" 'stream begins'
}
stop() {
    kill -INT "$listener"
    wait "$listener"
}

if [ "${1:-}" = beside-jack ]; then
    port=$2
    : >"$dir/a.osc"
    : >"$dir/m.osc"
    oscdump -L $((port + 1)) >"$dir/a.osc" & a=$!
    oscdump -L $((port + 2)) >"$dir/m.osc" & m=$!
    listen first.log --record-seconds 15 --record-folder "$dir/dumps" || exit 1
    play "$dir/strange.wav"
    live >"$dir/n_before"
    tell /hearken/learn s bleep
    wait_for "$dir/a.osc" 'hearken/learned'
    play "$dir/strange.wav"
    live >"$dir/n_after"
    tell /hearken/query/file si "$dir/strange.wav" 1
    wait_for "$dir/a.osc" 'query/done'
    play -l 20 "$dir/strange.wav" # a recording begins behind what warms up scenes
    tell /hearken/record/dump
    for ((i = 0; i < 100; i++)); do
        compgen -G "$dir/dumps/*.wav" >/dev/null && break
        sleep 0.05
    done
    sleep 0.4 # of silence
    tell /hearken/learn sf nothing 0.3
    wait_for "$dir/a.osc" 'match.gate-db'
    tell /hearken/forget s nothing
    wait_for "$dir/a.osc" 'nothing was learned as'
    stop
    listen second.log || exit 1
    live >"$dir/n_stopped"
    play "$dir/strange.wav"
    live >"$dir/n_again"
    cp "$dir/learned.hkn" "$dir/kept.hkn"
    tell /hearken/forget s '*'
    wait_for "$dir/a.osc" 'hearken/forgotten'
    play "$dir/strange.wav"
    live >"$dir/n_forgotten"
    stop
    kill $a $m
    wait $a $m 2>/dev/null
    exit 0
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" --build-invariance 0 >/dev/null || exit 1
sox -R -V1 -D -n -r 48000 -b 24 -c 1 "$dir/strange.wav" synth 0.8 square 300-900 synth 0.8 trapezium mix 1700 fade 0.002 0 0.1 gain -n -6 pad 0.1 0.3
mkdir "$dir/dumps"
"$here/tools/with-jack.sh" -n "learn$$" -t 100 -r 48000 -p 256 -- "$0" beside-jack $port || exit 1

[ "$(cat "$dir/n_before")" = 0 ] && grep -qE 'hearken/learned sif "bleep" [1-9][0-9]* [01]\.' "$dir/a.osc" && grep -q 'learned bleep: .* entries' "$dir/first.log"
is "what just sounded is learned at a command, which answers and says so" $?
n=$(cat "$dir/n_after")
[ "$n" -ge 5 ]
is "when it sounds again it is found under its label: $n messages" $?
grep -q 'query/match .*"bleep" "live:bleep"' "$dir/a.osc"
is "it is found in files that are asked for, too" $?
wav=$(echo "$dir"/dumps/*.wav) lines=$(echo "$dir"/dumps/*.jsonl)
"$bin/hearken" query "$dir/x.hkn" "$wav" --learn-file "${wav%.wav}.learned.hkn" -f json >"$dir/again.jsonl"
[ "$(grep -c live:bleep "$lines")" -ge 5 ] && cmp "$lines" "$dir/again.jsonl"
is "with what a recording says was learned, query answers it byte for byte" $?
cd "$dir" || exit 1
bin=$(cd "$OLDPWD" && realpath "$bin")
gives "without it the recording is refused, with the reason" 65 'beside learned sounds' "$bin/hearken" query x.hkn "$wav"
gives "query finds it in a file" 0 '' "$bin/hearken" query x.hkn strange.wav --learn-file kept.hkn -f json
holds "under its label" '"label":"bleep","path":"live:bleep"'
gives "another index is no file of learned sounds" 65 'holds no learned sounds' "$bin/hearken" query x.hkn strange.wav --learn-file x.hkn
[ "$(cat n_again)" -ge $(($(cat n_stopped) + 5)) ]
is "after a restart it is still known" $?
[ "$(cat n_forgotten)" = "$(cat n_again)" ] && [ ! -e learned.hkn ] && grep -q 'forgotten si "\*" 0' a.osc
is "forgotten, it is found no more, and its file is gone" $?
grep -q 'hearken/error s "nothing above -.* sounded in the last 0.3 s' a.osc && grep -q 'error s "nothing was learned as' a.osc
is "silence, and a label that is not there, are answered with the reason" $?
finish
