#!/bin/bash
# hearken check, and what a build says of entries that do not find themselves.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox python3
hearken=$(realpath "$bin/hearken")
cd "$dir" || exit 1

run() { # STATUS COMMAND...: into out, err
    local want=$1 rc
    shift
    timeout -k 5 60 "$@" >out 2>err </dev/null
    rc=$?
    [ $rc -eq "$want" ] || { echo "status $rc, not $want: $(head -3 err)" >&2; return 1; }
}

make_corpus corpus 2>sox.log
run 0 "$hearken" build corpus -o x.hkn --build-timbre yes --build-labels folders
is "a build succeeds" $?
grep -qx '  entries that do not find themselves: 0' out
is "and finds all that went in" $?
run 0 "$hearken" check x.hkn -f table && [ ! -s err ]
is "check of a good index gives 0 and is silent on stderr" $?
grep -q '^x\.hkn: format [0-9]*, [0-9]* bytes; header, [0-9]* sections and all' out &&
    grep -qE '^rows +event +[0-9]+  [0-9a-f]{16}$' out && grep -qE '^timbre +[0-9]+  0: each search compares all$' out
is "and a table of sections and scales" $?
[ "$(grep -cE '^noises +(frame|event|scene) ' out)" -eq 3 ] && [ "$(grep -c '^tails ' out)" -eq 3 ]
is "what noise looks like to them is stored with them" $?
run 0 "$hearken" info x.hkn -f table && grep -q '^calibrated with noise, for 6 false alarms an hour:$' out &&
    grep -qE '^  event: more alike by 0\.[0-9]+ than [0-9]+ noises are$' out
is "and info tells of it" $?
run 0 "$hearken" info x.hkn -f json && python3 - out <<'END'
import json, sys
i = json.load(open(sys.argv[1]))
assert set(i["noises"]) == {"frame", "event", "scene"}
assert all(n["n"] > 50 and -2 < n["margin"] < 2 for n in i["noises"].values())
END
is "in JSON too" $?

# So few rows are compared that a bucket's later ones are lost; frames are the most. Rows of
# 32 values have no codes, by which each finds itself.
run 0 "$hearken" build corpus -o lossy.hkn --build-invariance 0 --dsp-frame-dim 32 --index-family hyperplane \
    --index-tables 1 --index-planes 1 --index-probes 1 --index-max-candidates 30
is "a lossy build succeeds" $?
lost=$(sed -n 's/^  entries that do not find themselves: //p' out)
[ "${lost:-0}" -gt 20 ] && [ "$(grep -c '^    [a-z]* at [0-9.]* s of .*/corpus/.*\.wav$' out)" -ge 20 ]
is "and lists some of ${lost:-no} entries that do not find themselves" $?
for threads in 1 2 3; do
    run 0 "$hearken" check lossy.hkn -f json -j $threads
    is "check of it gives 0 with $threads threads" $?
    python3 - out "$lost" <<'END'
import json, os, sys
c = json.load(open(sys.argv[1]))
scales = c["scales"].values()
assert sum(s["lost"] for s in scales) == int(sys.argv[2]) and all(s["asked"] == s["entries"] for s in scales)
assert all(len(s["lost_entries"]) == min(20, s["lost"]) for s in scales)
assert all(e["path"].endswith(".wav") and e["start"] >= 0 for s in scales for e in s["lost_entries"])
assert c["bytes"] == os.stat("lossy.hkn").st_size and sum(s["bytes"] for s in c["sections"]) < c["bytes"]
END
    is "and counts the same" $?
done
run 0 "$hearken" check lossy.hkn -f json --check-self no && ! grep -q '"lost"' out && grep -q '"sections"' out
is "--check-self no asks nothing" $?

size=$(stat -c %s x.hkn)
for at in 30 100 $((size / 2)) $((size - 70)); do
    python3 - "$at" <<'END'
import sys
data = bytearray(open("x.hkn", "rb").read())
data[int(sys.argv[1])] ^= 16
open("bad.hkn", "wb").write(data)
END
    run 65 "$hearken" check bad.hkn && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^hearken: bad.hkn' err
    is "a bit wrong at byte $at gives 65 and one sentence" $?
done
run 66 "$hearken" check none.hkn
is "a missing index gives 66" $?
run 64 "$hearken" check && run 64 "$hearken" check x.hkn x.hkn
is "none or two indexes give 64" $?
run 74 sh -c '"$0" check x.hkn >/dev/full' "$hearken"
is "a full disk gives 74" $?
finish
