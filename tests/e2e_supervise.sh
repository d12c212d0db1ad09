#!/bin/bash
# hearken listen through all that can befall a JACK server: absent, killed, ended, frozen,
# back at another rate and period, its name taken, connections cut and mended. Each time it
# says so once, comes back by itself and finds again what is played.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

ctl() { "$here/tools/jackd-ctl.sh" "$dir/e2esup$$" "$@" >>"$dir/ctl.log" 2>&1; }
export JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=tb-e2esup$$
port=$((20000 + RANDOM % 20000))
log=$dir/listen.log osc=$dir/listen.osc

# says SENTENCE TEXT [TIMES]: within ten seconds, since the last call of news; once, or so often.
news_from=1
news() { news_from=$(($(wc -l <"$log") + 1)); }
heard() { tail -n "+$news_from" "$log" | grep -c -- "$1"; }
says() {
    local i
    for ((i = 0; i < 200 && $(heard "$2") < ${3:-1}; i++)); do sleep 0.05; done
    [ "$(heard "$2")" -eq "${3:-1}" ] || { echo "not ${3:-1} times \"$2\" in:"; cat "$log"; false; } >&2
    is "$1" $?
}
# finds SENTENCE RATE [PORT]: a sound that is played now is the best match on OSC.
finds() {
    local from=$(($(wc -l <"$osc") + 1)) ok
    timeout 20 "$bin/tests/tools/jackfeed" -n feed -b 0.1 -e 0.2 -w 5 -c "${3:-hearken:in}" "$dir/tone$2.wav" \
        >>"$dir/feed.json" 2>>"$dir/feed.log"
    sleep 0.1
    tail -n "+$from" "$osc" | grep ' /hearken/match ' | grep -q '/tones/3.wav"$'
    ok=$?
    [ $ok -eq 0 ] || tail -n "+$from" "$osc" | tail -3 >&2
    is "$1" $ok
}
state_was() { # SENTENCE STATE...: these came on OSC in this order, since the beginning
    local want=$2 got
    got=$(grep -o '/hearken/status [a-z]* [0-9]* "[a-z]*"' "$osc" | sed 's/.*"\(.*\)"/\1/' | uniq | tr '\n' ' ')
    [ "$got" = "$want " ] || { echo "states: $got" >&2; false; }
    is "$1" $?
}

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
for rate in 48000 44100; do
    sox -V1 -D "$dir/corpus/tones/3.wav" -r $rate -b 24 -c 1 "$dir/tone$rate.wav" trim 0 0.6
done
oscdump -L $port >"$osc" & dump=$!
: >"$log"
trap 'kill $dump ${listener:-} 2>/dev/null; ctl thaw; ctl stop; rm -f /dev/shm/jack_*tb-e2esup$$*; rm -rf "$dir"' EXIT

# ---- Absent ----------------------------------------------------------------------------
"$bin/hearken" listen "$dir/x.hkn" --jack-wait no --osc-to none >/dev/null 2>"$dir/no.log"
[ $? -eq 69 ] && grep -q 'no JACK server is running; start jackd' "$dir/no.log"
is "without a server, a listen that may not wait ends with status 69" $?
"$bin/hearken" listen "$dir/x.hkn" -f none --match-score 0 --osc-to 127.0.0.1:$port >/dev/null 2>"$log" &
listener=$!
says "an absent server is waited for" 'no JACK server is running; start .* (waiting)$'
sleep 1
says "and that is said once" 'no JACK server is running'
ctl start 48000 128
says "it listens when one comes" 'stream begins at JACK frame'
says "to the first capture port" 'listening to system:capture_1$'
finds "and finds what is played" 48000

# ---- Killed, back at another rate and period ---------------------------------------------
news
ctl crash
says "a killed server is missed" 'the JACK server went away; waiting for it$'
ctl start 44100 256
says "and another one taken, at another rate and period" 'hearken:in at 44100 Hz, period 256'
says "the stream goes on" 'the stream goes on at JACK frame'
says "with its old connection" 'listening to system:capture_1$'
finds "and finds what is played at the other rate" 44100

# ---- Ended -----------------------------------------------------------------------------
news
ctl stop
says "an ended server is missed" 'the JACK server went away; waiting for it$'
ctl start 48000 64
says "the stream goes on once more" 'the stream goes on at JACK frame'
finds "and finds what is played" 48000

# ---- Frozen ----------------------------------------------------------------------------
news
ctl freeze
says "a frozen server stands still" 'the JACK server stands still; waiting for it to go on$'
ctl thaw
says "and goes on" 'the JACK server goes on, after'
finds "and finds what is played" 48000
news
ctl freeze
says "a server that is frozen for long is given up" 'still stands still; opening it anew$'
sleep 1
ctl thaw
says "and taken again when it thaws" 'the stream goes on at JACK frame'
finds "and finds what is played" 48000

# ---- Period and connections -------------------------------------------------------------
news
timeout 5 jack_bufsize 256 >/dev/null
says "a changed period is noted" 'changed its period to 256$'
finds "and finds what is played" 48000
news
timeout 5 jack_disconnect system:capture_1 hearken:in
says "a connection that is cut by hand is left so" 'system:capture_1 was disconnected by hand'
timeout 5 jack_connect system:capture_2 hearken:in
says "one that is made by hand is noted" 'listening to system:capture_2$'
news
ctl crash
ctl start 48000 256
says "and made again after the server came back" 'listening to system:capture_2$'
[ "$(heard 'capture_1')" -eq 0 ] && [ "$(timeout 5 jack_lsp -c hearken:in | grep -c 'system:capture_2')" -eq 1 ]
is "while the cut one stays cut" $?
news
"$bin/tests/tools/jackfeed" -n feed2 -k 1 -b 2 -c hearken:in >/dev/null & feed=$!
says "a program that connects itself is noted" 'listening to feed2:out_1$'
wait $feed
says "as is that it goes" 'feed2:out_1 went away; waiting for it$'
"$bin/tests/tools/jackfeed" -n feed2 -k 1 -b 2 >/dev/null & feed=$!
says "and when it comes again it is connected again" 'listening to feed2:out_1$' 2
wait $feed

# ---- The name is taken --------------------------------------------------------------------
"$bin/hearken" listen "$dir/x.hkn" -f none --osc-to none >/dev/null 2>"$dir/second.log" & second=$!
wait_for "$dir/second.log" 'a JACK client named hearken is there already; .* (waiting)$'
is "a second client of that name waits" $?
kill -KILL $listener
wait $listener 2>/dev/null
wait_for "$dir/second.log" 'stream begins'
is "until the first is gone, be it by SIGKILL" $?
kill -INT $second
wait $second
is "and ends well" $?

# ---- Ends in freewheel, where a client that just closed would leave jackd for ever -----------
sox -V1 -D "$dir/tone48000.wav" "$dir/long.wav" repeat 699
"$bin/hearken" listen "$dir/x.hkn" -f none --osc-to none -c none >/dev/null 2>"$log" & listener=$!
news_from=1
says "a listener begins" 'stream begins'
"$bin/tests/tools/jackfeed" -F -c hearken:in "$dir/long.wav" >"$dir/wheel.json" 2>&1 & feed=$!
for ((i = 0; i < 100; i++)); do grep -q start "$dir/wheel.json" && break; sleep 0.05; done
kill -INT $listener
wait $listener
is "it ends well in the middle of a freewheel" $?
kill -INT $feed
wait $feed
timeout 5 jack_lsp >/dev/null
is "and the server lives on" $?

# ---- Ends beside a frozen server ------------------------------------------------------------
"$bin/hearken" listen "$dir/x.hkn" -f none --osc-to none --jack-inputs a,b -c a=system:capture_2 -c b=auto \
    >/dev/null 2>"$log" & listener=$!
news_from=1
says "two inputs are listened to" 'stream begins'
says "one at a given port" 'a: listening to system:capture_2$'
says "one at the port of its number" 'b: listening to system:capture_2$'
ctl freeze
sleep 0.2
kill -INT $listener
timeout 12 tail --pid=$listener -f /dev/null && wait $listener
is "it ends well beside a frozen server" $?
says "and says so" 'the JACK server does not answer; ending without it$'
listener=""
ctl thaw
kill $dump
wait $dump 2>/dev/null
state_was "the states came on OSC as they came" \
    "waiting running waiting running waiting running stalled running stalled waiting running waiting running"
finish
