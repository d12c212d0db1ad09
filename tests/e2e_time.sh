#!/bin/bash
# The age that messages tell is right to a millisecond: of sounds of which the player knows
# when they sound, received by a program that stamps packets on the server's clock. Under
# jackd that is CLOCK_MONOTONIC_RAW, under PipeWire CLOCK_MONOTONIC. Medians, as machines are
# busy; and a run in which the server lost frames is repeated, four times at most: where it
# numbers a late cycle twice, what tells when a match sounded is a period off, not its age.
# Runs alone: it times what others would delay.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox python3

if [ "${1:-}" ]; then # beside a server: clicks|tone CLOCK [pw-jack]
    port=$((20000 + RANDOM % 20000)) how=$1 via=${3:-env}
    rm -f "$dir"/listen.log "$dir/lines" "$dir/stamps" # of the last one
    "$bin/tests/tools/oscstamp" -r -s 30 $port >"$dir/stamps" 2>/dev/null & stamps=$!
    "$via" "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-score 0 --osc-to 127.0.0.1:$port \
        --match-scales frame >"$dir/lines" 2>"$dir/listen.log" & listener=$!
    wait_for "$dir/listen.log" 'stream begins' || exit 1
    if [ "$how" = clicks ]; then # with a capture latency, as a sound card has
        feed=(-L -k 3.6 -i 0.15003) rest=(1024)
    else
        feed=(-l 16 "$dir/tone.wav") rest=("$dir/lines" "$(sed -n 's/.*begins at JACK frame //p' "$dir/listen.log")")
    fi
    timeout 30 "$via" "$bin/tests/tools/jackfeed" -c hearken:in "${feed[@]}" >"$dir/feed" 2>&1 || cat "$dir/feed" >&2
    sleep 0.3
    kill -INT $listener $stamps
    wait $listener $stamps
    python3 "$here/tools/age.py" "$how" "$dir/feed" "$dir/stamps" "$2" "${rest[@]}"
    exit
fi

# right with-SERVER.sh OPTION... -- HOW CLOCK [pw-jack]
right() {
    local run rc server=$1
    shift
    for run in 1 2 3 4 5; do
        "$here/tools/$server" -t 60 "$@"
        rc=$?
        # ages that are right although frames were lost are right
        [ $rc -ne 0 ] && grep -q lost_frames "$dir/listen.log" || return $rc
    done
    echo "note: in none of $run runs the server lost nothing"
    return $rc
}

mkdir "$dir/corpus"
sox -R -n -r 48000 -b 24 -c 1 "$dir/tone.wav" synth 0.125 sawtooth 220 gain -6
sox -R -n -r 48000 -b 16 -c 1 "$dir/corpus/noise.wav" synth 1 noise gain -6
sox -D "$dir/tone.wav" -b 16 "$dir/corpus/tone.wav" repeat 7
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
right with-jack.sh -p 1024 -- "$0" clicks raw
is "the age of onsets is right under jackd, with a capture latency" $?
right with-jack.sh -p 256 -- "$0" tone raw
is "that of matches, too" $?
if command -v pipewire pw-jack pw-cli >/dev/null && ! ldd "$bin/hearken" | grep -qE 'libasan|libtsan'; then
    right with-pipewire.sh -p 256 -- "$0" tone mono pw-jack
    is "and under PipeWire" $?
else
    echo "skipped: no PipeWire (packages pipewire, pipewire-jack), or a sanitizer build"
fi
finish
