#!/bin/bash
# receivers.sh [MATCHES]: one hearken listen sends so many matches, 1,000 a second, to each
# receiver that is installed: liblo's oscdump over UDP and TCP, SuperCollider, Pd, osc.js under
# Node. What each prints is compared with the JSON log; then the longest names that there can be.
# A table in Markdown for docs/osc.md; status 0 when all of it is right.
set -u
here=$(dirname "$0")/.. bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need jackd sox oscdump python3
matches=${1:-10000} judge=$here/bench/receivers.py node=$bin/receivers
export E2E_PORT=${E2E_PORT:-$((20000 + RANDOM % 20000))}
port() { echo $((E2E_PORT + $1)); }
has() { command -v "$1" >/dev/null; }
limit=$((matches / 1000 + 60)) # seconds

# Each receiver: start_NAME PORT, in the background, and NAME_is_ready.
start_sclang() {
    sed "s/PORT/$1/" "$here/bench/receivers.scd" >"$dir/receivers.scd"
    mkdir -p "$dir/home"
    # a Qt program without a display, which as root wants this too
    HOME=$dir/home XDG_RUNTIME_DIR=$dir/home QT_QPA_PLATFORM=offscreen QTWEBENGINE_DISABLE_SANDBOX=1 \
        timeout -k 5 $limit sclang -D -u "$(port 9)" "$dir/receivers.scd" >"$dir/sclang.out" 2>&1 </dev/null &
}
start_pd() {
    sed "s/PORT/$1/" "$here/bench/receivers.pd" >"$dir/receivers.pd"
    HOME=$dir timeout -k 5 $limit pd -noprefs -nogui -noaudio -nomidi -stderr -open "$dir/receivers.pd" \
        >"$dir/pd.out" 2>&1 </dev/null &
}
start_node() {
    NODE_PATH=$(realpath "$node")/node_modules timeout -k 5 $limit node "$here/bench/receivers.js" "$1" \
        >"$dir/node.out" 2>&1 </dev/null &
}

beside_jack() {
    local to=() running=() listener
    timeout -k 5 $limit oscdump -L "$(port 0)" >"$dir/oscdump.out" 2>/dev/null & running+=($!)
    timeout -k 5 $limit oscdump -L "osc.tcp://:$(port 1)" >"$dir/oscdump-tcp.out" 2>/dev/null & running+=($!)
    "$judge" sink $limit "$(port 2)" "$(port 3)" "$(port 4)" >"$dir/sink.json" & local sink=$!
    wait_for "$dir/sink.json" ready || exit 1
    has sclang && start_sclang "$(port 5)" && running+=($!) && to+=(--osc-to "127.0.0.1:$(port 5)")
    has pd && start_pd "$(port 6)" && running+=($!) && to+=(--osc-to "127.0.0.1:$(port 6)")
    [ -d "$node/node_modules/osc" ] && start_node "$(port 7)" && running+=($!) && to+=(--osc-to "127.0.0.1:$(port 7)")
    ! has sclang || wait_for "$dir/sclang.out" '^ready' 40 || exit 1
    ! has pd || wait_for "$dir/pd.out" '^ready' || exit 1
    [ ! -d "$node/node_modules/osc" ] || wait_for "$dir/node.out" '^ready' || exit 1
    "$bin/hearken" listen "$dir/x.hkn" -c none -f json --match-scales frame -k 10 --match-score 0 \
        --osc-to "127.0.0.1:$(port 0)" --osc-to "127.0.0.1:$(port 1),tcp" --osc-to "127.0.0.1:$(port 2)" \
        --osc-to "127.0.0.1:$(port 3),bundle" --osc-to "127.0.0.1:$(port 4),as=numeric" \
        --osc-listen none "${to[@]}" >"$dir/live.json" 2>"$dir/live.log" & listener=$!
    wait_for "$dir/live.log" 'stream begins' || exit 1
    timeout $limit "$bin/tests/tools/jackfeed" -c hearken:in "$dir/in.wav" >"$dir/feed.json"
    sleep 2
    kill -INT $listener
    wait $listener
    sleep 0.5
    kill $sink "${running[@]}"
    wait $sink "${running[@]}" 2>/dev/null
}

beside_jack_long() {
    "$judge" sink 60 "$(port 2)" "$(port 3)" "$(port 4)" >"$dir/long-sink.json" & local sink=$! listener
    wait_for "$dir/long-sink.json" ready || exit 1
    "$bin/hearken" listen "$dir/long.hkn" -c none -f json --match-scales frame -k 10 --match-score 0 \
        --jack-inputs "$(printf 'i%.0s' {1..63})" --osc-to "127.0.0.1:$(port 2)" --osc-to "127.0.0.1:$(port 3),bundle" \
        --osc-to "127.0.0.1:$(port 4),as=numeric" --osc-listen none >"$dir/long.json" 2>"$dir/long.log" & listener=$!
    wait_for "$dir/long.log" 'stream begins' || exit 1
    timeout 60 "$bin/tests/tools/jackfeed" -c "hearken:$(printf 'i%.0s' {1..63})" "$dir/second.wav" >/dev/null
    sleep 1.2
    kill -INT $listener
    wait $listener
    kill $sink
    wait $sink 2>/dev/null
}

if [ "${2:-}" ]; then
    "beside_$2"
    exit 0
fi
if [ ! -d "$node/node_modules/osc" ]; then
    mkdir -p "$node"
    if has node && has npm; then
        npm install --prefix "$node" --omit=optional --ignore-scripts --no-audit --no-fund osc@2.4.5 \
            >"$node/why" 2>&1 && rm "$node/why"
    else
        echo "node and npm are not installed" >"$node/why"
    fi
fi
make_corpus "$dir/corpus" 2>/dev/null # sox clips its dither, and says so
# Many short sounds and noise to find them in: 100 hops a second, each with 10 sounds and more.
for i in {1..5}; do
    for at in 0 3 6 9; do
        sox -V1 "$dir/corpus/noises/$i.wav" "$dir/corpus/noises/$i$at.wav" trim "0.$at" 0.3
    done
    rm "$dir/corpus/noises/$i.wav"
done
"$bin/hearken" build "$dir/corpus" -o "$dir/x.hkn" >/dev/null || exit 1
sox -R -V1 -n -r 48000 -b 16 -c 1 "$dir/in.wav" synth $((matches / 1000)).3 brownnoise gain -6
sox -V1 "$dir/in.wav" "$dir/second.wav" trim 0 1.2
# Labels of 255 bytes, paths of 1,000: as long as an index takes.
(
    cd "$dir" || exit
    mkdir long
    cd long || exit
    label=$(printf 'l%.0s' {1..255}) folder=$(printf 'f%.0s' {1..200}) top=$(pwd -P)
    for i in 0 1 2; do mkdir "$folder" && cd "$folder" || exit; done
    mkdir "$label" && cd "$label" || exit
    n=$((1000 - ${#top} - 3 * 201 - 1 - 256 - 4))
    for i in {1..12}; do
        cp "$dir/corpus/tones/$((i % 5 + 1)).wav" "$(printf "%0${n}d.wav" "$i")" || exit
        sox -R -V1 "$dir/corpus/noises/$((i % 5 + 1))0.wav" "$(printf "%0${n}d.wav" "$i")" speed "1.$i"
    done
) || exit 1
hearken=$(realpath "$bin/hearken")
(cd "$dir/long" && "$hearken" build . -o ../long.hkn --build-invariance 0 >/dev/null) || exit 1
"$here/tools/with-jack.sh" -n "recv$$" -t $limit -r 48000 -p 256 -- "$0" "$matches" jack || exit 1
"$here/tools/with-jack.sh" -n "recvl$$" -t 100 -r 48000 -p 256 -- "$0" "$matches" jack_long || exit 1
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo '?'; }
list=("oscdump.out=oscdump of liblo $(version liblo-tools), UDP" "oscdump-tcp.out=the same, TCP")
has sclang && list+=("sclang.out=sclang $(version supercollider-language)") ||
    echo "skipped: sclang is not installed; make bench-receivers installs it where apt-get can"
has pd && list+=("pd.out=Pd $(version puredata-core)") || echo "skipped: pd is not installed"
if [ -d "$node/node_modules/osc" ]; then
    list+=("node.out=osc.js $(sed -n 's/.*"version": "\(.*\)".*/\1/p' "$node/node_modules/osc/package.json") under Node $(node --version)")
else
    echo "skipped: osc.js under Node: $(head -1 "$node/why")"
fi
"$judge" judge "$dir" "$matches" "${list[@]}"
