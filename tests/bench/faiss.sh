#!/bin/bash
# faiss.sh FOLDER: FOLDER/libfaiss.a, FAISS from Debian's source package, compiled with AVX2.
# Debian's own library is compiled for any amd64, where fast-scan, which lives on shuffles in
# registers, is emulated and many times slower: no fair peer. Takes four minutes on two
# cores, and nothing a second time.
set -eu
shopt -s nullglob
[ -f "$1/libfaiss.a" ] && exit 0
mkdir -p "$1/lists/partial" "$1/sources"
cd "$1"
# The same places that this machine has its packages from, asked for sources.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
    [ -f "$list" ] || continue
    sed 's/^Types: deb$/Types: deb-src/; s/^deb /deb-src /' "$list" >"sources/${list##*/}"
done
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$PWD/sources"
    -o "Dir::State::Lists=$PWD/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update
"${apt[@]}" source --download-only faiss
tar xf faiss_*.orig.tar.gz --strip-components=1
find faiss -maxdepth 2 -name '*.cpp' -not -path '*/python/*' -not -path '*/gpu/*' -print0 |
    xargs -0 -P "$(nproc)" -I{} sh -c \
        'g++ -std=c++11 -O3 -g0 -DNDEBUG -DFINTEGER=int -fopenmp -I. -mavx2 -mfma -mf16c \
            -mpopcnt -c "$1" -o "$(echo "$1" | tr / _).o"' _ {}
ar rcs part.a faiss_*.o
mv part.a libfaiss.a
rm -rf faiss_*.o lists sources
