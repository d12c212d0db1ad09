#!/bin/bash
# hearken listen through what can befall a PipeWire server: another period and another rate
# while it runs, frozen, killed, back again. Played sounds are found after each.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need pipewire pw-jack pw-metadata wireplumber dbus-run-session sox oscdump
if ldd "$bin/hearken" | grep -qE 'libasan|libtsan'; then
    echo "skipped: pw-jack cannot preload a sanitizer build"
    exit 77
fi

if [ "${1:-}" != beside ]; then
    make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
    "$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
    for rate in 48000 44100; do
        sox -V1 -D "$dir/corpus/tones/3.wav" -r $rate -b 24 -c 1 "$dir/tone$rate.wav" trim 0 0.6
    done
    "$here/tools/with-pipewire.sh" -s -p 128 -t 100 -- "$0" beside
    exit
fi

port=$((20000 + RANDOM % 20000)) log=$dir/listen.log osc=$dir/listen.osc
says() { # SENTENCE TEXT
    wait_for "$log" "$2"
    is "$1" $?
    : >"$log" # it is opened for appending
}
finds() { # SENTENCE RATE: a sound that is played now is the best match on OSC
    local from=$(($(wc -l <"$osc") + 1)) i
    for i in 1 2 3; do # while it changes its rate, PipeWire may tell a new client the old one
        PIPEWIRE_LATENCY=128/$2 timeout 20 pw-jack "$bin/tests/tools/jackfeed" -n feed -b 0.2 -e 0.3 -w 5 \
            -c hearken:in "$dir/tone$2.wav" >>"$dir/feed.json" 2>&1 && break
        sleep 0.5
    done
    sleep 0.1
    tail -n "+$from" "$osc" | grep ' /hearken/match ' | grep -q '/tones/3.wav"$'
    is "$1" $?
}

oscdump -L $port >"$osc" & dump=$!
pw-jack "$bin/hearken" listen "$dir/x.hkn" -c none -f none --match-score 0 --osc-to 127.0.0.1:$port \
    >/dev/null 2>>"$log" & listener=$!
says "it listens" 'stream begins'
finds "and finds what is played" 48000
pw-metadata -n settings 0 clock.force-quantum 256 >/dev/null
says "a changed period is noted" 'changed its period to 256$'
finds "and it finds what is played" 48000
pw-metadata -n settings 0 clock.force-rate 44100 >/dev/null
says "another rate while it runs is taken up" 'changed its rate to 44100 Hz$'
finds "and it finds what is played at that" 44100
kill -STOP "$PIPEWIRE_PID"
says "a frozen server stands still" 'the JACK server stands still; waiting for it to go on$'
kill -CONT "$PIPEWIRE_PID"
says "and goes on" 'the JACK server goes on, after'
finds "and it finds what is played" 44100
kill -KILL "$PIPEWIRE_PID"
says "a killed server is missed" 'the JACK server went away; waiting for it$'
pipewire >/dev/null 2>&1 & server=$!
says "and another one taken" 'the stream goes on at JACK frame'
finds "and it finds what is played" 48000
kill -INT $listener
wait $listener
is "it ends well" $?
kill $server $dump
wait 2>/dev/null
finish
