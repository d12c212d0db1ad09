#!/bin/bash
# `listen --record-seconds` beside a real jackd: what SIGUSR1 writes in the middle of a
# stream is answered by `query` as listen answered, byte for byte.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox python3 oscsend
port=$((20000 + RANDOM % 20000))

written() { # N: that many recordings are there, and listen has said so
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(grep -c 'what was found in them' "$dir/live.log")" -ge "$1" ] && return 0
        sleep 0.05
    done
    return 1
}

if [ "${1:-}" = beside-jack ]; then
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json -k 3 --match-scales frame,event,scene --match-score 0.1 \
        --match-min-gap-ms 700 --match-confirm-ms 200 --match-within-ms 300 --jack-inputs in,other --osc-to none --osc-listen 127.0.0.1:$port --record-seconds 15 --record-folder "$dir/dumps" \
        >"$dir/live.json" 2>"$dir/live.log" &
    listener=$!
    wait_for "$dir/live.log" "stream begins" || exit 1
    timeout 60 "$bin/tests/tools/jackfeed" -F -w 5 -c hearken:in "$dir/in.wav" >"$dir/feed.json" || exit 1
    kill -USR1 $listener
    written 2 || exit 1
    # live, not freewheeling; other settings, over OSC; and asked while it plays
    oscsend 127.0.0.1 $port /hearken/match/min-gap-ms i 300
    oscsend 127.0.0.1 $port /hearken/match/k i 2
    timeout 60 "$bin/tests/tools/jackfeed" -w 5 -c hearken:in "$dir/short.wav" >"$dir/feed2.json" &
    feeder=$!
    sleep 2.5
    oscsend 127.0.0.1 $port /hearken/record/dump
    written 4 || exit 1
    wait $feeder
    rm -rf "$dir/dumps.full" && mv "$dir/dumps" "$dir/dumps.full"
    kill -USR1 $listener
    wait_for "$dir/live.log" 'cannot be written to' || exit 1
    kill -INT $listener
    wait $listener
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
"$bin/hearken" build "$dir/corpus/tones" -o "$dir/other.hkn" >/dev/null || exit 1
sox -V1 -D "$dir"/corpus/*/*.wav -b 24 -c 1 "$dir/in.wav" gain -6 trim 0 25
sox -V1 -D "$dir/in.wav" "$dir/short.wav" trim 3 3
mkdir "$dir/dumps"
"$here/tools/with-jack.sh" -t 60 -p 256 -- "$0" beside-jack
is "listen writes recordings and ends well" $?
grep -q 'the last 15 s of in are kept in [0-9]* MB' "$dir/live.log"
is "listen says what memory it takes" $?
grep -q ' recordings 4 failed_recordings 2' "$dir/live.log"
is "recordings, and those that failed, are counted" $?
n=0
for wav in "$dir"/dumps.full/hearken_*.wav; do
    n=$((n + 1))
    lines=${wav%.wav}.jsonl
    "$bin/hearken" query "$dir/x.hkn" "$wav" -f json >"$dir/again.jsonl"
    case $wav in *_in.wav) least=3 ;; *) least=0 ;; esac # the other one hears nothing, and a slow end of the first player is silence
    cmp "$lines" "$dir/again.jsonl" && [ "$(wc -l <"$lines")" -ge $least ]
    is "recording $n is answered by query as by listen, byte for byte" $?
    python3 - "$lines" "$dir/live.json" <<'PY'
import sys
assert open(sys.argv[1]).read() in open(sys.argv[2]).read()
PY
    is "and its lines are some of those that listen printed" $?
done
grep -aq '^set match.min-gap-ms 300' "${wav%_other.wav}_in.wav"
is "settings that came over OSC are those of the recording" $?
[ $n -eq 4 ] && [ -z "$(find "$dir/dumps.full" -name '*.part')" ]
is "two recordings of each input are there, and nothing half written" $?
"$bin/hearken" query "$dir/x.hkn" "${wav%_other.wav}_in.wav" -f json --record-replay no --match-score 0 >"$dir/plain.jsonl"
grep -q '"time":0\.' "$dir/plain.jsonl" && grep -qF "_in.wav" "$dir/plain.jsonl"
is "without replaying, it is a sound like any other" $?
cd "$dir" || exit 1
gives "a recording is not replayed with another index" 65 'another index' "$OLDPWD/$bin/hearken" query other.hkn "$wav"
head -c 400000 "$wav" >cut.wav
gives "nor after it was cut" 65 'other samples' "$OLDPWD/$bin/hearken" query x.hkn cut.wav
cd "$OLDPWD" || exit 1
finish
