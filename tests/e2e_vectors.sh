#!/bin/bash
# Vectors in and out: import, export, query; refusals in one sentence; the same bytes.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox python3 timeout cmp gzip
hearken=$(realpath "$bin/hearken")
cd "$dir" || exit 1

# gives SENTENCE STATUS WORDS COMMAND...: the status, and one line on stderr with the
# words; nothing there where there are no words.
gives() {
    local sentence=$1 status=$2 words=$3 rc
    shift 3
    timeout -k 5 60 "$@" >out 2>err </dev/null
    rc=$?
    if [ $rc -ne "$status" ]; then
        echo "status $rc, not $status: $(head -3 err)" >&2
    elif [ -z "$words" ] && [ -s err ]; then
        cat err >&2
    elif [ -n "$words" ] && ! { grep -qF -- "$words" err && [ "$(wc -l <err)" -eq 1 ]; }; then
        echo "no single line with \"$words\": $(cat err)" >&2
    else
        is "$sentence" 0
        return
    fi
    is "$sentence" 1
}
holds() { # SENTENCE TEXT: of the last command, stdout holds the text
    grep -qF -- "$2" out
    is "$1" $?
}

# ---- Files ------------------------------------------------------------------------------
cat >make.py <<'END'
import random, struct
random.seed(5)
def npy(name, rows, descr="<f4", shape=None):
    kind = {"f4": "f", "f8": "d", "i4": "i", "u1": "B"}[descr[1:]]
    order = ">" if descr[0] == ">" else "<"
    shape = shape or (len(rows), len(rows[0]))
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(name, "wb") as f:
        f.write(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode())
        for r in rows:
            f.write(struct.pack(order + str(len(r)) + kind, *r))
rows = [[random.gauss(0, 1) for _ in range(24)] for _ in range(400)]
single = [struct.unpack("24f", struct.pack("24f", *r)) for r in rows]
npy("a.npy", rows)
npy("a8.npy", single, ">f8")
npy("q.npy", [rows[7], [0] * 24, [-x for x in rows[9]]])
npy("many.npy", [[random.gauss(0, 1) for _ in range(24)] for _ in range(20000)])
npy("narrow.npy", [r[:23] for r in rows])
npy("nan.npy", [rows[0], [float("nan")] * 24])
npy("zeros.npy", [[0] * 24] * 3)
npy("some-zeros.npy", [rows[0], [0] * 24, rows[1]])
with open("a.fvecs", "wb") as f:
    for r in rows:
        f.write(struct.pack("<i24f", 24, *r))
with open("a.raw", "wb") as f:
    for r in rows + [[0] * 24] * 5:
        f.write(struct.pack("<24f", *r))
with open("names.csv", "w", newline="") as f:
    f.write("sound,start,length,label\r\n")
    for i in range(400):
        f.write('"sound, no. %d",%g,0.5,"the ""%d"""\r\n' % (i // 4, i % 4 * 0.3, i // 100))
# AudioSet: CRC-32C, protocol buffers, TFRecord
table = []
for i in range(256):
    c = i
    for _ in range(8):
        c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
    table.append(c)
def crc(data):
    c = 0xffffffff
    for b in data:
        c = table[(c ^ b) & 255] ^ c >> 8
    c ^= 0xffffffff
    return struct.pack("<I", ((c >> 15 | c << 17) + 0xa282ead8) & 0xffffffff)
def frame(data):
    n = struct.pack("<Q", len(data))
    return n + crc(n) + data + crc(data)
def varint(x):
    out = b""
    while x > 127:
        out += bytes([x & 127 | 128])
        x >>= 7
    return out + bytes([x])
def field(n, data):
    return varint(n << 3 | 2) + varint(len(data)) + data
def entry(key, value):
    return field(1, field(1, key) + field(2, value))
def segment(video, start, end, labels, seconds):
    context = entry(b"video_id", field(1, field(1, video.encode())))
    for key, t in (b"start_time_seconds", start), (b"end_time_seconds", end):
        context += entry(key, field(2, field(1, struct.pack("<f", t))))
    context += entry(b"labels", field(3, field(1, b"".join(varint(x) for x in labels))))
    lists = b"".join(field(1, field(1, field(1, bytes(s)))) for s in seconds)
    return frame(field(1, context) + field(2, entry(b"audio_embedding", lists)))
data = b"".join(segment("video%02d" % (i // 2), 30 + i % 2 * 10, 40 + i % 2 * 10, [i % 5, 400],
        [[random.randrange(256) for _ in range(128)] for _ in range(10 - i % 2)]) for i in range(40))
open("bal.tfrecord", "wb").write(data)
open("cut.tfrecord", "wb").write(data[:-100])
bad = bytearray(data)
bad[30] ^= 1
open("bad.tfrecord", "wb").write(bad)
open("wrong.tfrecord", "wb").write(frame(b"no message") + data)
END
python3 make.py || exit 1
printf 'index,mid,display_name\n0,/m/09x0r,"Speech"\n1,/m/05zppz,"Male speech, man speaking"\n' >classes.csv
gzip -k bal.tfrecord

# ---- Import -----------------------------------------------------------------------------
gives "vectors of .npy are imported" 0 "" "$hearken" import a.npy -o a.hkn
holds "and counted" "a.hkn: 400 vectors of 24 values, 400 sounds"
cp a.hkn before.hkn
gives "import again" 0 "" "$hearken" import a.npy -o a.hkn
cmp a.hkn before.hkn
is "gives the same bytes" $?
mkdir small
for mb in 0 1; do
    gives "many are imported with a bound of $mb MB" 0 "" "$hearken" import many.npy \
        -o small/$mb.hkn --index-family cells --build-memory-mb $mb
done
cmp small/0.hkn small/1.hkn
is "with the same bytes" $?
[ "$(ls -A small | tr '\n' ' ')" = "0.hkn 1.hkn " ]
is "and nothing lies beside them" $?
# shellcheck disable=SC2016 # the inner shell expands these
gives "where neither memory nor disk has room, one sentence says so" 65 \
    "no room for all embeddings in memory or, with --build-memory-mb, on the disk" \
    bash -c 'ulimit -f 1000; trap "" XFSZ; exec "$@"' limited \
    "$hearken" import many.npy -o small/2.hkn --build-memory-mb 1
[ "$(ls -A small | wc -l)" = 2 ]
is "and nothing is left of it" $?
gives "vectors of .fvecs are imported" 0 "" "$hearken" import a.fvecs -o f.hkn
gives "raw rows are imported when asked for" 0 "" "$hearken" import a.raw --import-raw 24 -o r.hkn
holds "and the rows that nobody wrote are dropped and counted" "5 rows of zeros at the end"
gives "big-endian doubles are imported" 0 "" "$hearken" import a8.npy -o d.hkn
for x in a f r d; do
    gives "$x.hkn is exported" 0 "" "$hearken" export $x.hkn -o e-$x
    cmp e-a.npy e-$x.npy
    is "with the same vectors" $?
done
gives "rows without direction are left out" 0 "" "$hearken" import some-zeros.npy -o z.hkn
holds "and counted" "2 vectors of 24 values, 2 sounds; left out: 1 rows without direction"
gives "names come from a CSV" 0 "" "$hearken" import a.npy --import-labels names.csv \
    --import-scale event -o n.hkn
holds "four rows to a sound" "400 vectors of 24 values, 100 sounds"
gives "info tells of it" 0 "" "$hearken" info n.hkn -f json
python3 -c 'import json, sys; i = json.load(sys.stdin); assert i["sounds"] == 100 and i["labels"] == 4
assert i["scales"]["event"]["entries"] == 400 and i["settings"] == "features = vectors\n"' <out
is "as JSON" $?

gives "no file gives 64" 64 "import what?" "$hearken" import
gives "a missing file gives 66" 66 "none.npy: No such file or directory" "$hearken" import none.npy
gives "a missing table gives 66" 66 "none.csv: No such file" "$hearken" import a.npy --import-labels none.csv
gives "a NaN gives 65 and is named" 65 "nan.npy: value 0 of row 1 is no finite 32-bit float" \
    "$hearken" import nan.npy -o bad.hkn
gives "vectors of another width give 65" 65 "narrow.npy: its vectors have 23 values, and those before 24" \
    "$hearken" import a.npy narrow.npy -o bad.hkn
gives "nothing but zeros gives 65" 65 "no vectors that have a direction" "$hearken" import zeros.npy -o bad.hkn
gives "a table of other length gives 65" 65 "names.csv: it has 400 lines, but there are 3 rows" \
    "$hearken" import some-zeros.npy --import-labels names.csv -o bad.hkn
gives "raw rows are not guessed" 65 "a.raw: neither .npy" "$hearken" import a.raw -o bad.hkn
gives "a compressed file gives 65" 65 "bal.tfrecord.gz: it is compressed; unpack it with gunzip first" \
    "$hearken" import bal.tfrecord.gz -o bad.hkn
gives "a text gives 65" 65 "make.py: neither .npy" "$hearken" import make.py -o bad.hkn
gives "a place that is not there gives 74" 74 "none/x.hkn: cannot be written" "$hearken" import a.npy -o none/x.hkn
gives "a full disk for the report gives 74" 74 "stdout could not be written" \
    sh -c "\"\$0\" import a.npy -o full.hkn >/dev/full" "$hearken"
[ ! -e bad.hkn ] && ! ls ./*.tmp-* 2>/dev/null
is "and none of these leaves a file" $?

# ---- Export -----------------------------------------------------------------------------
gives "an index with names is exported" 0 "" "$hearken" export n.hkn -o n1
holds "and what was written is said" "n1.npy: 400 vectors of 24 values, scale event; n1.csv says what they are"
head -2 n1.csv | tail -1 | grep -qx '"sound, no. 0",0,0.5,"the ""0"""'
is "the table has names in quotes" $?
gives "imported again" 0 "" "$hearken" import n1.npy --import-labels n1.csv --import-scale event -o n2.hkn
gives "and exported again" 0 "" "$hearken" export n2.hkn -o n2
cmp n1.npy n2.npy && cmp n1.csv n2.csv
is "it is the same, byte for byte" $?
gives "a scale that is not there gives 78" 78 "n.hkn has no vectors at that scale" \
    "$hearken" export n.hkn -o x --export-scale scene
gives "a place that is not there gives 74" 74 "none/x.npy: cannot be written" "$hearken" export n.hkn -o none/x
mkdir x.csv
gives "a folder in the way gives 74" 74 "x.csv: is no regular file" "$hearken" export n.hkn -o x
[ ! -e x.npy ]
is "and nothing is written" $?
gives "no index gives 64" 64 "name one index" "$hearken" export
gives "a missing index gives 66" 66 "none.hkn" "$hearken" export none.hkn

make_corpus corpus 2>sox.log
"$hearken" build corpus -o sounds.hkn --build-timbre yes >/dev/null 2>&1 || exit 1
for scale in frame event scene; do
    gives "an index of sounds is exported at scale $scale" 0 "" "$hearken" export sounds.hkn -o s-$scale \
        --export-scale $scale
    gives "its vectors are imported" 0 "" "$hearken" import s-$scale.npy --import-labels s-$scale.csv \
        --import-scale $scale -o s.hkn
    gives "and exported" 0 "" "$hearken" export s.hkn -o t-$scale
    cmp s-$scale.npy t-$scale.npy && cmp s-$scale.csv t-$scale.csv
    is "the same, byte for byte" $?
    python3 - "$hearken" s-$scale <<'END'
import csv, json, struct, subprocess, sys
hearken, name = sys.argv[1:]
data = open(name + ".npy", "rb").read()
names = list(csv.DictReader(open(name + ".csv", newline="")))
shape = eval(data[10:128])["shape"]
assert len(data) == 128 + 4 * shape[0] * shape[1] and shape[0] == len(names)
assert any(n["sound"].endswith("tones/4.wav") and n["label"] == "tones" for n in names)
i = json.loads(subprocess.check_output([hearken, "info", "s.hkn", "-f", "json"]))
assert i["sounds"] == len({n["sound"] for n in names})
END
    is "and its table says what they are" $?
done

# ---- Query ------------------------------------------------------------------------------
gives "vectors are asked with vectors" 0 "" "$hearken" query n.hkn q.npy -k 3 -f json
python3 - <<'END'
import json
lines = [json.loads(line) for line in open("out")]
assert [l["row"] for l in lines] == [0] * 3 + [1] + [2] * 3, lines
assert lines[3] == {"type": "silent", "input": "q.npy", "row": 1}, lines[3]
first = lines[0]
assert first["rank"] == 1 and first["cosine"] > 0.999999 and first["entry"] == 7
assert first["path"] == "sound, no. 1" and first["label"] == 'the "0"'
assert abs(first["start"] - 0.9) < 1e-3 and first["length"] == 0.5
assert all(a["cosine"] >= b["cosine"] for a, b in zip(lines[4:], lines[5:]))
assert all(l["entry"] != 9 for l in lines[4:])
END
is "each row finds its k nearest, and a row of zeros none" $?
gives "all rows of the index" 0 "" "$hearken" query a.hkn a.fvecs -f json
python3 -c 'import json
assert [json.loads(l)["entry"] for l in open("out")] == list(range(400))'
is "find themselves" $?
gives "raw rows can ask" 0 "" "$hearken" query a.hkn a.raw --import-raw 24 -f json
[ "$(wc -l <out)" -eq 400 ]
is "likewise" $?
gives "a table for people" 0 "" "$hearken" query n.hkn q.npy -k 2 -f table
holds "has a heading" "label / sound"
holds "and names" 'the "0" / sound, no. 1'
gives "vectors of another width give 65" 65 "narrow.npy: its vectors have 23 values, and those of a.hkn 24" \
    "$hearken" query a.hkn narrow.npy
gives "a missing file gives 66" 66 "none.npy" "$hearken" query a.hkn none.npy
gives "a sound gives 65" 65 "neither .npy" "$hearken" query a.hkn corpus/tones/4.wav
gives "an index of sounds refuses vectors" 65 "q.npy: these are vectors, and the index holds sounds" \
    "$hearken" query sounds.hkn q.npy
gives "listen refuses an index of vectors" 78 "a.hkn: it holds imported vectors" "$hearken" listen a.hkn
gives "a full disk gives 74" 74 "stdout could not be written" \
    sh -c "\"\$0\" query a.hkn a.npy -k 100 >/dev/full" "$hearken"

# ---- AudioSet ---------------------------------------------------------------------------
gives "a TFRecord of AudioSet is imported" 0 "" "$hearken" import bal.tfrecord --import-labels classes.csv -o v.hkn
holds "segments as scenes, videos as sounds" "40 vectors of 128 values, 20 sounds"
gives "and exported" 0 "" "$hearken" export v.hkn -o v
grep -qx 'video00,30,10,Speech' v.csv && grep -qx 'video00,40,10,Speech' v.csv && grep -qx 'video01,30,10,2' v.csv
is "with their times, and names of classes where the table has them" $?
gives "and finds itself" 0 "" "$hearken" query v.hkn bal.tfrecord -f json
python3 -c 'import json
assert [json.loads(l)["entry"] for l in open("out")] == list(range(40))'
is "segment by segment" $?
gives "its seconds are imported as events" 0 "" "$hearken" import bal.tfrecord --import-scale event -o w.hkn
holds "one by one" "380 vectors of 128 values, 20 sounds"
gives "and find themselves" 0 "" "$hearken" query w.hkn bal.tfrecord -f json
python3 -c 'import json
assert [json.loads(l)["entry"] for l in open("out")] == list(range(380))'
is "second by second" $?
gives "a file cut short keeps what came before" 0 "cut.tfrecord: the record at byte" \
    "$hearken" import cut.tfrecord -o c.hkn
holds "and counts it" "39 vectors of 128 values, 20 sounds; left out: 1 damaged records"
gives "a record of something else is left out" 0 "wrong.tfrecord: record 0 at byte 0 is left out" \
    "$hearken" import wrong.tfrecord -o c.hkn
holds "alone" "40 vectors of 128 values"
timeout 20 "$hearken" import bad.tfrecord -o c2.hkn >out 2>err
[ $? -eq 65 ] && grep -q 'byte 0 is damaged (its checksum differs)' err && [ ! -e c2.hkn ]
is "a file that breaks at once gives 65" $?
gives "frames of AudioSet are refused" 65 "AudioSet's vectors are no frames" \
    "$hearken" import bal.tfrecord --import-scale frame -o c.hkn
finish
