#!/bin/bash
# hearken listen commanded over OSC by liblo's oscsend, beside a real jackd; and flooded.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump oscsend curl python3

port=$((20000 + RANDOM % 20000)) # of answers; then those of matches, subscribers, commands
export port=${E2E_PORT:-$port}
export E2E_PORT=$port
tell() { oscsend 127.0.0.1 $((port + 3)) "$@"; }
play() { timeout 60 "$bin/tests/tools/jackfeed" -c hearken:in "$dir"/play/*.wav >>"$dir/feed.json"; }
# asked FILE ADDRESS ARGUMENT...: sends, until the file has one more line.
asked() {
    local file=$1 n i
    n=$(wc -l <"$file")
    shift
    tell "$@"
    for ((i = 0; i < 100; i++)); do
        [ "$(wc -l <"$file")" -gt "$n" ] && break
        sleep 0.02
    done
    tail -1 "$file" | cut -d ' ' -f 2-
}

beside_jack_control() {
    : >"$dir/a.osc"
    oscdump -L "$port" >"$dir/a.osc" & local a=$!
    oscdump -L $((port + 1)) >"$dir/m.osc" & local m=$!
    oscdump -L $((port + 2)) >"$dir/s.osc" & local s=$!
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales event --match-score 1 \
        --osc-to 127.0.0.1:$((port + 1)) --osc-listen 127.0.0.1:$((port + 3)) --osc-reply-port "$port" \
        --osc-query 127.0.0.1:$((port + 3)) --osc-allow 127.0.0.1 >"$dir/live.json" 2>"$dir/live.log" & local listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    {
        asked "$dir/a.osc" /hearken/match/score
        asked "$dir/a.osc" /hearken/match/score f 0
        asked "$dir/a.osc" /hearken/get s match.score
        asked "$dir/a.osc" /hearken/match/score f 7
        asked "$dir/a.osc" /hearken/match/k i 2
        asked "$dir/a.osc" /hearken/osc/nomatch T
        asked "$dir/a.osc" /hearken/no/such i 1
        asked "$dir/a.osc" /hearken/subscribe ii $((port + 2)) 60
    } >"$dir/said"
    curl -s "http://127.0.0.1:$((port + 3))/hearken/match/score?VALUE" >"$dir/value.json"
    curl -s "http://127.0.0.1:$((port + 3))/" >"$dir/tree.json"
    curl -s -o "$dir/none.json" -w '%{http_code}' "http://127.0.0.1:$((port + 3))/hearken/nowhere" >"$dir/none.code"
    play
    grep -c /hearken/match "$dir/m.osc" >"$dir/n_low"
    # ends by itself after a second; a muted one says nothing
    asked "$dir/a.osc" /hearken/subscribe ii $((port + 2)) 1 >>"$dir/said"
    sleep 1.3
    wc -l <"$dir/s.osc" >"$dir/n_subscribed"
    asked "$dir/a.osc" /hearken/mute >>"$dir/said"
    grep -c /hearken/match "$dir/m.osc" >"$dir/n_unmuted"
    play
    grep -c /hearken/match "$dir/m.osc" >"$dir/n_muted"
    wc -l <"$dir/s.osc" >"$dir/n_expired"
    # from another address: neither obeyed nor answered
    wc -l <"$dir/a.osc" >"$dir/n_answers"
    "$bin/tests/tools/oscflood" -b 127.0.0.2 -n 100 $((port + 3)) >"$dir/foreign.json"
    sleep 0.3
    wc -l <"$dir/a.osc" >"$dir/n_foreign"
    asked "$dir/a.osc" /hearken/query/file si "$dir/corpus/tones/3.wav" 1 >/dev/null
    wait_for "$dir/a.osc" query/done
    # another one is told that the port is taken
    "$bin/hearken" listen "$dir/x.hkn" -c none -n other --osc-to none --listen-seconds 1 \
        --osc-listen 127.0.0.1:$((port + 3)) >"$dir/other.out" 2>"$dir/other.log"
    echo $? >"$dir/other.rc"
    kill -INT $listener
    wait $listener
    kill $a $m $s
    wait $a $m $s 2>/dev/null
}

beside_jack_flood() {
    : >"$dir/f.osc"
    oscdump -L $((port + 2)) >"$dir/f.osc" & local a=$!
    "$bin/hearken" listen "$dir/x.hkn" -c none -f none --match-scales frame,event --match-score 0 \
        --osc-to none --osc-listen 127.0.0.1:$((port + 3)) --osc-reply-port 9 2>"$dir/flood.log" & local listener=$!
    wait_for "$dir/flood.log" 'stream begins' || exit 1
    "$bin/tests/tools/oscflood" -r 50000 -n 150000 $((port + 3)) >"$dir/flood.json" & local flood=$!
    play
    wait $flood
    sleep 1
    tell /hearken/osc/reply-port i $((port + 2))
    wait_for "$dir/f.osc" reply-port
    kill -INT $listener
    wait $listener
    kill $a
    wait $a 2>/dev/null
}

if [ "${1:-}" ]; then
    "beside_jack_$1"
    exit
fi
jack() { "$here/tools/with-jack.sh" -n "ctl$$" -t 100 -r 48000 -p 256 -- "$0" "$1"; }
count() { sed -n "s/.*in all:.* $1 \([0-9]*\).*/\1/p" "$2"; } # of a log's summary

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" --build-invariance 0 >/dev/null || exit 1
mkdir "$dir/play"
for f in "$dir"/corpus/*/[13].wav; do
    sox -V1 -D "$f" -r 48000 -b 24 -c 1 "$dir/play/$(basename "$(dirname "$f")")_$(basename "$f")" trim 0 1
done

jack control
cat >"$dir/want" <<END
/hearken/value sf "match.score" 1.000000
/hearken/value sf "match.score" 0.000000
/hearken/value sf "match.score" 0.000000
/hearken/error s "match.score cannot be "7"; it wants a number from 0 to 1"
/hearken/value si "match.k" 2
/hearken/value si "osc.nomatch" 1
/hearken/error s "there is no address "/hearken/no/such" here; /hearken/list tells the settings"
/hearken/subscribed sis "127.0.0.1:$((port + 2))" 60 ""
/hearken/subscribed sis "127.0.0.1:$((port + 2))" 1 ""
/hearken/value si "osc.mute" 1
END
diff "$dir/want" "$dir/said"
is "settings are asked for, set, told back and refused while it listens" $?
n=$(cat "$dir/n_low")
[ "$n" -gt 20 ] && grep -q '"event" 2 ' "$dir/m.osc"
is "a lower score and a larger k are heard at once: $n matches, also of rank 2" $?
[ "$(grep -c /hearken/match "$dir/s.osc")" -gt 20 ]
is "a subscriber gets matches too" $?
[ "$(cat "$dir/n_subscribed")" = "$(cat "$dir/n_expired")" ]
is "a subscription ends by itself" $?
[ "$(cat "$dir/n_unmuted")" = "$(cat "$dir/n_muted")" ] && [ "$(count muted "$dir/live.log")" -gt 20 ]
is "while muted no match is sent, and each is counted" $?
[ "$(cat "$dir/n_answers")" = "$(cat "$dir/n_foreign")" ] && [ "$(count refused_commands "$dir/live.log")" = 100 ]
is "a foreign address is neither obeyed nor answered, and counted" $?
grep -q 'hearken/query/match isiffifffss 1 "event" 1 1.000000 1.000000 .*tones/3.wav"' "$dir/a.osc"
is "a file that is asked for is answered with the sound most like it" $?
[ "$(cat "$dir/other.rc")" = 0 ] && [ "$(grep -c 'another program has that port' "$dir/other.log")" = 1 ]
is "where the port is taken listen says so once, and goes on" $?

[ "$(cat "$dir/value.json")" = '{"VALUE":[0]}' ] && [ "$(cat "$dir/none.code")" = 404 ]
is "OSCQuery tells by HTTP what was set over OSC" $?
python3 - "$dir/tree.json" <<'END'
import json, sys
tree = json.load(open(sys.argv[1]))["CONTENTS"]["hearken"]["CONTENTS"]
match = tree["match"]
sys.exit(not (match["TYPE"] == "issiffifffss" and match["ACCESS"] == 1
              and match["CONTENTS"]["score"]["RANGE"] == [{"MIN": 0, "MAX": 1}]
              and match["CONTENTS"]["k"]["VALUE"] == [2] and tree["query"]["CONTENTS"]["file"]["ACCESS"] == 2))
END
is "its tree is JSON, with types, ranges and values" $?

jack flood
cat "$dir/flood.json"
rate=$(sed -n 's/.*"a_second":\([0-9]*\).*/\1/p' "$dir/flood.json")
[ "$rate" -gt 8000 ] # 50,000 where neither sanitizers nor others take the processor
is "a flood of $rate datagrams a second came" $?
blocks=$(count blocks "$dir/flood.log")
! grep -q dropped_ "$dir/flood.log" && [ "${blocks:-0}" -gt 100 ] && [ "$(count matches "$dir/flood.log")" -gt 100 ]
is "the analysis lost no block through it, of $blocks" $?
[ "$(count refused_commands "$dir/flood.log")" -gt 1000 ] && grep -q reply-port "$dir/f.osc"
is "most of it was refused, and commands are obeyed after it" $?
finish
