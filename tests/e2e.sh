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

finish() {
    echo "$0: $e2e_passed passed, $e2e_failed failed"
    [ "$e2e_failed" -eq 0 ] && [ "$e2e_passed" -gt 0 ]
    exit
}
