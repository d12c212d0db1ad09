#!/bin/bash
# install.sh install|uninstall: puts each file in its place below DESTDIR and PREFIX, or
# takes just those away again. make install and make uninstall call it.
set -eu
cd "$(dirname "$0")/.."
action=$1
B=${B:-build} DESTDIR=${DESTDIR:-} PREFIX=${PREFIX:-/usr/local}
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
share=$PREFIX/share doc=$PREFIX/share/doc/hearken

# put MODE SOURCE TARGET: TARGET is a file.
put() {
    if [ "$action" = uninstall ]; then
        rm -f "$DESTDIR$3"
    else
        install -D -m "$1" "$2" "$DESTDIR$3"
    fi
}
# make_text TARGET COMMAND...: a file that a command writes to stdout.
make_text() {
    local target=$1
    shift
    if [ "$action" = uninstall ]; then
        rm -f "$DESTDIR$target"
        return
    fi
    "$@" >"$B/install.tmp"
    put 644 "$B/install.tmp" "$target"
    rm "$B/install.tmp"
}
unit() { # UNIT TARGET
    make_text "$2" sed "s|@BINDIR@|$PREFIX/bin|" "packaging/$1"
}

case $action in install | uninstall) ;; *) echo "install.sh: install or uninstall?" >&2; exit 2 ;; esac
put 755 "$B/hearken" "$PREFIX/bin/hearken"
make_text "$share/man/man1/hearken.1" "$B/hearken" man
make_text "$share/bash-completion/completions/hearken" "$B/hearken" --completion bash
make_text "$share/zsh/site-functions/_hearken" "$B/hearken" --completion zsh
make_text "$share/fish/vendor_completions.d/hearken.fish" "$B/hearken" --completion fish
unit hearken.service "$UNITDIR/hearken.service"
unit hearken-user.service "$PREFIX/lib/systemd/user/hearken.service"
put 644 packaging/hearken.sysusers "$PREFIX/lib/sysusers.d/hearken.conf"
put 644 README.md "$doc/README.md"
while read -r f; do put 644 "$f" "$doc/$f"; done < <(find docs examples -type f)
while read -r f; do put 644 "$f" "$share/hearken/$f"; done < <(find presets -type f)
# Folders that are hearken's own; what somebody else put there stays.
if [ "$action" = uninstall ]; then
    for d in "$share/hearken" "$doc"; do
        [ ! -d "$DESTDIR$d" ] || find "$DESTDIR$d" -depth -type d -empty -delete
    done
fi
