#!/bin/bash
# deb.sh: builds the Debian package in a copy of the tree (build/deb), has lintian look at
# it, and says what it made. make deb calls it, with all that it needs installed.
set -eu
cd "$(dirname "$0")/.."
name=hearken-$(sed -n '1s/^hearken (\([^)]*\)).*/\1/p' debian/changelog)
work=build/deb
rm -rf "$work"
mkdir -p "$work/$name"
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard
else # an unpacked archive
    find . -path ./build -prune -o -type f -print0
fi | tar -c --null -T - | tar -x -C "$work/$name"
echo "building $name; the log is $work/log"
(cd "$work/$name" && dpkg-buildpackage -b -us -uc) >"$work/log" 2>&1 || {
    tail -30 "$work/log" >&2
    echo "deb.sh: dpkg-buildpackage failed" >&2
    exit 1
}
rm -rf "${work:?}/$name"
root=()
[ "$(id -u)" -ne 0 ] || root=(--allow-root)
lintian "${root[@]}" --fail-on error,warning "$work"/*.changes
for f in "$work"/hearken_*.deb; do
    dpkg-deb --info "$f" | grep -E '^ (Version|Architecture|Installed-Size|Depends|Recommends):'
    echo "made $f ($(stat -c %s "$f") bytes); install it with: sudo apt-get install ./$f"
done
