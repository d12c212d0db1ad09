#!/bin/bash
# packages.sh GROUP...: installs what is missing of the packages that a group needs, with
# apt-get (and sudo where not root), and says so. Groups:
# build test examples reliability bench bench-index bench-matching deb fuzz.
set -u
declare -A packages=(
    [build]="gcc libc6-dev make pkg-config libjack-jackd2-dev libsndfile1-dev libfftw3-dev liblo-dev
        libinih-dev libmicrohttpd-dev libxxhash-dev libsoxr-dev liblapacke-dev libopenblas-serial-dev"
    [test]="curl jackd2 liblo-tools check sonic-pi-samples sox libsox-fmt-all clang-format
        shellcheck python3 parallel tmux"
    [examples]="supercollider-language supercollider-server puredata-core"
    [reliability]="jackd2 liblo-tools sox python3 pipewire pipewire-bin pipewire-jack valgrind"
    [bench]="libaubio-dev"
    [bench-index]="g++ libgomp1 libhnswlib-dev espeak-ng sox libsox-fmt-all sonic-pi-samples python3"
    [bench-matching]="sox libsox-fmt-all sonic-pi-samples python3 python3-numpy"
    [deb]="debhelper dpkg-dev fakeroot lintian"
    [fuzz]="clang libclang-rt-14-dev"
)
want=()
for group in "$@"; do
    read -r -d '' -a list <<<"${packages[$group]:?there is no group $group}" || true
    want+=("${list[@]}")
done
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "hearken: this is no Debian-like system, so please install these yourself, by the" >&2
    echo "names that Debian 12 gives them: ${want[*]}" >&2
    echo "Then build with: make all" >&2
    exit 69
fi
missing=()
for p in "${want[@]}"; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "hearken: these packages are missing, and there is no sudo here; as root run:" >&2
        echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 77
    }
    sudo=(sudo)
fi
echo "hearken: installing with apt-get: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
install() {
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
install 2>/dev/null && exit 0
"${sudo[@]}" apt-get update -qq && install && exit 0
echo "hearken: apt-get could not install them; see its message above" >&2
exit 69
