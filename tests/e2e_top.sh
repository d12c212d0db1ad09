#!/bin/bash
# hearken top in a real terminal (tmux), and piped, beside a listen and a real jackd.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox tmux python3

bin=$(realpath "$bin")
export HEARKEN_LIVE=$dir/live LC_ALL=C.UTF-8
term() { tmux -L "hearken$$" -f /dev/null "$@"; }
screen() { term capture-pane -p "$@" -t "${window:-top}"; }
# see TEXT [SECONDS]: until the screen (of $window, or top) shows it
see() {
    local i
    for ((i = 0; i < ${2:-10} * 10; i++)); do
        screen | grep -qE -- "$1" && return 0
        sleep 0.1
    done
    echo "waited in vain for \"$1\" on the screen:" >&2
    screen >&2
    return 1
}
fits() { # COLUMNS: soon
    local i
    for ((i = 0; i < 30; i++)); do
        [ "$(screen | grep -c '^topper')" -eq 1 ] && [ "$(screen | wc -L)" -le "$1" ] && return 0
        sleep 0.1
    done
    screen >&2
    return 1
}
feed() { timeout 60 "$bin/tests/tools/jackfeed" -c topper:in "$@" >"$dir/feed" 2>&1; }

# Everything that is looked at while listen runs.
beside_jack_all() {
    "$bin/hearken" listen "$dir/x.hkn" -n topper -c none -f none --match-scales frame,event \
        --match-score 0 --osc-to none 2>"$dir/listen.log" &
    listener=$!
    wait_for "$dir/listen.log" 'stream begins' || exit 1

    term new-session -d -s top -x 100 -y 30 "$bin/hearken top; echo status \$?; sleep 60"
    see 'topper \([0-9]+\)  running .*q quits'
    is "top finds the only listen by itself and says that it runs" $?
    see 'in +below -120 shut' && ! screen | grep -q 'open'
    is "a silent input has a shut gate" $?
    feed "$dir"/corpus/*/3.wav &
    see 'in +-[0-9.]+ dBFS +open +█+'
    is "played sound moves its meter and opens the gate" $?
    see '^event' && see ' s +█+░* [01]\.[0-9]{3}  (tones|noises) / 3\.wav$'
    is "matches come with a bar, a score and a name" $?
    see 'analysis [0-9.]+ % \(dsp [0-9.]+, search [0-9.]+\)' &&
        see 'second +(9[0-9]|10[0-9]|1[1-9][0-9]) hops'
    is "load and rates are shown" $?
    see 'lost +[a-z]' # xruns come and go; the words are the point
    is "and what was lost" $?
    [ -n "${TOP_PICTURE:-}" ] && screen -e >"$TOP_PICTURE"

    "$bin/hearken" top topper -f json --top-seconds 2 >"$dir/json" 2>"$dir/json.err"
    echo $? >"$dir/json.rc"
    "$bin/hearken" top $listener --top-seconds 1 2>&1 >"$dir/lines" </dev/null | cat >"$dir/lines.err"
    term resize-window -t top -x 40 -y 12
    see '^load.{10,35}$'
    is "a window that becomes small is drawn anew" $?
    fits 40
    is "within its 40 columns, without scrolling" $?
    term resize-window -t top -x 100 -y 30
    kill -STOP $listener
    see 'no sign of life'
    is "a listen that is stopped shows no sign of life" $?
    kill -CONT $listener
    see 'running'
    is "and runs on" $?
    term send-keys -t top q
    see '^status 0'
    is "q ends top with status 0" $?
    [ "$(screen | grep -c .)" -eq 1 ]
    is "and leaves the terminal as it was" $?

    # Another page, of a stranger: it is refused, and harms nobody.
    head -c 100000 /dev/urandom >"$HEARKEN_LIVE/hearken-live-aaaaaa"
    (flock 9 && sleep 60) 9<"$HEARKEN_LIVE/hearken-live-aaaaaa" & local stranger=$!
    sleep 0.2
    "$bin/hearken" top -f json --top-seconds 1 >"$dir/beside.json" 2>"$dir/beside.err"
    echo $? >"$dir/beside.rc"
    "$bin/hearken" top nobody >/dev/null 2>"$dir/nobody.err"
    echo $? >"$dir/nobody.rc"
    kill $stranger
    rm "$HEARKEN_LIVE/hearken-live-aaaaaa"

    NO_COLOR=1 term new-session -d -s plain -x 80 -y 24 -e NO_COLOR=1 "$bin/hearken top; echo status \$?; sleep 60"
    window=plain see topper
    window=plain screen -e >"$dir/plain.screen"
    term kill-session -t plain
    term new-session -d -s end -x 80 -y 24 "$bin/hearken top topper; echo status \$?; sleep 60"
    window=end see topper
    kill -INT $listener
    wait $listener
    echo $? >"$dir/listen.rc"
    window=end see '^status'
    window=end screen >"$dir/end.screen"

    # Killed: nothing stale is in the way of the next one.
    "$bin/hearken" listen "$dir/x.hkn" -n topper -c none -f none --osc-to none 2>"$dir/killed.log" &
    listener=$!
    wait_for "$dir/killed.log" 'stream begins' || exit 1
    "$bin/hearken" top >"$dir/killed.lines" 2>"$dir/killed.err" & local looker=$!
    wait_for "$dir/killed.lines" running
    kill -KILL $listener
    wait $listener 2>/dev/null
    wait $looker
    echo $? >"$dir/killed.rc"
    "$bin/hearken" top >/dev/null 2>"$dir/none.err"
    echo $? >"$dir/none.rc"
    term kill-server
}

if [ "${1:-}" ]; then
    "beside_jack_$1"
    echo "$e2e_passed $e2e_failed" >"$dir/tally"
    exit
fi

mkdir "$dir/live"
make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
"$here/tools/with-jack.sh" -n "e2etop$$" -t 120 -r 48000 -p 128 -- "$0" all
read -r e2e_passed e2e_failed <"$dir/tally" || exit 1

[ "$(cat "$dir/json.rc")" = 0 ] && [ ! -s "$dir/json.err" ] && python3 - "$dir/json" <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
a, b = lines
assert a["client"] == "topper" and a["state"] == "running" and a["rate"] == 48000 and a["period"] == 128
assert b["counts"]["hops"] - a["counts"]["hops"] in range(50, 200), (a, b)
assert set(a["scales"]) == {"frame", "event"} and a["scales"]["event"]["last"]["rank"] == 1
assert b["inputs"][0]["name"] == "in" and -60 < b["inputs"][0]["peak_db"] < 3 and 0 < b["load"]["dsp"] < 1
END
is "json gives two lines in two seconds, with the counts of one" $?
[ "$(wc -l <"$dir/lines")" = 1 ] && [ ! -s "$dir/lines.err" ] &&
    grep -qE '^running 0:0[0-9]:[0-9]{2}  in -?[0-9.]+ dBFS (open|shut)  frame .*  event .*  load: .*  lost: ' "$dir/lines"
is "piped, a line a second says it in words; a number chooses as well as a name" $?
! grep -q $'\e' "$dir/lines" "$dir/json"
is "in which there is nothing for a terminal" $?
[ "$(cat "$dir/beside.rc")" = 0 ] && [ "$(wc -l <"$dir/beside.json")" = 1 ] && [ ! -s "$dir/beside.err" ]
is "a stranger's file beside the page is no hindrance" $?
[ "$(cat "$dir/nobody.rc")" = 69 ] && grep -qE '^hearken: no hearken listen runs as nobody; those that do: topper \([0-9]+\)$' "$dir/nobody.err"
is "a name that nobody has ends with 69 and those that there are" $?
grep -q topper "$dir/plain.screen" && ! grep -qE $'\e\\[[0-9;]*3[0-7]' "$dir/plain.screen"
is "NO_COLOR takes the colours away" $?
grep -q '^hearken: topper has ended$' "$dir/end.screen" && grep -q '^status 0$' "$dir/end.screen"
is "the end of listen ends top, which says so" $?
[ "$(cat "$dir/listen.rc")" = 0 ] && ! grep -q 'live page' "$dir/listen.log"
is "listen ends as ever" $?
[ "$(cat "$dir/killed.rc")" = 69 ] && grep -q '^hearken: topper was killed or crashed$' "$dir/killed.err"
is "one that is killed ends it with 69 and a sentence" $?
[ "$(cat "$dir/none.rc")" = 69 ] && [ "$(wc -l <"$dir/none.err")" = 1 ] && grep -q 'no hearken listen is running here.*start one' "$dir/none.err"
is "then none is there: 69, and a sentence that says what to do" $?
[ "$(find "$dir/live" -name 'hearken-live-*' | wc -l)" = 1 ]
is "the one that ended took its page along; only the killed one's is left" $?

JACK_DEFAULT_SERVER=none$$ "$bin/hearken" listen "$dir/x.hkn" -n topper -f none --osc-to none \
    --jack-inputs drums,voice 2>"$dir/waiting.log" &
listener=$!
wait_for "$dir/waiting.log" . && sleep 0.2
"$bin/hearken" top --top-seconds 1 | grep -qE '^waiting 0:00:0[0-9]  drums -120.0 dBFS shut  voice -120.0 dBFS shut '
is "one that waits for a server says so, for all its inputs" $?
kill -INT $listener
wait $listener
"$bin/hearken" top one two 2>"$dir/two.err"
[ $? -eq 64 ] && grep -q '^hearken: name one listen at most; see hearken top --help$' "$dir/two.err"
is "two names give 64" $?
finish
