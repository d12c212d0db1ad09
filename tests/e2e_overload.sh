#!/bin/bash
# hearken listen where the machine has no time, and where nobody takes what it says: every
# loss is counted, and it goes on when the load is gone. Judges counts, never timing.
# Runs alone: it takes all the time that the cores have.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump

port=$((20000 + RANDOM % 20000))
messages() { grep -c " /hearken/$1 " "$dir/live.osc"; }

beside_jack_burdened() {
    oscdump -L $port >"$dir/live.osc" & local live=$!
    oscdump -L $((port + 1)) >"$dir/held.osc" & local held=$!
    mkfifo "$dir/lines"
    # shellcheck disable=SC2217 # it is to hold the pipe open, and no more
    sleep 300 <"$dir/lines" & local idle=$! # a reader of stdout that never reads
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame,event,scene --match-score 0 \
        --record-seconds 10 --record-folder "$dir/dumps" --osc-to 127.0.0.1:$((port + 1)) --osc-to 127.0.0.1:$port >"$dir/lines" 2>"$dir/live.log" & local listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    : >"$dir/x.hkn" # it is in memory: a disk may go
    kill -STOP $held
    timeout 60 "$bin/tests/tools/jackfeed" -l 20 -c hearken:in "$dir/play.wav" >/dev/null & local feed=$!
    sleep 1
    echo before "$(messages match)" >>"$dir/went"
    timeout 10 "$bin/tests/tools/burner" -p "$priority" 1
    echo burnt $? >>"$dir/went"
    timeout 10 "$bin/tests/tools/burner" 1
    timeout 10 "$bin/tests/tools/jackhog" -u 20000 -e 50 -t 1 >"$dir/hog.json"
    echo under "$(messages match)" >>"$dir/went"
    kill -USR1 $listener
    sleep 1.3
    echo after "$(messages match)" >>"$dir/went"
    wait_for "$dir/live.log" " are in "
    kill -INT $listener
    timeout 10 tail --pid=$listener -f /dev/null
    echo ended $? >>"$dir/went"
    wait $listener
    echo status $? >>"$dir/went"
    kill $feed $live
    timeout 0.5 cat <>"$dir/lines" >"$dir/lines.json" # what the pipe held
    kill -CONT $held
    kill $held $idle
    wait $live $held $feed $idle 2>/dev/null
}

priority=52 # above the analysis, below JACK
export priority
if [ "${1:-}" ]; then
    "beside_jack_$1"
    exit
fi

mkdir "$dir/dumps"
make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
cp "$dir/x.hkn" "$dir/again.hkn"
sox -V1 -D "$dir"/corpus/noises/[345].wav -r 48000 -b 24 -c 1 "$dir/play.wav"
"$here/tools/with-jack.sh" -n "e2eover$$" -t 60 -r 48000 -p 128 -- "$0" burdened

count() { sed -n "s/.*in all:.* $1 \([0-9]*\).*/\1/p" "$dir/live.log" | grep . || echo 0; }
sum() { local n=0 c; for c in "$@"; do n=$((n + $(count "$c"))); done; echo $n; }
went() { sed -n "s/^$1 //p" "$dir/went"; }
grep 'in all:' "$dir/live.log"

[ "$(went ended)" = 0 ] && [ "$(went status)" = 0 ]
is "listen ends with status 0 on Ctrl-C, though nobody reads its stdout" $?
answers=$(count answers)
fates=$(sum paused gated shed_scenes shed_events shed_frames silent below_score held unconfirmed rate_limited matched)
[ "$answers" -gt 400 ] && [ "$answers" -eq "$fates" ]
is "each of $answers answers has one counted fate" $?
if [ "$(went burnt)" = 3 ] || grep -q 'no real-time scheduling for' "$dir/live.log"; then
    echo "skipped: no SCHED_FIFO here to take the analysis's time with"
else
    [ "$(count shed_frames)" -gt 0 ] && [ "$(count shed_events)" -gt 0 ]
    is "an analysis that got no time for a second sheds what is old" $?
    grep -aq '^shed [0-9]* 3$' "$dir"/dumps/*.wav
    is "a recording of it says so" $?
    [ "$(count dropped_blocks)" -eq 0 ] && [ "$(count skipped_blocks)" -eq 0 ]
    is "and loses no block, because it catches up" $?
fi
[ "$(went before)" -gt 0 ] && [ "$(went after)" -gt "$(went under)" ]
is "it matches before, and after the load is gone: $(went before), $(went under), $(went after)" $?
"$bin/hearken" query "$dir/again.hkn" "$dir"/dumps/*.wav -f json 2>/dev/null >"$dir/again.json"
lines=$(wc -l <"$dir/again.json")
cmp "$dir/again.json" "$dir"/dumps/*.jsonl && [ "$lines" -gt 50 ]
is "the recording gives the same $lines lines again" $?
grep -q '"overslept":[1-9]' "$dir/hog.json"
is "a neighbour overslept in JACK" $?
[ "$(messages match)" -eq "$(count matches)" ] && [ "$(count dropped_matches)" -eq 0 ] && [ "$(count failed)" -eq 0 ]
is "a destination that is stopped costs the other one no match" $?
printed=$(wc -l <"$dir/lines.json")
lines=$(($(count matches) + $(count onsets) - $(count shed_onsets)))
[ "$(count unprinted)" -gt 0 ] && [ $((printed + $(count unprinted))) -eq $lines ]
is "of $lines lines $printed are whole in the pipe, the others counted as unprinted" $?
finish
