#!/bin/bash
# One hearken listen and all kinds of destinations at once: OSC over UDP and TCP, bundles,
# templates, numbers only, a rate, nobody; received by liblo's oscdump, and where they are
# installed by the examples in SuperCollider and Pd. All get what the JSON log has.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump oscsend python3

export E2E_PORT=${E2E_PORT:-$((20000 + RANDOM % 20000))}
port() { echo $((E2E_PORT + $1)); }
has() { command -v "$1" >/dev/null; }

# The three examples in one sclang, as a user's own files would be; 9000 is another port here.
start_sclang() {
    sed "s/9000/$(port 6)/" examples/supercollider.scd >"$dir/responder.scd"
    cp examples/superdirt.scd "$dir/"
    # not the usual 57110, where the user's own server may be
    echo "Server.default = s = Server(\\dest, NetAddr(\"127.0.0.1\", $(port 9)));" >"$dir/all.scd"
    printf '"%s".load;\n' "$dir/responder.scd" "$dir/superdirt.scd" >>"$dir/all.scd"
    if has scsynth; then
        cp examples/supercollider-player.scd "$dir/"
        # the same folder that was given to hearken build: the paths are whole ones here
        export HEARKEN_CORPUS=/ SC_JACK_DEFAULT_INPUTS='' SC_JACK_DEFAULT_OUTPUTS=''
        printf '"%s".load;\n' "$dir/supercollider-player.scd" >>"$dir/all.scd"
    else
        echo 'SystemClock.sched(0.5, { "ready to play".postln; nil });' >>"$dir/all.scd"
    fi
    mkdir -p "$dir/home"
    # a Qt program without a display, which as root wants this too
    HOME=$dir/home XDG_RUNTIME_DIR=$dir/home QT_QPA_PLATFORM=offscreen QTWEBENGINE_DISABLE_SANDBOX=1 \
        timeout -k 5 100 sclang -D -u "$(port 7)" "$dir/all.scd" >"$dir/sclang.log" 2>&1 </dev/null &
    sclang=$!
}

start_pd() {
    sed "s/9000/$(port 8)/" examples/puredata.pd >"$dir/example.pd"
    HOME=$dir timeout -k 5 100 pd -noprefs -nogui -noaudio -nomidi -stderr -open "$dir/example.pd" >"$dir/pd.log" 2>&1 </dev/null &
    pd=$!
}

beside_jack() {
    local to=() dumps=() i sclang="" pd="" listener
    for i in 0 2 3 4 10 11 13 14; do
        oscdump -L "$(port $i)" >"$dir/$i.osc" 2>/dev/null & dumps+=($!)
    done
    oscdump -L "osc.tcp://:$(port 1)" >"$dir/1.osc" 2>"$dir/1.err" & dumps+=($!)
    has sclang && start_sclang && to+=("--osc-to" "127.0.0.1:$(port 6)" "--osc-to" "127.0.0.1:$(port 7),as=superdirt,rate=1000"
        "--osc-to" "127.0.0.1:$(port 7),scales=event,k=1,messages=match")
    has pd && start_pd && to+=("--osc-to" "127.0.0.1:$(port 8)")
    [ -z "$sclang" ] || wait_for "$dir/sclang.log" 'ready to play' 40 || exit 1
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame,event --match-k 2 --match-score 0 \
        --osc-to "127.0.0.1:$(port 0)" \
        --osc-to "127.0.0.1:$(port 1),tcp,bundle" \
        --osc-to "127.0.0.1:$(port 2),match=/dirt/play s {label} n {sound} gain {score}" \
        --osc-to "127.0.0.1:$(port 3),as=numeric,bundle,k=1,scales=event" \
        --osc-to "127.0.0.1:$(port 4),rate=5,messages=match" \
        --osc-to "127.0.0.1:$(port 10),at=onsets" --osc-to "127.0.0.1:$(port 11),at=continuous" \
        --osc-to 127.0.0.1:9,tcp "${to[@]}" --osc-listen "127.0.0.1:$(port 12)" >"$dir/live.json" 2>"$dir/live.log" & listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    oscsend 127.0.0.1 "$(port 12)" /hearken/subscribe iis "$(port 13)" 60 at=onsets,messages=match
    oscsend 127.0.0.1 "$(port 12)" /hearken/subscribe ii "$(port 14)" 60
    wait_for "$dir/14.osc" /hearken/status || exit 1 # the second one came, and so the first
    timeout 60 "$bin/tests/tools/jackfeed" -s 0.4 -c hearken:in "$dir"/play/*.wav >"$dir/feed.json"
    sleep 1.2
    kill -INT $listener
    wait $listener
    if [ -n "$sclang" ]; then # or its server leaves a file in /dev/shm
        oscsend 127.0.0.1 "$(port 9)" /quit
        sleep 0.5
    fi
    # shellcheck disable=SC2086 # none, or one word
    kill "${dumps[@]}" $sclang $pd
    # shellcheck disable=SC2086
    wait "${dumps[@]}" $sclang $pd 2>/dev/null
}

if [ "${1:-}" ]; then
    beside_jack
    exit
fi
make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" --build-labels folders >/dev/null || exit 1
mkdir "$dir/play"
for f in "$dir"/corpus/*/[13].wav; do
    sox -V1 -D "$f" -r 48000 -b 24 -c 1 "$dir/play/$(basename "$(dirname "$f")")_$(basename "$f")" trim 0 1
done
sox -V1 -D -R -n -r 48000 -b 24 -c 1 "$dir/play/long.wav" synth 5 sine 400 gain -6 # goes on behind its onset
"$here/tools/with-jack.sh" -n "dst$$" -t 150 -r 48000 -p 1024 -- "$0" beside # a cycle too late is an onset

# agrees RECEIVER FILE: what a receiver printed, against the lines of the log
agrees() {
    python3 - "$dir/live.json" "$@" <<'END'
import json, re, sys
log, receiver, name = sys.argv[1:]
want = [json.loads(line) for line in open(log)]
hop = lambda m: m["frame"] * 100 // 48000
begun = 0
for m in want: # in the order of the analysis
    begun = hop(m) if m["type"] == "onset" else begun
    m["late"] = m["type"] == "match" and hop(m) - begun > 100
want = [m for m in want if m["type"] == "match"]
text = open(name, errors="replace").read()
number = r"(-?[0-9][-+.e0-9]*)"
all_of_them = want
event1 = [m for m in want if m["scale"] == "event" and m["rank"] == 1]
form, keys, want = {
    "onsets": (r'/hearken/match issiffifffss \d+ "\w+" "(\w+)" (\d+) %s' % number,
        "scale rank score", [m for m in want if not m["late"]]),
    "plain": (r'/hearken/match issiffifffss \d+ "\w+" "(\w+)" (\d+) %s %s (\d+) %s %s \S+ "(.*?)" "(.*?)"$' % ((number,) * 4),
        "scale rank score cosine sound start length label path", want),
    "template": (r'/dirt/play sssisf "s" "(\w+)" "n" (\d+) "gain" %s$' % number, "label sound score", want),
    "numeric": (r'/hearken/match/in/event/(\w+) ififff 1 %s (\d+) %s %s \S+$' % ((number,) * 3),
        "label score sound start length", event1),
    "responder": (r'^\w+ (\w+) rank (\d+): (\w+) score %s at %s s of (.*)$' % (number, number),
        "scale rank label score start path", want),
    "superdirt": (r'^s (\w+) n 0 gain %s in -?[0-9.]+ s$' % number, "label score", event1),
    "player": (r'^plays (.*) at %s s for %s s$' % (number, number), "path start length", event1),
    "pd": (r'^match: %s (\w+)$' % number, "score label", want),
}[receiver]
got = re.findall(form, text, re.M)
keys = keys.split()
def row(m):
    return [float(m[k]) if not isinstance(m[k], str) else m[k] for k in keys]
want = [row(m) for m in want]
got = [[float(x) if not isinstance(want[0][i], str) else x for i, x in enumerate(g)] for g in got]
if receiver == "player":  # plays when the sound has been read: not always in order
    got.sort()
    want.sort()
for w, g in zip(want, got):
    for a, b in zip(w, g):
        if a != b if isinstance(a, str) else abs(a - b) > 0.011:
            sys.exit(f"{receiver}: {g} for {w}")
if receiver == "onsets" and not any(m["late"] for m in all_of_them):
    sys.exit("nothing came long after an onset")
if len(want) != len(got) or len(want) < 20:
    sys.exit(f"{receiver}: {len(got)} for {len(want)} matches")
END
}

while read -r receiver file sentence; do
    agrees "$receiver" "$dir/$file"
    is "$sentence" $?
done <<END
plain 0.osc a plain receiver gets every match of the log
plain 1.osc so does one over TCP, in bundles
template 2.osc so does one with a template
numeric 3.osc one without strings gets an address for each label, and only the scale and ranks that it wants
plain 11.osc at=continuous gets all of the log
plain 14.osc so does one that subscribed over OSC
onsets 13.osc one that subscribed with at=onsets gets, of the same run, what comes within a second of an onset
onsets 10.osc at=onsets gets of the same run what comes within a second of an onset
END
! grep -qE ' [^ ]*s[^ ]* .*"' "$dir/3.osc" && ! grep -qv '/dirt/play' "$dir/2.osc"
is "and neither of the two gets anything else" $?
# in bundles the time comes first: that of the sound, so a little before that of its arrival
n=$(grep -c " /hearken/match " "$dir/4.osc") all=$(grep -c " /hearken/match " "$dir/0.osc")
withheld=$(sed -n 's/.* withheld \([0-9]*\).*/\1/p' "$dir/live.log")
[ "$n" -ge 5 ] && [ $((n + withheld)) -eq "$all" ]
is "a rate lets $n of $all through, and counts the rest" $?
grep -q ' failed [1-9]' "$dir/live.log"
is "what nobody takes over TCP is counted, and costs the others nothing" $?
if has sclang; then
    agrees responder "$dir/sclang.log" && agrees superdirt "$dir/sclang.log"
    is "the examples for SuperCollider and SuperDirt print what the log has" $?
else
    echo "skipped: sclang is not installed; make check-examples installs it"
fi
if has sclang && has scsynth; then
    agrees player "$dir/sclang.log"
    is "the player plays each place that was found, from its buffer" $?
else
    echo "skipped: scsynth is not installed; make check-examples installs it"
fi
if has pd; then
    agrees pd "$dir/pd.log"
    is "the example for Pd prints what the log has" $?
else
    echo "skipped: pd is not installed; make check-examples installs it"
fi

for to in nonsense,tcp ':9000,bundel' ':9000,match=/a {lable}' ':9000,as=nosuch' ':9000,k=0'; do
    gives "$to is refused before a server is asked" 78 'destination "' \
        "$bin/hearken" listen "$dir/x.hkn" --osc-to "$to"
    one_line "in one sentence"
done
finish
