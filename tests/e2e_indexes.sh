#!/bin/bash
# Three indexes at once in one hearken listen beside a real jackd: each with a name, settings
# and destinations of its own, changed and read anew while it runs.
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscsend oscdump python3
export E2E_PORT=${E2E_PORT:-$((20000 + RANDOM % 20000))}
port() { echo $((E2E_PORT + $1)); }
tell() { oscsend 127.0.0.1 "$(port 8)" "$@"; }
play() { timeout 60 "$bin/tests/tools/jackfeed" -w 5 -c hearken:in "$dir/in.wav" >>"$dir/feed.json"; }

if [ "${1:-}" = beside-jack ]; then
    dumps=()
    for i in 0 1 2 9; do
        oscdump -L "$(port $i)" >"$dir/$i.osc" & dumps+=($!)
    done
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales event --match-score 0 --osc-nomatch yes \
        --listen-index "tones=$dir/tones.hkn,scales=frame+event,k=2" --listen-index "noises=$dir/noises.hkn,score=1,release=0" \
        --osc-to "127.0.0.1:$(port 0)" --osc-to "127.0.0.1:$(port 1),indexes=tones,messages=match" \
        --osc-to "127.0.0.1:$(port 2),indexes=main+noises,match=/of/{index} {label}" \
        --osc-listen "127.0.0.1:$(port 8)" --osc-reply-port "$(port 9)" --osc-query none >"$dir/live.json" 2>"$dir/live.log" & listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    play
    sleep 0.3
    cp "$dir/live.json" "$dir/first.json"
    for i in 0 1 2; do cp "$dir/$i.osc" "$dir/first.$i"; done
    tell /hearken/index/list
    tell /hearken/index/set ssi noises score 0
    tell /hearken/index/set ssi tones k 1
    tell /hearken/index/set ssf tones release 2
    tell /hearken/index/set ssf main score 0.5
    tell /hearken/index/set ssf tunes score 0.5
    tell /hearken/index/set sss tones at onsets
    tell /hearken/index/load ss "$dir/y.hkn" noises
    wait_for "$dir/9.osc" 'y.hkn" [0-9]* "noises"'
    tell /hearken/query/file sis "$dir/corpus/tones/3.wav" 1 tones
    wait_for "$dir/9.osc" 'query/done'
    play
    sleep 0.3
    kill -HUP $listener
    wait_for "$dir/live.log" ' tones: listens with'
    sleep 0.3
    kill -INT $listener
    wait $listener
    echo $? >"$dir/live.rc"
    kill "${dumps[@]}"
    wait "${dumps[@]}" 2>/dev/null
    exit 0
fi

make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
for i in x: tones:tones noises:noises; do
    "$bin/hearken" build "$dir/corpus/${i#*:}" -o "$dir/${i%:*}.hkn" --build-invariance 0 >/dev/null || exit 1
done
cp "$dir/x.hkn" "$dir/y.hkn"
sox -V1 -D "$dir"/corpus/tones/[35].wav "$dir"/corpus/noises/[34].wav -r 48000 -b 24 -c 1 "$dir/in.wav" gain -6 trim 0 2
"$here/tools/with-jack.sh" -n "indexes$$" -t 100 -r 48000 -p 256 -- "$0" beside-jack || exit 1

# of INDEX FILE: what JSON has of it
of() { grep "\"type\":\"match\".*\"index\":\"$1\"" "$2"; }
n_of() { of "$1" "$dir/first.json" | wc -l; }
[ "$(n_of main)" -gt 10 ] && [ "$(n_of tones)" -gt 100 ] && [ "$(n_of noises)" -lt "$(n_of main)" ] &&
    of main "$dir/first.json" | grep -q '"path":"[^"]*noises/' && ! of tones "$dir/first.json" | grep '"path":"[^"]*noises/'
is "each index answers with its own sounds ($(n_of main) and $(n_of tones)), by its own settings" $?
! of main "$dir/first.json" | grep -v '"scale":"event".*"rank":1' && of tones "$dir/first.json" | grep -q '"scale":"frame".*"rank":2' &&
    grep -q '"type":"nomatch".*"index":"noises"' "$dir/first.json"
is "scales, ranks and scores of one are not those of another" $?
[ "$(grep -c ' /hearken/match ' "$dir/first.0")" = "$(n_of main)" ] && [ "$(grep -c ' /hearken/tones/match ' "$dir/first.0")" = "$(n_of tones)" ] &&
    [ "$(grep -c ' /hearken/noises/match ' "$dir/first.0")" = "$(n_of noises)" ] && grep -q ' /hearken/noises/nomatch ' "$dir/first.0"
is "messages of the first index keep their address, those of others have their name in it" $?
onsets=$(grep -c '"type":"onset"' "$dir/first.json")
[ "$onsets" -gt 1 ] && [ "$(grep -c ' /hearken/onset ' "$dir/first.0")" = "$onsets" ] && ! grep '"type":"onset".*"index"' "$dir/first.json"
is "onsets are told once ($onsets)" $?
[ "$(wc -l <"$dir/first.1")" = "$(n_of tones)" ] && ! grep -v ' /hearken/tones/match ' "$dir/first.1"
is "a destination gets only what was found in the indexes that it wants" $?
[ "$(grep -c ' /of/main s' "$dir/first.2")" = "$(n_of main)" ] && [ "$(wc -l <"$dir/first.2")" = $(($(n_of main) + $(n_of noises))) ]
is "a template may name the index" $?
listed=0
for name in main tones noises; do grep -q "/hearken/index/loaded sis .* \"$name\"" "$dir/9.osc" && listed=$((listed + 1)); done
[ $listed = 3 ]
is "/hearken/index/list names all of them" $?
grep -q '/hearken/index/value ssf "noises" "match.score" 0' "$dir/9.osc" && grep -q '/hearken/index/value ssi "tones" "match.k" 1' "$dir/9.osc"
is "/hearken/index/set is answered by the value" $?
[ "$(grep -c '/hearken/error' "$dir/9.osc")" = 4 ] && grep -q 'error s "match.release cannot be \\*"2' "$dir/9.osc" &&
    grep -q 'error s "main has no settings of its own' "$dir/9.osc" && grep -q 'error s "there is no index \\*"tunes' "$dir/9.osc" &&
    grep -q 'error s "an index has no setting \\*"at' "$dir/9.osc"
is "and refused, with the reason, where it cannot be" $?
tail -n +"$(($(wc -l <"$dir/first.json") + 1))" "$dir/live.json" >"$dir/second.json"
of tones "$dir/second.json" | grep -q '"rank":1' && ! of tones "$dir/second.json" | grep '"rank":2' && [ "$(of noises "$dir/second.json" | wc -l)" -gt 10 ] && of main "$dir/second.json" >/dev/null
is "it holds from then on, for that index alone" $?
of noises "$dir/second.json" | grep -q '"path":"[^"]*tones/'
is "the file of one index is changed by its name" $?
grep -q '/hearken/query/match isiffifffss 1 "event" 1 1.0.* 2 .*"tones" ".*/tones/3.wav"' "$dir/9.osc"
is "/hearken/query/file asks the index of a name" $?
[ "$(grep -o 'listens with' "$dir/live.log" | wc -l)" = 4 ] && grep -q ' tones: listens with .*tones.hkn now' "$dir/live.log"
is "SIGHUP reads the files of all anew" $?
hops=$(sed -n 's/.*in all:.* hops \([0-9]*\).*/\1/p' "$dir/live.log") blocks=$(sed -n 's/.*in all: blocks \([0-9]*\).*/\1/p' "$dir/live.log")
# each gap of the server's own, where the machine is busy, costs the hop that it falls in
[ "$(cat "$dir/live.rc")" = 0 ] && [ "$hops" -gt $((blocks * 256 / 480 - 20)) ] && [ "$hops" -le $((blocks * 256 / 480 + 2)) ] &&
    ! grep -qE 'in all:.* (dropped_blocks|dropped_matches) ' "$dir/live.log"
is "hops are counted once ($hops of $blocks blocks), and nothing is lost" $?

refuses() { gives "$1" 64 "$2" "$bin/hearken" listen "$dir/x.hkn" --listen-index "$3" "${@:4}"; }
refuses "an index without a name is refused" 'listen.index "x.hkn": it wants NAME=FILE' x.hkn
refuses "so is the name of the first" 'main is the name' main=x.hkn
refuses "and a name that comes twice" 'has that name already' a=x.hkn --listen-index a=y.hkn
refuses "and a setting that there is not" 'no setting "loudness" of its own' a=x.hkn,loudness=3
refuses "and settings that do not go together" 'match.release 0.9 is more than match.score' a=x.hkn,release=0.9,score=0.5
gives "an index that is not there is no start" 66 'none.hkn' "$bin/hearken" listen "$dir/x.hkn" --listen-index "a=$dir/none.hkn"
gives "a destination that wants an unknown index is refused" 78 'there is no index "b"' \
    "$bin/hearken" listen "$dir/x.hkn" --osc-to :9,indexes=b --osc-listen none
finish
