#!/bin/bash
# Builds that are stopped and gone on with, and such as bring an index up to date. Each time
# the index must have the bytes of a build in one go.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox cmp timeout
hearken=$(realpath "$bin/hearken")
cd "$dir" || exit 1

make_corpus corpus 2>sox.log
sox -R -n -r 48000 -c 1 corpus/silent.wav trim 0 1
echo "no sound" >corpus/text.wav
fast=(--build-invariance 0)
gives "a build in one go succeeds" 0 "skipped" "$hearken" build corpus -o whole.hkn
[ "$(ls)" = "$(printf '%s\n' corpus err out sox.log whole.hkn)" ]
is "and leaves the index alone" $?

# ---- Killed, and gone on with ---------------------------------------------------------
for size in 1 30000 1000000 4000000; do killed $size -j 2; done
"$hearken" build corpus -o k.hkn >out 2>err
is "the next one succeeds" $?
grep -q '[1-9][0-9]* of 12 files were analysed by an earlier build' err
is "and says how many files it has from them" $?
same "and gives the same bytes" k.hkn
[ ! -e k.hkn.parts ]
is "and leaves nothing beside the index" $?
rm k.hkn

killed 30000
truncate -s -7 k.hkn.parts
"$hearken" build corpus -o k.hkn >out 2>err
grep -q 'bytes were not whole, and what they held is found out again' err
is "a torn end is told" $?
same "and costs nothing but time" k.hkn
rm k.hkn

killed 30000
gives "other settings begin anew" 0 "of another build than this one; begun anew" \
    "$hearken" build corpus -o k.hkn --dsp-event-ms 500 --build-invariance 0
gives "and give what they give" 0 "skipped" \
    "$hearken" build corpus -o other.hkn --dsp-event-ms 500 --build-invariance 0
same "the same bytes" k.hkn other.hkn
rm k.hkn
echo "what I wrote" >k.hkn.parts
gives "a file that is not hearken's is not overwritten" 65 "no parts file of hearken" \
    "$hearken" build corpus -o k.hkn
one_line "in one sentence"
[ "$(cat k.hkn.parts)" = "what I wrote" ] && [ ! -e k.hkn ]
is "indeed" $?
rm k.hkn.parts

sox -R -n -r 48000 -c 1 -b 16 long.wav synth 1200 noise gain -6
mkdir long
for i in 1 2 3 4; do ln long.wav long/$i.wav; done
"$hearken" build long -o l.hkn >out 2>err &
builder=$!
for ((i = 0; i < 1000; i++)); do [ -s l.hkn.parts ] && break; sleep 0.005; done
"$hearken" build long -o l.hkn >out2 2>err2
[ $? -eq 74 ] && grep -q 'l.hkn.parts: another hearken is working on it' err2
is "a second build of the same index is refused while the first one runs" $?
kill -KILL $builder
wait $builder 2>/dev/null
rm -rf long long.wav l.hkn*

# ---- Brought up to date ---------------------------------------------------------------
# updated SENTENCE COUNTS OPTION...: an update prints the counts; its index is that of a fresh build.
updated() {
    local sentence=$1 counts=$2
    shift 2
    "$hearken" build corpus -o u.hkn --build-update yes "$@" >out 2>err
    is "$sentence" $?
    holds "with $counts" "  $counts"
    "$hearken" build corpus -o fresh.hkn "$@" >out2 2>err
    same "and is as built afresh" u.hkn fresh.hkn
}
updated "an update of nothing succeeds" "kept 0, moved 0, new 12, changed 0, gone 0" "${fast[@]}"
updated "one without changes succeeds" "kept 12, moved 0, new 0, changed 0, gone 0" "${fast[@]}"
[ -s u.hkn.parts ] && grep -q 'listening 0.00 s' out
is "and listens to nothing" $?
mv corpus/tones/1.wav corpus/noises/moved.wav
rm corpus/tones/2.wav
sox -R corpus/tones/3.wav corpus/new.wav speed 1.3
sox -R corpus/tones/4.wav changed.wav reverse
mv changed.wav corpus/tones/4.wav
updated "one after changes of all kinds succeeds" "kept 9, moved 1, new 1, changed 1, gone 1" "${fast[@]}"
updated "degraded copies can be added" "kept 12, moved 0, new 0, changed 0, gone 0"
rm corpus/new.wav
updated "and follow the files" "kept 11, moved 0, new 0, changed 0, gone 1"
before=$(stat -c %s u.hkn.parts)
mkdir away
mv corpus/noises away/
updated "most files may go" "kept 5, moved 0, new 0, changed 0, gone 6" "${fast[@]}"
[ "$(stat -c %s u.hkn.parts)" -lt $((before / 2)) ]
is "and with them what was kept of them" $?
mv away/noises corpus/
updated "and come back" "kept 5, moved 0, new 6, changed 0, gone 0" "${fast[@]}"
gives "an update with other settings is refused" 78 '"dsp.event-ms = 1000"' \
    "$hearken" build corpus -o u.hkn --build-update yes --dsp-event-ms 500
one_line "in one sentence"
same "and nothing is touched" u.hkn fresh.hkn
gives "a build without update takes what is there" 0 "10 of 11 files were analysed by an earlier" \
    "$hearken" build corpus -o u.hkn "${fast[@]}"
[ ! -e u.hkn.parts ]
is "and ends the keeping" $?
finish
