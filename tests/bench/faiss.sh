#!/bin/bash
# faiss.sh FOLDER: FOLDER/libfaiss.a, FAISS from Debian's source package, compiled with AVX2.
# Debian's own library is compiled for any amd64, where fast-scan, which lives on shuffles in
# registers, is emulated and several times slower: no fair peer. Does nothing a second time.
set -eu
out=$1
[ -f "$out/libfaiss.a" ] && exit 0
mkdir -p "$out/lists/partial"
cd "$out"
# The lists of Debian's sources, read from where this machine has its packages from.
sed -s 's/^Types: deb$/Types: deb-src/' /etc/apt/sources.list.d/debian.sources >src.sources
apt=(apt-get -qq -o "Dir::Etc::SourceList=$PWD/src.sources" -o Dir::Etc::SourceParts=-
    -o "Dir::State::Lists=$PWD/lists" -o APT::Sandbox::User=root)
"${apt[@]}" update
"${apt[@]}" source --download-only faiss
tar xf faiss_*.orig.tar.gz --strip-components=1
find faiss -maxdepth 2 -name '*.cpp' -not -path '*/python/*' -not -path '*/gpu/*' |
    xargs -P "$(nproc)" -I{} sh -c \
        'g++ -std=c++11 -O3 -g0 -DNDEBUG -DFINTEGER=int -fopenmp -I. -mavx2 -mfma -mf16c \
            -mpopcnt -c "$1" -o "$(echo "$1" | tr / _).o"' _ {}
ar rcs part.a faiss_*.o
mv part.a libfaiss.a
rm -rf faiss_*.o lists
echo "FAISS $(sed -n 's/#define FAISS_VERSION_M.* //p' faiss/Index.h | paste -sd .) compiled with AVX2"
