#!/bin/bash
# The same samples through JACK (freewheeling, at several periods and rates) and through
# `hearken query` give the same matches, byte for byte. A server that loses frames while it
# still runs in real time, before that, cuts the silence that a scene has heard so far: such a
# run is repeated, the ninth time without the floor of the last ten seconds, and then only what was
# heard is left out of the comparison.
# Runs alone: its servers must not lose a frame.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

options=(-f json -k 3 --match-refine yes --match-scales 'frame,event,scene' --match-score 0
    --match-floor-db "${FLOOR_DB:--35}")
if [ "${1:-}" = beside-jack ]; then # FILE [INPUTS]
    inputs=${3:-in}
    "$bin/hearken" listen "$dir/x.hkn" --jack-inputs "$inputs" -c none "${options[@]}" --osc-to none >"$dir/live.json" 2>"$dir/live.log" &
    listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    read -ra to <<<"-c hearken:${inputs//,/ -c hearken:}"
    timeout 100 "$bin/tests/tools/jackfeed" -F -w 5 "${to[@]}" "$2" >"$dir/feed.json" || exit 1
    sleep 0.3
    kill -INT $listener
    wait $listener
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
# replays RATE PERIOD FILE [INPUTS]
replays() {
    local begin fed n input
    local run ended but='^'
    for run in {1..9}; do
        export FLOOR_DB=-35
        [ "$run" -lt 9 ] || FLOOR_DB=-120
        rm -f "$dir"/live.* "$dir/feed.json"
        "$here/tools/with-jack.sh" -t 140 -r "$1" -p "$2" -- "$0" beside-jack "$3" "${4:-in}"
        ended=$?
        grep -q lost_frames "$dir/live.log" || break
    done
    is "listen ends well beside jackd at $1 Hz, period $2" $ended
    if grep -q lost_frames "$dir/live.log"; then
        echo "note: in none of $run runs the server lost nothing; how much was heard is not compared"
        but='"heard":[0-9.]*,'
    fi
    begin=$(sed -n 's/.*stream begins at JACK frame //p' "$dir/live.log")
    fed=$(sed -n 's/.*"start".*"first_frame":\([0-9]*\).*/\1/p' "$dir/feed.json")
    grep -q '"clean":true' "$dir/feed.json" && ! grep -q dropped "$dir/live.log"
    is "no frame was lost on the way" $?
    sox -V1 -D "$3" "$dir/ref.wav" pad $((fed - begin))s@0s "3@$(soxi -s "$3")s"
    for input in ${4//,/ }; do
        grep -F "\"input\":\"$input\"" "$dir/live.json" | sed "s/$but//" >"$dir/input.json"
        "$bin/hearken" query "$dir/x.hkn" "$dir/ref.wav" "${options[@]}" --match-floor-db $FLOOR_DB 2>>"$dir/query.log" |
            sed "s/\"input\":\"[^\"]*\"/\"input\":\"$input\"/; s/$but//" >"$dir/query.json"
        n=$(wc -l <"$dir/input.json")
        cmp "$dir/input.json" "$dir/query.json" && [ "$n" -gt 2000 ]
        is "$n matches at $1 Hz, period $2, are those of query, byte for byte" $?
    done
}
for rate in 48000 44100; do
    sox -V1 -D "$dir"/corpus/*/*.wav -r $rate -b 24 -c 1 "$dir/in$rate.wav" gain -6 trim 0 25
    for period in 64 256 1024; do
        replays $rate $period "$dir/in$rate.wav" in
    done
done
sox -V1 -D "$dir/in48000.wav" "$dir/long.wav" repeat 9
replays 48000 512 "$dir/long.wav" drums,voice
finish
