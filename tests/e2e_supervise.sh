#!/bin/bash
# hearken listen through all that can befall a JACK server: absent, killed, ended, frozen,
# back at another rate and period, its name taken, connections cut and mended. Each time it
# says so once, comes back by itself and finds again what is played.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump oscsend python3

ctl() { "$here/tools/jackd-ctl.sh" "$dir/e2esup$$" "$@" >>"$dir/ctl.log" 2>&1; }
export JACK_NO_START_SERVER=1 JACK_DEFAULT_SERVER=tb-e2esup$$
port=$((20000 + RANDOM % 20000))
log=$dir/listen.log osc=$dir/listen.osc

# says SENTENCE TEXT [TIMES]: within ten seconds, since the last call of news; once, or so often.
news_from=1
news() { news_from=$(($(wc -l <"$log") + 1)); }
heard() { tail -n "+$news_from" "$log" | grep -c -- "$1"; }
says() { # within 25 s: what libjack holds is given up after ten, and begun anew
    local i
    for ((i = 0; i < 500 && $(heard "$2") < ${3:-1}; i++)); do sleep 0.05; done
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
cp "$dir/x.hkn" "$dir/y.hkn"
for rate in 48000 44100; do
    sox -V1 -D "$dir/corpus/tones/3.wav" -r $rate -b 24 -c 1 "$dir/tone$rate.wav" trim 0 0.6
done
oscdump -L $port >"$osc" & dump=$!
: >"$log"
trap 'kill $dump ${listener:-} ${held:-} ${held_dump:-} 2>/dev/null; ctl thaw; ctl stop; rm -f /dev/shm/jack_*tb-e2esup$$*; rm -rf "$dir"' EXIT

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

# Beside it, one that libjack lets not go of the next server that dies: ten seconds later it
# starts itself anew, while the rest of this goes on.
if ! ldd "$bin/hearken" | grep -qE 'libasan|libtsan'; then # which want to be loaded first
    oscdump -L $((port + 2)) >"$dir/held.osc" & held_dump=$!
    HOLDCLOSE=$dir/held LD_PRELOAD=$(realpath "$bin")/tests/tools/badjack.so "$bin/hearken" listen \
        "$dir/x.hkn" -f none --jack-client-name held --osc-to none --osc-listen 127.0.0.1:$((port + 1)) \
        --osc-reply-port $((port + 2)) --osc-query none >/dev/null 2>"$dir/held.log" & held=$!
    wait_for "$dir/held.log" 'stream begins'
    oscsend 127.0.0.1 $((port + 1)) /hearken/match/score f 0.125
    oscsend 127.0.0.1 $((port + 1)) /hearken/index/load s "$dir/y.hkn"
    timeout 5 jack_connect system:capture_2 held:in
    wait_for "$dir/held.log" 'listening to system:capture_2$'
    oscsend 127.0.0.1 $((port + 1)) /hearken/subscribe
    wait_for "$dir/held.osc" '/hearken/status .*"sent" [1-9]'
fi
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

# ---- Started anew ------------------------------------------------------------------------
# As if nothing had been: numbers of messages without a hole, counters that only grow.
goes_on() {
    python3 - "$dir/held.osc" <<'END'
import re, sys
last, counts, n_after = None, {}, 0
for line in open(sys.argv[1]):
    m = re.match(r'\S+ /hearken/(status|onset|match) \S+ (\d+)(.*)', line)
    if not m:
        continue
    seq = int(m.group(2))
    if last is not None and seq != last + 1:
        sys.exit(f"message {seq} after {last}")
    last = seq
    now = dict((k, int(v)) for k, v in re.findall(r'"(\w+)" (\d+)', m.group(3)))
    for k in now:
        if now[k] < counts.get(k, 0):
            sys.exit(f"{k} was {counts[k]} and is {now[k]}")
    counts.update(now)
    n_after += now.get("reconnects", 0) > 0
if n_after < 2 or counts["reconnects"] != 1 or counts["lost_frames"] < 9 * 48000 or counts["hops"] < 50:
    sys.exit(f"{n_after} after it; {counts}")
END
}
if [ "${held:-}" ]; then
    wait_for "$dir/held.log" 'does not come back from a call; starting anew$' 20 &&
        wait_for "$dir/held.log" 'the stream goes on at JACK frame'
    is "a listener that libjack does not let go of starts itself anew" $?
    oscsend 127.0.0.1 $((port + 1)) /hearken/match/score
    oscsend 127.0.0.1 $((port + 1)) /hearken/index/reload
    sleep 2.2
    [ "$(grep -c '/hearken/value sf "match.score" 0.125' "$dir/held.osc")" = 2 ]
    is "what was set over OSC is set" $?
    [ "$(grep -c '/hearken/index/loaded sis ".*/y.hkn"' "$dir/held.osc")" = 2 ]
    is "the index that was loaded is in use" $?
    [ "$(timeout 5 jack_lsp -c held:in | grep -c system:)" = 2 ]
    is "what was connected by hand is connected" $?
    goes_on
    is "who subscribed is sent to, and all counters and numbers go on" $?
    [ "$(cat "/proc/$held/comm")" = hearken ]
    is "it is still called hearken" $?
    kill -INT "$held"
    wait "$held"
    is "and it ends well" $?
    held=""
else
    echo "skipped: starting anew, beside a sanitizer"
fi

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
