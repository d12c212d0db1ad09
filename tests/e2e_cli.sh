#!/bin/bash
# The command line: exit statuses, sentences on stderr, and what a build leaves behind.
# shellcheck disable=SC2016 # sh -c expands its own arguments
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox python3 timeout cmp
hearken=$(realpath "$bin/hearken")
here=$(realpath "$here")
cd "$dir" || exit 1

# ---- Commands and options ------------------------------------------------------------
"$hearken" >out 2>err
is "no arguments give 64" $(($? != 64))
grep -q '^usage: hearken COMMAND' err && [ ! -s out ]
is "and the usage on stderr" $?
"$hearken" nosuch >out 2>err
is "an unknown command gives 64" $(($? != 64))
grep -q '^hearken: there is no command nosuch$' err && grep -q '^usage: ' err && [ ! -s out ]
is "and is named before the usage" $?
for command in build listen query info; do
    gives "$command --help gives 0" 0 "" "$hearken" $command --help
    holds "and describes $command" "usage: hearken $command "
    gives "an unknown option of $command gives 64" 64 "there is no option --nosuch" \
        "$hearken" $command --nosuch x
    gives "$command without arguments gives 64" 64 "see hearken $command --help" "$hearken" $command
done
for word in --help -h help; do
    gives "$word gives 0 and the usage" 0 "" "$hearken" $word
    holds "and all commands" "listen INDEX"
done
gives "--version gives 0" 0 "" "$hearken" --version
grep -qx 'hearken [0-9.]*' out
is "and the version" $?
gives "man gives 0" 0 "" "$hearken" man
holds "and a page for man" ".TH HEARKEN 1"
for words in --help --version man "build --help"; do
    # shellcheck disable=SC2086 # two words are two arguments
    gives "$words to a full disk gives 74" 74 "stdout could not be written" \
        sh -c "\"\$0\" $words >/dev/full" "$hearken"
done
gives "a missing value gives 64" 64 "--build-output needs a value" "$hearken" build x --build-output
gives "a bad value gives 64" 64 "build.threads cannot be \"-1\"" "$hearken" build x -j -1
printf 'match.k = 3\n\nmatch.colour = red\n' >bad.conf
gives "an unknown key of a preset gives 78, file and line" 78 \
    'hearken: bad.conf:3: there is no setting "match.colour" here' \
    "$hearken" query x.hkn a.wav --preset bad.conf
gives "a missing preset gives 78" 78 "hearken: none.conf: No such file" \
    "$hearken" query x.hkn a.wav --preset none.conf

# ---- Build: what is refused ------------------------------------------------------------
make_corpus corpus 2>sox.log
gives "a missing folder gives 66" 66 "hearken: none: No such file or directory" \
    "$hearken" build none -o x.hkn
mkdir -p empty texts broken
echo "no sound" | tee texts/a.txt >texts/README
gives "a folder without files gives 66" 66 "no sound files in empty (0 other files)" \
    "$hearken" build empty -o x.hkn
gives "a folder without sounds gives 66" 66 "no sound files in texts (2 other files)" \
    "$hearken" build texts -o x.hkn
echo "no sound" >broken/text.wav
: >broken/empty.wav
sox -R -n -t raw -r 48000 -b 16 -e signed -c 1 broken/noise.flac synth 1500s noise
gives "a folder of nothing but broken files gives 65" 65 \
    "none of the 3 files could be used; nothing was written" "$hearken" build broken -o x.hkn
[ "$(grep -c "^hearken: skipped $dir/broken/" err)" -eq 3 ]
is "and names each of them" $?
[ ! -e x.hkn ]
is "and none of these leaves an index" $?

mkdir -p mixed/good mixed/bad
cp corpus/tones/5.wav mixed/good/
cp broken/* mixed/bad/
sox -R -n -r 48000 -c 1 mixed/bad/silent.wav trim 0 1
sox -R -n -r 48000 -c 1 mixed/bad/short.wav synth 0.005 sine 440 gain -3
sox -R -n -r 48000 -c 1 mixed/bad/nothing.wav trim 0 0
echo note >mixed/good/note.txt
gives "broken, silent and short files among good ones are passed over" 0 "skipped" \
    "$hearken" build mixed -o mixed.hkn
[ "$(grep -c "^hearken: skipped $dir/mixed/bad/" err)" -eq 6 ] && [ "$(wc -l <err)" -eq 6 ]
is "and named, one line each" $?
for words in "silent.wav: silent" "short.wav: too short" "nothing.wav: it holds no samples"; do
    grep -qF "/bad/$words" err
    is "and why: $words" $?
done
holds "and counted" "mixed.hkn: 1 sounds, 0.00 hours; 6 skipped, 1 other files"

mkfifo pipe.hkn
for place in texts/README/x.hkn none/x.hkn empty empty/ pipe.hkn; do
    gives "the output $place gives 74" 74 "hearken: $place: " "$hearken" build corpus -o $place
    one_line "in one sentence, before anything is analysed: $place"
done
[ -p pipe.hkn ] && [ -z "$(ls empty)" ]
is "and they are as they were" $?
gives "a full disk for the report gives 74" 74 "stdout could not be written" \
    sh -c '"$0" build corpus -o full.hkn >/dev/full' "$hearken"

# ---- Build: what is written ------------------------------------------------------------
for threads in 1 2 5 1; do
    gives "a build with $threads threads succeeds" 0 "" "$hearken" build corpus -j $threads -o t.hkn
    [ -e t0.hkn ] || cp t.hkn t0.hkn
    cmp t.hkn t0.hkn
    is "and gives the same bytes" $?
done
gives "another order of the same folders succeeds" 0 "" \
    "$hearken" build corpus/tones corpus corpus/noises/ -o t.hkn
cmp t.hkn t0.hkn
is "and gives the same bytes" $?
cp t0.hkn x.hkn
gives "a failed build succeeds in nothing" 65 "nothing was written" "$hearken" build broken -o x.hkn
cmp x.hkn t0.hkn
is "and leaves the older index as it was" $?

# A build that takes long: ten minutes of noise under many names.
mkdir -p long built
sox -R -n -r 48000 -c 1 -b 16 long/0.wav synth 600 noise gain -6
for ((i = 1; i < 400; i++)); do ln long/0.wav "long/$i.wav"; done
cp t0.hkn built/x.hkn
for signal in INT TERM; do
    "$hearken" build long -o built/x.hkn -j 2 >out 2>err &
    builder=$!
    for ((i = 0; i < 400; i++)); do # until one file has been heard
        sleep 0.05
        [ "$(stat -c %s built/x.hkn.parts 2>/dev/null || echo 0)" -gt 10000 ] && break
    done
    kill -0 $builder 2>/dev/null
    is "a long build is still running when SIG$signal comes" $?
    kill -$signal $builder
    for ((i = 0; i < 100; i++)); do kill -0 $builder 2>/dev/null || break; sleep 0.05; done
    [ $i -lt 100 ] || kill -KILL $builder
    wait $builder
    is "SIG$signal ends it at once with 130" $(($? != 130))
    grep -qx 'hearken: stopped; no index was written; built/x.hkn.parts is kept, .*' err &&
        [ "$(wc -l <err)" -eq 1 ]
    is "and one sentence" $?
    [ "$(ls -A built | tr '\n' ' ')" = "x.hkn x.hkn.parts " ] && cmp built/x.hkn t0.hkn
    is "the older index is intact, and only what was found out lies beside it" $?
done
rm -r long

# ---- Query and info --------------------------------------------------------------------
sound=corpus/noises/5.wav
gives "a missing index gives 66" 66 "none.hkn" "$hearken" query none.hkn $sound
one_line "in one sentence"
gives "a text file as the index gives 65" 65 "texts/README" "$hearken" query texts/README $sound
one_line "in one sentence"
for share in 0 1 63 64 500 5000 $(($(stat -c %s x.hkn) - 1)); do
    head -c "$share" x.hkn >cut.hkn
    gives "an index cut to $share bytes gives 65" 65 "cut.hkn" "$hearken" query cut.hkn $sound
    gives "to info as well" 65 "cut.hkn" "$hearken" info cut.hkn
done
gives "a folder as the index is refused" 66 "corpus" "$hearken" query corpus $sound
gives "a missing sound gives 66" 66 "hearken: none.wav: No such file or directory" \
    "$hearken" query x.hkn none.wav
one_line "in one sentence"
gives "a broken sound gives 65" 65 "hearken: broken/text.wav: " "$hearken" query x.hkn broken/text.wav
one_line "in one sentence"
gives "a folder as a sound gives 65" 65 "hearken: corpus: not a regular file" \
    "$hearken" query x.hkn corpus
mkfifo pipe.wav
gives "a pipe as a sound is not waited for" 65 "pipe.wav: not a regular file" \
    "$hearken" query x.hkn pipe.wav
gives "a missing sound among others gives 66" 66 "none.wav" "$hearken" query x.hkn none.wav $sound
holds "and the others are answered" "$sound"
gives "a file without samples is no error" 0 "" "$hearken" query x.hkn mixed/bad/nothing.wav

odd=$'odd "na\\me\xff\n\t\u266b.wav'
cp $sound "$odd"
gives "a query succeeds" 0 "" "$hearken" query x.hkn $sound "$odd" -k 5 --match-score 0 \
    --match-scales frame,event,scene
python3 - out $sound <<'END'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
kinds = [line["type"] for line in lines]
best = [m for m in lines if m["type"] == "match" and m["rank"] == 1 and m["time"] > 1]
right = [m for m in best if m["path"].endswith(sys.argv[2])]
assert kinds.count("onset") >= 2 and len(best) > 100, kinds
assert len({line["input"] for line in lines}) == 2
assert len(right) > 0.9 * len(best), (len(right), len(best))
assert all(0 <= m["score"] <= 1 and -1.001 <= m["cosine"] <= 1.001 for m in best)
END
is "each of its lines is JSON, and the best match is the sound itself" $?
gives "a query for a table succeeds" 0 "" "$hearken" query x.hkn $sound -f table
holds "and has a heading" "label / sound"
sed '1,/^most like .* at scale event:$/d' out | head -1 | grep -q "  event     1  .* / $(basename "$sound")\$"
is "and ends with a list that the sound itself leads" $?
gives "a query for nothing prints nothing" 0 "" "$hearken" query x.hkn $sound -f none
[ ! -s out ]
is "indeed" $?
gives "info gives JSON" 0 "" "$hearken" info x.hkn -f json
python3 -c 'import json, sys; assert json.load(sys.stdin)["sounds"] == 10' <out
is "of ten sounds" $?
gives "scale timbre is missing in an index without codes" 0 "has no timbre codes" \
    "$hearken" query x.hkn $sound --match-scales timbre -f json
one_line "in one sentence"
gives "a build with codes succeeds" 0 "" "$hearken" build corpus -o codes.hkn --build-timbre yes \
    --build-invariance 0
holds "and counts them" "timbre codes"
gives "info tells of them" 0 "" "$hearken" info codes.hkn -f table
holds "by name" "timbre "
holds "and by family" "codes"
gives "and in JSON" 0 "" "$hearken" info codes.hkn -f json
python3 -c 'import json, sys; assert json.load(sys.stdin)["scales"]["timbre"]["family"] == "codes"' <out
is "likewise" $?
for codes in jaccard hamming; do
    gives "a query by $codes succeeds" 0 "" "$hearken" query codes.hkn $sound -f json \
        --match-scales timbre --search-codes $codes --match-score 0
    holds "and answers at scale timbre" '"scale":"timbre"'
done
gives "a list of them ends the table" 0 "" "$hearken" query codes.hkn $sound -f table \
    --match-scales timbre
sed '1,/^most like .* at scale timbre:$/d' out | head -1 | grep -q " / $(basename "$sound")\$"
is "and the sound itself leads it" $?
gives "an unknown distance is refused" 64 "jaccard, hamming" "$hearken" query codes.hkn $sound \
    --search-codes cosine
gives "a query to a full disk gives 74" 74 "stdout could not be written: No space left" \
    sh -c '"$0" query x.hkn corpus/noises/*.wav --match-scales frame >/dev/full' "$hearken"
one_line "in one sentence"
gives "info to a full disk gives 74" 74 "stdout could not be written" \
    sh -c '"$0" info x.hkn >/dev/full' "$hearken"
gives "a closed pipe ends a query with 74, not with a signal" 74 "stdout could not be written" \
    bash -c 'set -o pipefail; "$0" query x.hkn corpus/*/*.wav --match-scales frame | :' "$hearken"

# ---- Spaces of labels, window lengths, front ends ------------------------------------
{
    echo file,label
    for f in corpus/tones/*.wav; do echo "$f,plucked"; done
    for i in 1 2 3; do echo "corpus/noises/$i.wav,slow"; done
    for i in 4 5; do echo "corpus/noises/$i.wav,fast"; done
} >labels.csv
gives "labels of a CSV make a space of labels" 0 "" \
    "$hearken" build corpus -o labels.hkn --build-labels labels.csv
holds "which the report names" "event  labels"
gives "a query in it gives 0" 0 "" "$hearken" query labels.hkn corpus/tones/4.wav -f json \
    --search-space labels
python3 - out <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
votes = [r for r in rows if r["type"] == "label"]
assert votes and votes[-1]["label"] == "plucked" and votes[-1]["voters"] >= 5, rows
assert all(0 < r["share"] <= 1 for r in votes)
PY
is "and votes for the right label" $?
gives "a space that is not there gives 78" 78 "build it with --build-labels" \
    "$hearken" query x.hkn corpus/tones/4.wav --search-space labels
gives "two labels are too few, and said so" 0 "2 labels are too few" \
    "$hearken" build corpus -o two.hkn --build-labels folders
gives "a CSV of labels that is not there gives 66" 66 "none.csv" \
    "$hearken" build corpus -o two.hkn --build-labels none.csv
printf 'file,label\nnowhere.wav,x\n' >nowhere.csv
gives "a CSV without any file that is there gives 65" 65 "nowhere.csv: none of its 1 files" \
    "$hearken" build corpus -o two.hkn --build-labels nowhere.csv
found() { # SENTENCE: of the last query, noises/4.wav is what is most like itself
    grep -A1 '^most like ' out | grep -q 'noises / 4.wav$'
    is "$1" $?
}
for ms in 250 2000; do
    gives "events of $ms ms can be built" 0 "" \
        "$hearken" build corpus -o ms.hkn --dsp-event-ms $ms --build-invariance 0
    gives "and asked" 0 "" "$hearken" query ms.hkn corpus/noises/4.wav -f table
    found "and find the sound"
done
for front in morlet morlet-zounds bark bark-zounds-2016 bark-zounds; do
    gives "the front end $front can be built" 0 "" \
        "$hearken" build corpus -o front.hkn --dsp-frontend $front --build-invariance 0
    # asked for noise, of which a coarse front end cannot tell this from any other
    gives "and asked" 0 "" "$hearken" query front.hkn corpus/noises/4.wav -f table \
        --match-false-alarms-per-hour 1000000
    found "and finds the sound"
done

# ---- Listen without a server -----------------------------------------------------------
export JACK_DEFAULT_SERVER=nosuch JACK_NO_START_SERVER=1
began=$SECONDS
# other tests may have the port for commands
gives "listen without a server gives 69" 69 "no JACK server is running" \
    timeout 5 "$hearken" listen x.hkn --jack-wait no --osc-listen none --osc-query none
one_line "in one sentence"
[ $((SECONDS - began)) -le 5 ]
is "within five seconds" $?
for to in nonsense host: "two words:9000" 127.0.0.1:70000; do
    gives "the receiver $to gives 78 before a server is asked" 78 "destination \"$to\"" \
        "$hearken" listen x.hkn --osc-to "$to"
    one_line "in one sentence"
done
# A name may be known later, so that a service tries this again; what is written wrong not.
gives "a receiver whose name is not known gives 68" 68 "its host is not known" \
    "$hearken" listen x.hkn --osc-to '[fe80::1%no-such-if]:9000'
one_line "in one sentence"
gives "listen with a missing index gives 66" 66 "none.hkn" "$hearken" listen none.hkn
gives "listen with a text as index gives 65" 65 "texts/README" "$hearken" listen texts/README
gives "two indexes are one too many" 64 "name one index" "$hearken" listen x.hkn x.hkn
finish
