#!/bin/bash
# The same samples through JACK (freewheeling, at several periods and rates) and through
# `hearken query` give the same matches, byte for byte.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

if [ "${1:-}" = beside-jack ]; then # RATE PERIOD
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json -k 3 --match-refine yes --match-scales frame,event,scene \
        --match-score 0 --osc-to none >"$dir/live.json" 2>"$dir/live.log" &
    listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    timeout 60 "$bin/tests/tools/jackfeed" -F -w 5 -c hearken:in "$dir/in$2.wav" >"$dir/feed.json" || exit 1
    sleep 0.3
    kill -INT $listener
    wait $listener
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
for rate in 48000 44100; do
    sox -V1 -D "$dir"/corpus/*/*.wav -r $rate -b 24 -c 1 "$dir/in$rate.wav" gain -6 trim 0 25
    for period in 64 256 1024; do
        rm -f "$dir"/live.* "$dir/feed.json"
        "$here/tools/with-jack.sh" -t 100 -r $rate -p $period -- "$0" beside-jack $rate
        is "listen ends well beside jackd at $rate Hz, period $period" $?
        begin=$(sed -n 's/.*stream begins at JACK frame //p' "$dir/live.log")
        fed=$(sed -n 's/.*"start".*"first_frame":\([0-9]*\).*/\1/p' "$dir/feed.json")
        grep -q '"clean":true' "$dir/feed.json"
        is "no frame was lost on the way" $?
        sox -V1 -D "$dir/in$rate.wav" "$dir/ref.wav" pad $((fed - begin))s@0s "3@$(soxi -s "$dir/in$rate.wav")s"
        "$bin/hearken" query "$dir/x.hkn" "$dir/ref.wav" -f json -k 3 --match-refine yes --match-scales frame,event,scene \
            --match-score 0 2>>"$dir/query.log" | sed 's/"input":"[^"]*"/"input":"in"/' >"$dir/query.json"
        n=$(wc -l <"$dir/live.json")
        cmp "$dir/live.json" "$dir/query.json" && [ "$n" -gt 2000 ]
        is "$n matches at $rate Hz, period $period are those of query, byte for byte" $?
    done
done
finish
