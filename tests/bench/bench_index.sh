#!/bin/bash
# bench_index.sh [FOLDER...]: how fast hearken's indexes answer, beside FAISS and hnswlib, on
# vectors of sound: sonic-pi-samples and the folders, with voices, synths and copies that
# sounds.py makes. Everything is kept in $B/bench-index, so that a run goes on where the last
# one ended; tables go to stdout as Markdown, figures to *.tsv there, pictures to docs/.
#
# In the environment, beside what bench_index reads:
#   N        vectors (1000000)
#   ENGINES  the peers (FAISS IVF-PQ, which ratios refer to, IVF flat, HNSW; hnswlib)
#   FAMILIES which of the indexes below (all)
#   PARTS    of what is done (vectors race curves scale)
#   SCALE    vectors of the part scale (20000000: 15 GB on disk, 17 in memory, half an hour)
set -eu
cd "$(dirname "$0")/../.."
export LC_ALL=C B=${B:-build} OMP_WAIT_POLICY=passive
work=$B/bench-index
n=${N:-1000000}
read -r -a peers <<<"${ENGINES:-faiss:IVF1024,PQ64x4fs,RFlat faiss:IVF1024,PQ64x4fsr,RFlat faiss:IVF1024,Flat faiss:HNSW32 hnswlib:M16}"
parts=${PARTS:-vectors race curves}

# An index of each line: its name, then how it is made.
indexes="cells-f32 --index-family cells
cells-f16 --index-family cells --index-rows f16
cells-i8 --index-family cells --index-rows i8
cells-99 --index-family cells --index-recall 0.99
hyperplane --index-family hyperplane
cross-polytope --index-family cross-polytope
p-stable --index-family p-stable
forest --index-family forest"
families=${FAMILIES:-$(cut -d ' ' -f 1 <<<"$indexes" | paste -sd ' ')}

has() {
    [[ " $1 " == *" $2 "* ]]
}
# import FOLDER NAME OPTION...: FOLDER/NAME.hkn of FOLDER/base.npy; how long it took, and how
# much memory.
import() {
    local folder=$1 to=$1/$2.hkn
    shift 2
    [ -f "$to" ] && return
    python3 -c 'import resource, subprocess, sys, time
began = time.time()
subprocess.check_call(sys.argv[2:])
took = time.time() - began
peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
open(sys.argv[1], "w").write("%.2f\n" % took)
print("    built in %.1f s, %.0f MB at the most" % (took, peak_mb))' "$to.seconds" \
        "$B/hearken" import "$folder/base.npy" --import-labels "$folder/base.csv" -o "$to" "$@"
}
# bench FOLDER NAME ENGINE...: a run on the vectors of a folder.
bench() {
    local folder=$1 name=$2
    shift 2
    "$B/tests/bench/bench_index" "$folder/base.npy" "$folder/queries.npy" "$folder/$name.tsv" "$@"
}
part() { # the first N rows of the real vectors, with all queries
    mkdir -p "$work/$1"
    [ -f "$work/$1/base.npy" ] && return
    ln -f "$work/real/queries.npy" "$work/$1/queries.npy"
    "$B/tests/bench/vectors" head "$work/real/base.npy" "$work/$1/base.npy" "$2"
}

make_vectors() {
    tests/bench/sounds.py "$work/corpus" "$@"
    [ -f "$work/all.hkn" ] || "$B/hearken" build "$work/corpus" -o "$work/all.hkn" \
        --index-family exact --dsp-frame-ms 10 --dsp-frame-dim 128
    [ -f "$work/all.npy" ] || "$B/hearken" export "$work/all.hkn" -o "$work/all" \
        --export-scale frame
    mkdir -p "$work/real" "$work/mixed"
    [ -f "$work/real/queries.npy" ] || "$B/tests/bench/vectors" split "$work/all" \
        "$work/real/base.npy" "$work/real/queries.npy" "$n"
    [ -f "$work/mixed/base.npy" ] || "$B/tests/bench/vectors" mix "$work/real/base.npy" \
        "$work/mixed/base.npy" "$n"
    [ -f "$work/mixed/queries.npy" ] || "$B/tests/bench/vectors" mix \
        "$work/real/queries.npy" "$work/mixed/queries.npy" 10000
    echo "Frames made of:"
    awk -F, 'NR > 1 { n = split($1, p, "/"); kind[p[n - 2] " " p[n - 1]]++ }
             END { for (k in kind) print "    " k ": " kind[k] }' "$work/all.csv" | sort
}

# All engines side by side on one set of vectors.
race() {
    local folder=$work/$1 name options=() ours=()
    while read -r name options; do
        has "$families" "$name" || continue
        # shellcheck disable=SC2086 # options are words
        import "$folder" "$name" $options
        ours+=("$name=$folder/$name.hkn")
    done <<<"$indexes"
    printf '\n## %s\n\n' "$2"
    bench "$folder" race "${peers[@]}" "${ours[@]}" loop:50
}

# Trees of a forest, and K against L of hyperplanes: 200,000 vectors each, only sweeps.
curves() {
    local trees=() k l
    part curves 200000
    export ROUNDS=0 SWEEP=500
    for l in 1 2 4 8 16 32 64; do
        import "$work/curves" "forest-$l" --index-family forest --index-tables "$l"
        trees+=("$l=$work/curves/forest-$l.hkn")
    done
    bench "$work/curves" forest "${trees[@]}"
    import "$work/curves" chosen --index-family hyperplane
    ENOUGH=0.955 bench "$work/curves" chosen "chosen=$work/curves/chosen.hkn"
    for k in 8 9 10 11 12 13 14; do
        for l in 1 2 3 4 6 8; do
            [ -s "$work/curves/grid-$k-$l.tsv" ] && continue
            import "$work/curves" grid --index-family hyperplane --index-planes "$k" \
                --index-tables "$l"
            ENOUGH=0.955 bench "$work/curves" "grid-$k-$l" "$k-$l=$work/curves/grid.hkn"
            rm "$work/curves/grid.hkn"
        done
    done
    tests/bench/curves.py "$work" docs
}

# Many vectors from few. Only our own: a peer would need the memory a second time.
scale() {
    mkdir -p "$work/scale"
    # The exact neighbours of each query take seconds here.
    [ -f "$work/scale/queries.npy" ] || "$B/tests/bench/vectors" head "$work/real/queries.npy" \
        "$work/scale/queries.npy" 500
    [ -f "$work/scale/base.npy" ] || "$B/tests/bench/vectors" grow "$work/real/base.npy" \
        "$work/scale/base.npy" "${SCALE:-20000000}"
    import "$work/scale" cells-i8 --index-family cells --index-rows i8
    printf '\n## %s vectors\n\n' "${SCALE:-20000000}"
    bench "$work/scale" race "cells-i8=$work/scale/cells-i8.hkn"
}

mkdir -p "$work"
echo "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $(nproc) cores, load $(cut -d ' ' -f 1 /proc/loadavg), $(date +%F)"
if has "$parts" vectors; then make_vectors "$@"; fi
if has "$parts" race; then
    race real "Frames"
    race mixed "Mixed: nothing clustered"
fi
if has "$parts" curves; then curves; fi
if has "$parts" scale; then scale; fi
