#!/bin/bash
# hearken eval on a small labelled corpus: figures, JSON, picture, and what it refuses.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox python3

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
{
    echo file,label,group,split
    for f in "$dir"/corpus/*/*.wav; do
        label=$(basename "$(dirname "$f")") n=$(basename "$f" .wav)
        echo "corpus/$label/$n.wav,$label,$label$n,$([ "$n" -le 2 ] && echo query || echo database)"
    done
    echo "elsewhere/x.wav,tones,x,query"
} >"$dir/split.csv"
eval=("$bin/hearken" eval "$dir/corpus")

"${eval[@]}" "$dir/split.csv" -f json --eval-plot "$dir/plot.svg" >"$dir/a.json" 2>"$dir/err"
is "an evaluation succeeds" $?
! grep -Ev ': listening to |2 labels are too few' "$dir/err" | grep -v '1 of its 11 files are not there (the first: elsewhere/x.wav)'
is "and says nothing on stderr but how far it is" $?
grep -q 'not there (the first: elsewhere/x.wav)' "$dir/err"
is "and which file is missing" $?
python3 - "$dir/a.json" <<'PY'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
ranks = [r for r in rows if "level" in r]
assert len(ranks) == 10 and all(r["queries"] == 4 and r["stored"] == 6 for r in ranks), ranks
assert all(0 <= r["map_10"] <= 1 for r in ranks)
# chance finds a tone for a tone in half of all cases
assert sum(r["p_1"] for r in ranks) / 10 > 0.7, ranks
copies = [r for r in rows if "degradation" in r]
assert len(copies) == 44 and all(0 <= r["recall_1"] <= r["recall_10"] <= 1 for r in copies)
quieter = [r for r in copies if r["degradation"] == "quieter" and r["series"] == "hearken"]
assert quieter[0]["recall_1"] == 1, quieter
early = [r["since_onset"] for r in rows if "since_onset" in r]
assert early == [0.05, 0.1, 0.2, 0.4], early
PY
is "its JSON has ten rankings and 44 recalls, and tones are rarely noises" $?
python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$dir/plot.svg"
is "its picture is well-formed" $?
"$bin/hearken" build "$dir"/corpus/*/[!12].wav -o "$dir/x.hkn" >/dev/null
"$bin/hearken" eval "$dir/x.hkn" "$dir/split.csv" -f json >"$dir/x.json"
cmp "$dir/a.json" "$dir/x.json"
is "an index of the stored sounds gives the same" $?
"${eval[@]}" "$dir/split.csv" -f json -j 1 >"$dir/b.json"
cmp "$dir/a.json" "$dir/b.json"
is "one thread gives the same bytes" $?
"${eval[@]}" "$dir/split.csv" -f table --eval-degrade no | grep -q '^clip *hearken *[0-9.]* '
is "there is a table" $?

refused() { # SENTENCE STATUS WORDS COMMAND...
    local sentence=$1 status=$2 words=$3 rc
    shift 3
    "$@" >/dev/null 2>"$dir/err"
    rc=$?
    [ $rc -eq "$status" ] && grep -q "^hearken: .*$words" "$dir/err"
    is "$sentence gives $status" $?
}
refused "a missing table" 66 'none.csv' "${eval[@]}" "$dir/none.csv"
echo 'file,label' >"$dir/bad.csv"
refused "a table without split" 65 'bad.csv:1: ' "${eval[@]}" "$dir/bad.csv"
mkdir "$dir/empty"
refused "a folder with none of its files" 66 'lies in' "$bin/hearken" eval "$dir/empty" "$dir/split.csv"
refused "a picture in no folder" 74 'plot.svg' "${eval[@]}" "$dir/split.csv" --eval-degrade no --eval-plot "$dir/no/plot.svg"
refused "one argument" 64 'CSV' "${eval[@]}"
finish
