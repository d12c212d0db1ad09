#!/bin/bash
# Builds that are shared out and merged, within a bound of memory and on a full disk. Each
# time the index must have the bytes of a build in one go.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need sox cmp timeout parallel
hearken=$(realpath "$bin/hearken")
cd "$dir" || exit 1

make_corpus corpus 2>sox.log
sox -R -n -r 48000 -c 1 corpus/silent.wav trim 0 1
echo "no sound" >corpus/text.wav
fast=(--build-invariance 0)
gives "a build in one go succeeds" 0 "skipped" "$hearken" build corpus -o whole.hkn

# ---- Shared out and merged ------------------------------------------------------------
parallel --will-cite -j 2 "$hearken" build corpus -o s.hkn --build-shard {}/3 -j 1 ::: 1 2 3 >out 2>err
is "three shards are built by GNU parallel" $?
sum=0
for n in $(sed -n 's/^s.hkn.parts.[123]-of-3: \([1-9]\) of 12 files.*/\1/p' out); do sum=$((sum + n)); done
[ $sum -eq 12 ] && [ ! -e s.hkn ]
is "each of some of the files" $?
gives "and merged" 0 "skipped" "$hearken" merge s.hkn.parts.* -o s.hkn
same "to the bytes of the whole" s.hkn
gives "in any order" 0 "skipped" "$hearken" merge s.hkn.parts.3-of-3 s.hkn.parts.1-of-3 \
    s.hkn.parts.2-of-3 -o s.hkn
same "to the same" s.hkn
gives "a shard that was built is not built again" 0 "files were analysed by an earlier" \
    "$hearken" build corpus -o s.hkn --build-shard 2/3
gives "and can be merged still" 0 "skipped" "$hearken" merge s.hkn.parts.* -o s.hkn
same "to the same, again" s.hkn
gives "more shards than files are built" 0 "" \
    parallel --will-cite "$hearken" build corpus/tones -o t.hkn --build-shard {}/5 "${fast[@]}" ::: 1 2 3 4 5
gives "and merged, with labels" 0 "" "$hearken" merge t.hkn.parts.* -o t.hkn "${fast[@]}" --build-labels none
gives "as the whole" 0 "" "$hearken" build corpus/tones -o tones.hkn "${fast[@]}"
same "has it" t.hkn tones.hkn

gives "without a shard nothing is merged" 65 "shard 2 of 3 is missing" \
    "$hearken" merge s.hkn.parts.1-of-3 s.hkn.parts.3-of-3 -o m.hkn
one_line "in one sentence"
gives "nor with one twice" 65 "are both shard 1 of 3" \
    "$hearken" merge s.hkn.parts.* s.hkn.parts.1-of-3 -o m.hkn
cp s.hkn.parts.2-of-3 cut
truncate -s -1 cut
gives "nor with a damaged one" 65 "cut: its end is damaged or cut off" \
    "$hearken" merge s.hkn.parts.1-of-3 cut s.hkn.parts.3-of-3 -o m.hkn
gives "nor with an index" 65 "no parts file of hearken" "$hearken" merge s.hkn -o m.hkn
gives "nor with none" 66 "none.parts: cannot be opened" "$hearken" merge none.parts -o m.hkn
gives "nor without any" 64 "merge what?" "$hearken" merge
killed 30000 --build-shard 2/3
gives "nor with one that was killed" 65 "k.hkn.parts.2-of-3: its build has not ended" \
    "$hearken" merge s.hkn.parts.1-of-3 k.hkn.parts.2-of-3 s.hkn.parts.3-of-3 -o m.hkn
"$hearken" build corpus -o k.hkn --build-shard 2/3 >out 2>err
gives "which goes on, and is then merged" 0 "skipped" \
    "$hearken" merge s.hkn.parts.1-of-3 k.hkn.parts.2-of-3 s.hkn.parts.3-of-3 -o m.hkn
same "to the same bytes" m.hkn
rm m.hkn
"$hearken" build corpus -o o.hkn --build-shard 2/3 --build-seed 2 >out 2>err
gives "nor with one of other settings" 78 '"build.seed = 1"' \
    "$hearken" merge s.hkn.parts.1-of-3 o.hkn.parts.2-of-3 s.hkn.parts.3-of-3 -o m.hkn
one_line "in one sentence"
"$hearken" build corpus/tones corpus/noises -o d.hkn --build-shard 2/3 >out 2>err
gives "nor with one of other files" 65 "are of different files" \
    "$hearken" merge s.hkn.parts.1-of-3 d.hkn.parts.2-of-3 s.hkn.parts.3-of-3 -o m.hkn
"$hearken" build corpus -o n.hkn --build-shard 1/1 "${fast[@]}" >out 2>err
gives "nor with degraded copies that are not there" 65 "no degraded copies" \
    "$hearken" merge n.hkn.parts.1-of-1 -o m.hkn
[ ! -e m.hkn ]
is "and none of these leaves an index" $?
for shard in 0/3 4/3 x 1/2000; do
    gives "a shard $shard is refused" 64 "build.shard cannot be \"$shard\"" \
        "$hearken" build corpus -o m.hkn --build-shard $shard
done

# ---- Little memory, no disk -----------------------------------------------------------
mkdir small
gives "a build in the least memory succeeds" 0 "skipped" \
    "$hearken" build corpus -o small/x.hkn --build-memory-mb 1
same "and gives the same bytes" small/x.hkn
gives "so does a merge" 0 "skipped" "$hearken" merge s.hkn.parts.* -o small/x.hkn --build-memory-mb 1
same "with the same bytes" small/x.hkn
[ "$(ls -A small)" = x.hkn ]
is "and nothing lies beside it" $?

# shellcheck disable=SC2016 # the inner shell expands these
limited=(bash -c 'trap "" XFSZ; ulimit -f 2000; exec "$@"' limited) # no file beyond 2 MB
gives "where what is found out finds no room, the build says so" 0 \
    "f.hkn.parts: cannot be written: File too large; this build goes on" \
    "${limited[@]}" "$hearken" build corpus -o f.hkn
[ "$(grep -c 'cannot be written' err)" -eq 1 ]
is "once" $?
same "goes on, and gives the same bytes" f.hkn
[ ! -e f.hkn.parts ]
is "and leaves nothing half-written" $?
gives "a shard then ends with a sentence" 74 "f.hkn.parts.1-of-1: cannot be written: File too large" \
    "${limited[@]}" "$hearken" build corpus -o f.hkn --build-shard 1/1
"$hearken" build corpus -o f.hkn --build-shard 1/1 >out 2>err
is "and goes on when there is room" $?
gives "to what can be merged" 0 "skipped" "$hearken" merge f.hkn.parts.1-of-1 -o f.hkn
same "to the same bytes, still" f.hkn

mkdir disk
if mount -t tmpfs -o size=3m tmpfs disk 2>/dev/null; then # where this is root
    gives "on a disk that has room for the index alone, the index gets it" 0 \
        "x.hkn.parts: cannot be written: No space left on device" "$hearken" build corpus -o disk/x.hkn
    same "and it has the same bytes" disk/x.hkn
    [ "$(ls -A disk)" = x.hkn ]
    is "and the disk to itself" $?
    rm disk/x.hkn
    head -c 2500000 /dev/zero >disk/full
    gives "on one that has room for neither, there is a sentence" 74 "cannot write disk/x.hkn" \
        "$hearken" build corpus -o disk/x.hkn
    [ "$(ls -A disk)" = full ]
    is "and nothing half-written" $?
    umount disk
fi
finish
