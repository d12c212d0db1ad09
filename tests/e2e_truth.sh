#!/bin/bash
# Truth while running: hearken listen beside a real jackd, over indexes that err and not.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

port=$((20000 + RANDOM % 20000))

# listen INDEX NAME FOLDER OPTION...: hears the sounds of the folder; NAME.log, NAME.ms from Ctrl-C to the end.
listen() {
    local index=$1 name=$2 folder=$3 began listener
    shift 3
    "$bin/hearken" listen "$dir/$index.hkn" -c none -f none --match-scales frame,event \
        --match-k 2 --osc-to 127.0.0.1:$port "$@" 2>"$dir/$name.log" & listener=$!
    wait_for "$dir/$name.log" 'stream begins' || exit 1
    # shellcheck disable=SC2086 # a pattern
    timeout 60 "$bin/tests/tools/jackfeed" -c hearken:in "$dir"/corpus/$folder/*.wav >"$dir/$name.feed"
    sleep 1.2
    began=$(date +%s%N)
    kill -INT $listener
    wait $listener
    echo $? >"$dir/$name.rc"
    echo $((($(date +%s%N) - began) / 1000000)) >"$dir/$name.ms"
}

beside_jack_all() {
    oscdump -L $port >"$dir/a.osc" & local dump=$!
    listen bad bad "*"
    kill $dump
    wait $dump 2>/dev/null
    listen bad unasked tones --listen-truth no
    listen exact exact tones
}

if [ "${1:-}" ]; then
    "beside_jack_$1"
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
# One table of which one bucket is looked into: most neighbours are in others.
"$bin/hearken" build "$dir/corpus" -o "$dir/bad.hkn" --build-invariance 0 --index-family hyperplane \
    --index-tables 1 --index-planes 6 --index-probes 1 >/dev/null &&
    "$bin/hearken" build "$dir/corpus" -o "$dir/exact.hkn" --build-invariance 0 >/dev/null || exit 1
"$here/tools/with-jack.sh" -n "e2etruth$$" -t 150 -r 48000 -p 128 -- "$0" all

count() { # NAME COUNTER: in the summary
    sed -n "s/^hearken: in all: .*\b$2 \([0-9]*\).*/\1/p" "$dir/$1.log"
}
sentence='recall@10 0\.[0-9]{3} \(0\.[0-9]{3} to [01]\.[0-9]{3}\) over [0-9]+ answers$'
[ "$(grep -cE "^hearken: (frame|event): $sentence" "$dir/bad.log")" = 2 ]
is "the summary has a sentence for each scale that is hashed" $?
grep recall@ "$dir/bad.log"
asked=$(count bad truth_asked) wanted=$(count bad truth_wanted) found=$(count bad truth_found)
[ "${asked:-0}" -ge 5 ] && [ "$wanted" -eq $((10 * asked)) ] && [ "${found:-0}" -lt "$wanted" ]
is "$asked answers held ${found:-no} of $wanted nearest entries" $?
over=$(sed -n 's/.* over \([0-9]*\) answers$/\1/p' "$dir/bad.log" | paste -sd+)
[ $((over)) -eq "$asked" ]
is "which are those of the sentences" $?
told=$(sed -n 's/.*"truth_wanted" \([0-9]*\) .*/\1/p' "$dir/a.osc" | tail -1)
[ "${told:-0}" -gt 0 ] && [ "$told" -le "$wanted" ] && grep -q '"truth_dropped" [0-9]' "$dir/a.osc"
is "the counts are in the status too" $?
for name in unasked exact; do
    [ -z "$(count $name truth_asked)" ] && ! grep -q recall@ "$dir/$name.log"
    is "nothing is checked when $name" $?
done
for name in bad unasked exact; do
    [ "$(cat "$dir/$name.rc")" = 0 ] && [ "$(cat "$dir/$name.ms")" -lt 2000 ]
    is "Ctrl-C ends it with 0 within two seconds ($name: $(cat "$dir/$name.ms") ms)" $?
done
finish
