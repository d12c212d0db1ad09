#!/bin/bash
# hearken listen as a client of a session manager, beside a real jackd.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd python3 sox jack_lsp
fake=$here/tools/nsm-fake.py
hearken=$(realpath "$bin")/hearken

beside_jack() {
    mkdir "$dir/session"
    # As a manager starts it: without any argument. Its first session has no index, until
    # the user gives it one.
    "$fake" -d "$dir/session" -b "jack_lsp | grep -v ^system: ; ls '$dir/session'" -r "jack_lsp | grep -v ^system:" -s 20 \
        -- "$hearken" >"$dir/first.json" 2>"$dir/first.log" & local first=$!
    wait_for "$dir/first.log" 'no index yet: put one, or a link to one, at .*client.nABC/corpus.hkn' || exit 1
    ln -s "$dir/x.hkn" "$dir/session/client.nABC/corpus.hkn"
    wait $first
    echo $? >"$dir/first.rc"
    cp -r "$dir/session" "$dir/kept"
    # In a second one it is told by what was saved.
    sed -i 's/^match.score = .*/match.score = 0.125/' "$dir/session/client.nABC/hearken.conf"
    "$fake" -d "$dir/session" -r "jack_lsp | grep -v ^system:" -- "$hearken" >"$dir/second.json" 2>"$dir/second.log"
    echo $? >"$dir/second.rc"
    # Options of a command line win, and are saved.
    rm "$dir/session/client.nABC/corpus.hkn"
    "$fake" -d "$dir/session" -- "$hearken" listen "$dir/x.hkn" --match-k 7 --osc-to none \
        >"$dir/third.json" 2>"$dir/third.log"
    echo $? >"$dir/third.rc"
    cp "$dir/session/client.nABC/hearken.conf" "$dir/third.conf"
    # What it cannot read ends it, and is told.
    echo "match.score = much" >"$dir/session/client.nABC/hearken.conf"
    "$fake" -d "$dir/session" -- "$hearken" >"$dir/bad.json" 2>"$dir/bad.log"
    "$fake" -x -s 2 -- "$hearken" listen "$dir/x.hkn" -n alone >"$dir/refused.json" 2>"$dir/refused.log"
    echo $? >"$dir/refused.rc"
}
if [ "${1:-}" ]; then
    "beside_$1"
    exit
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" --build-invariance 0 >/dev/null || exit 1
NSM_URL=osc.udp://127.0.0.1:9/ timeout 30 "$hearken" >"$dir/nobody.out" 2>"$dir/nobody.log" & nobody=$!
NSM_URL=osc.udp://127.0.0.1:9/ "$hearken" listen --nonsense 2>"$dir/usage.log"
[ $? = 64 ] && ! grep -q NSM_URL "$dir/usage.log"
is "a wrong command line is refused before anyone is asked" $?
"$here/tools/with-jack.sh" -n "nsm$$" -t 100 -p 1024 -- "$0" jack
wait $nobody
[ $? = 64 ] && grep -q 'does not answer; going on alone' "$dir/nobody.log" && grep -q 'name one index' "$dir/nobody.log"
is "a manager that does not answer is waited for, named and done without" $?

said() { grep -q "$@"; }
[ "$(cat "$dir/first.rc")" = 0 ] && said '"saved": true, "ended": true, "exit": 0' "$dir/first.json"
is "a session is announced to, opened, saved and ended with status 0" $?
said '"before": ""' "$dir/first.json"
is "before it is opened, JACK has no client and the folder no file" $?
! said '"same_socket": false' "$dir/first.json"
is "all comes from the socket that announced" $?
said '"/nsm/client/message".*no index yet' "$dir/first.json" && said '"running": "client.nABC:in' "$dir/first.json"
is "without an index it asks for one, and goes on under the given name when it is there" $?
folder=$dir/kept/client.nABC
[ "$(readlink "$folder/corpus.hkn")" = "$dir/x.hkn" ] && said '^match.score = 0.5$' "$folder/hearken.conf" && [ "$(ls -A "$folder" | wc -l)" = 2 ]
is "saved are a preset and a link to the index" $?
said '^jack.connect = in=system:capture_1$' "$folder/hearken.conf"
is "and what it was connected to" $?
said '^learn.file = none$' "$folder/hearken.conf"
is "but not where the session keeps what it learns, which may be copied" $?
[ "$(cat "$dir/second.rc")" = 0 ] && said '"running": "client.nABC:in' "$dir/second.json"
is "it comes back by what was saved" $?
[ "$(cat "$dir/third.rc")" = 0 ] && said '^match.score = 0.125$' "$dir/third.conf" && said '^match.k = 7$' "$dir/third.conf" && said 'answers to none' "$dir/third.log"
is "options win over what was saved, and are saved with the rest" $?
said '"/error".*"/nsm/client/open", -9' "$dir/bad.json" && said 'hearken.conf:1: match.score cannot be "much"' "$dir/bad.log"
is "a preset that is none is refused in the session and on stderr" $?
[ "$(cat "$dir/refused.rc")" = 0 ] && said 'no session is open here; going on alone' "$dir/refused.log" && said 'alone:in at 48000 Hz' "$dir/refused.log"
is "where the manager refuses it goes on alone, under its own name" $?
finish
