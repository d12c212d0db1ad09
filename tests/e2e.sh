# shellcheck shell=bash
# What the end-to-end scripts share; they source it. Sets $dir, a folder of their own.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
if [ -z "${E2E_DIR:-}" ]; then
    dir=$(mktemp -d "${TMPDIR:-/tmp}/hearken-e2e-XXXXXX")
    export E2E_DIR=$dir
    trap 'rm -rf "$dir"' EXIT
else # called again by itself, beside a server
    dir=$E2E_DIR
fi
e2e_passed=0 e2e_failed=0

# Skips the whole script, aloud, where a program is missing.
need() {
    local p
    for p in "$@"; do
        command -v "$p" >/dev/null || { echo "skipped: $p is not installed"; exit 77; }
    done
}

# is SENTENCE STATUS: one case; 0 is right.
is() {
    if [ "$2" -eq 0 ]; then
        e2e_passed=$((e2e_passed + 1))
        echo "ok - $1"
    else
        e2e_failed=$((e2e_failed + 1))
        echo "not ok - $1"
    fi
}

# wait_for FILE TEXT [SECONDS]: until the file holds the text.
wait_for() {
    local i
    for ((i = 0; i < ${3:-10} * 20; i++)); do
        grep -qs "$2" "$1" && return 0
        sleep 0.05
    done
    echo "waited in vain for \"$2\" in $1:" >&2
    cat "$1" >&2
    return 1
}

# make_corpus FOLDER: ten sounds under two labels, the same at every run.
make_corpus() {
    mkdir -p "$1/tones" "$1/noises"
    local i
    for i in 1 2 3 4 5; do
        sox -R -n -r 48000 -b 16 -c 1 "$1/tones/$i.wav" synth 0.$((2 * i))3 pluck $((90 * i * i)) \
            synth 0.$((2 * i))3 sine mix $((400 * i)) fade 0.002 0 0.1
        sox -R -n -r 48000 -b 16 -c 1 "$1/noises/$i.wav" synth $((i)).5 noise band $((300 * i * i)) $((150 * i)) \
            tremolo $((3 * i)) 90 gain -n -3 fade 0.01 0 0.2
    done
}

# gives SENTENCE STATUS WORDS COMMAND...: the status; on stderr only lines that begin with
# "hearken: ", one of them with the words (none at all where there are no words).
gives() {
    local sentence=$1 status=$2 words=$3 rc
    shift 3
    timeout -k 5 60 "$@" >"$dir/out" 2>"$dir/err" </dev/null
    rc=$?
    sed -i '/^hearken: listening to the corpus: /d' "$dir/err" # progress, on slow machines
    if [ $rc -ne "$status" ]; then
        echo "status $rc, not $status: $(head -3 "$dir/err")" >&2
    elif grep -v '^hearken: ..*' "$dir/err" >&2; then
        echo "a line on stderr is no message of hearken's" >&2
    elif [ -z "$words" ] && [ -s "$dir/err" ]; then
        cat "$dir/err" >&2
    elif ! grep -qF -- "$words" "$dir/err" && [ -n "$words" ]; then
        echo "no \"$words\" in: $(cat "$dir/err")" >&2
    else
        is "$sentence" 0
        return
    fi
    is "$sentence" 1
}
one_line() { # SENTENCE: of the last command, stderr was one line
    [ "$(wc -l <"$dir/err")" -eq 1 ]
    is "$1" $?
}
holds() { # SENTENCE TEXT: of the last command, stdout holds the text
    grep -qF -- "$2" "$dir/out"
    is "$1" $?
}

same() { # SENTENCE FILE [AS]: the same bytes as AS, or whole.hkn
    cmp "$2" "${3:-whole.hkn}"
    is "$1" $?
}

# killed SIZE OPTION...: "$hearken" builds k.hkn of corpus until its parts file is larger than SIZE, then kills.
killed() {
    local size=$1 i builder
    shift
    "${hearken:?}" build corpus -o k.hkn "$@" >"$dir/out" 2>"$dir/err" &
    builder=$!
    for ((i = 0; i < 4000; i++)); do
        [ "$(stat -c %s k.hkn.parts* 2>/dev/null || echo 0)" -gt "$size" ] && break
        sleep 0.005
    done
    kill -KILL $builder
    wait $builder 2>/dev/null
    [ $? -eq 137 ] && [ ! -e k.hkn ] && [ "$(stat -c %s k.hkn.parts*)" -gt "$size" ]
    is "a build is killed when it has written $size bytes" $?
}

finish() {
    echo "$0: $e2e_passed passed, $e2e_failed failed"
    [ "$e2e_failed" -eq 0 ] && [ "$e2e_passed" -gt 0 ]
    exit
}
