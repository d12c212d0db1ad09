#!/bin/bash
# make install into a folder, make uninstall out of it; the units as systemd reads them, the
# manual page as man does, completion as the shells do.
# shellcheck disable=SC2016 # other shells expand their own variables
set -u
here=$(dirname "$0") bin=${B:-build}
# shellcheck source=tests/e2e.sh
. "$here/e2e.sh"
need make find diff
top=$PWD
root=$dir/root

skipping() { echo "skipped: $1 is not installed, so $2"; }
make_it() { # TARGET: quietly, with the build that is tested; no SAN: the links are there
    make --no-print-directory -s -o all B="$bin" DESTDIR="$root" PREFIX=/usr "$1" >"$dir/make.log" 2>&1
}
listing() { find "$root" -printf '%y %m %P\n' | sort; }

# ---- Install ---------------------------------------------------------------------------
mkdir -p "$root/usr/share/man/man1" "$root/usr/share/hearken/presets" "$root/usr/bin"
echo "mine = yes" >"$root/usr/share/hearken/presets/mine.conf"
echo other >"$root/usr/share/man/man1/other.1"
make_it install
is "make install into a folder succeeds" $?
cat "$dir/make.log"
cmp "$bin/hearken" "$root/usr/bin/hearken"
is "it brings the program" $?
diff -r -x mine.conf presets "$root/usr/share/hearken/presets"
is "and the presets" $?
diff -r docs "$root/usr/share/doc/hearken/docs" && diff -r examples "$root/usr/share/doc/hearken/examples"
is "and the documents and examples" $?
bad=$(find "$root" -type f ! -perm 644 ! -path "$root/usr/bin/hearken")
[ -z "$bad" ] && [ -x "$root/usr/bin/hearken" ]
is "each with the rights that it needs" $?
! grep -r '@BINDIR@' "$root"/usr/lib "$root"/usr/share/man && ! grep -rF "$root" "$root/usr/lib" "$root/usr/share"
is "and none with a name that is only here" $?
listing >"$dir/once"
make_it install && listing | diff "$dir/once" -
is "a second one changes nothing" $?

# ---- Units, user -----------------------------------------------------------------------
units=$root/usr/lib/systemd
grep -qx "ExecStart=/usr/bin/hearken listen .*" "$units/system/hearken.service"
is "the unit starts the installed program" $?
if command -v systemd-analyze >/dev/null; then
    mkdir "$dir/units" "$dir/run"
    for kind in system user; do
        sed "s|/usr/bin/hearken|$(realpath "$bin/hearken")|" "$units/$kind/hearken.service" >"$dir/units/hearken.service"
        XDG_RUNTIME_DIR=$dir/run timeout 60 systemd-analyze verify --$kind --man=no "$dir/units/hearken.service" >"$dir/verify" 2>&1
        rc=$?
        [ $rc -eq 0 ] && ! grep hearken "$dir/verify"
        is "systemd finds no fault with the unit of the $kind" $?
    done
    cp examples/jackd.service "$dir/units/"
    sed -i "s|/usr/bin/jackd|/bin/true|" "$dir/units/jackd.service"
    timeout 60 systemd-analyze verify --man=no "$dir/units/jackd.service" >"$dir/verify" 2>&1
    is "nor with the example of a server" $?
    # Exposure from 0 to 10, times ten; what an ordinary service has is 96.
    timeout 60 systemd-analyze security --offline=yes --threshold=20 "$units/system/hearken.service" >"$dir/security" 2>&1
    is "and it calls the service as little exposed as 2.0, or less" $?
    tail -1 "$dir/security"
else
    skipping systemd-analyze "nobody verifies the units"
fi
if command -v systemd-sysusers >/dev/null; then
    mkdir -p "$dir/users/etc"
    timeout 60 systemd-sysusers --root="$dir/users" "$root/usr/lib/sysusers.d/hearken.conf" >"$dir/users.log" 2>&1
    grep -q '^hearken:.*:/var/lib/hearken:' "$dir/users/etc/passwd" && grep -q '^audio:.*:hearken$' "$dir/users/etc/group"
    is "the service's user is made, and is in the group audio" $?
else
    skipping systemd-sysusers "nobody makes the user"
fi

# ---- Manual page -----------------------------------------------------------------------
page=$root/usr/share/man/man1/hearken.1
if command -v groff >/dev/null; then
    groff -man -Tutf8 -ww -z "$page" >"$dir/groff" 2>&1 && [ ! -s "$dir/groff" ]
    is "the manual page is sound roff" $?
else
    skipping groff "nobody reads the manual page"
fi

# ---- Completion ------------------------------------------------------------------------
# offers SHELL LINE WORD...: after the words of LINE, the last of them begun, each WORD.
mkdir "$dir/files" && touch "$dir/files/corpus.hkn" && cd "$dir/files" || exit 1
bash_offers() {
    bash --norc -c 'source "$0"; COMP_LINE=$1; set -f
        read -r -a COMP_WORDS <<<"${1//=/ = }"; [ "${1: -1}" = " " ] && COMP_WORDS+=("")
        [ "${1: -1}" = "=" ] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _hearken; printf "%s\n" "${COMPREPLY[@]}"' \
        "$root/usr/share/bash-completion/completions/hearken" "$1"
}
fish_offers() {
    HOME=$dir XDG_CONFIG_HOME=$dir XDG_DATA_HOME=$dir fish --no-config -c 'source $argv[1]; complete -C $argv[2]' \
        "$root/usr/share/fish/vendor_completions.d/hearken.fish" "$1" | cut -f 1
}
offers() {
    local shell=$1 line=$2 word missing=0
    shift 2
    "${shell}_offers" "$line" >"$dir/offers" 2>&1
    for word in "$@"; do
        grep -qx -- "$word" "$dir/offers" || { echo "no $word in: $(tr '\n' ' ' <"$dir/offers")"; missing=1; }
    done
    is "$shell offers $* after: $line" $missing
}
for shell in bash fish; do
    command -v $shell >/dev/null || { skipping $shell "nobody asks it"; continue; }
    offers $shell "hearken " build listen export
    offers $shell "hearken li" listen
    offers $shell "hearken listen --osc-" --osc-to --osc-nomatch
    offers $shell "hearken listen --osc-nomatch " no yes
    offers $shell "hearken build --dsp-frontend mor" morlet morlet-zounds
    offers $shell "hearken listen --preset c" corpus.hkn
    offers $shell "hearken listen c" corpus.hkn
    "${shell}_offers" "hearken info --osc-" >"$dir/offers" 2>&1
    ! grep . "$dir/offers"
    is "$shell offers no option of another command" $?
done
offers bash "hearken listen --search-space=" acoustic labels
offers bash "hearken listen --search-space=la" labels
if command -v zsh >/dev/null; then
    zsh -f -n "$root/usr/share/zsh/site-functions/_hearken"
    is "zsh can read its completion" $?
else
    skipping zsh "nobody reads its completion"
fi
cd "$top" || exit 1

# ---- Uninstall, version ----------------------------------------------------------------
make_it uninstall
is "make uninstall succeeds" $?
find "$root" -type f | sed "s|$root/||" | sort | diff - <(printf '%s\n' usr/share/hearken/presets/mine.conf usr/share/man/man1/other.1)
is "it takes away all that was installed, and nothing else" $?
[ ! -e "$root/usr/share/doc/hearken" ]
is "and the folders that were hearken's own" $?
if [ -e debian/changelog ]; then
    [ "$("$bin/hearken" --version)" = "$(sed -n '1s/^hearken (\([^)]*\)).*/hearken \1/p' debian/changelog)" ]
    is "the package has the version of the program" $?
    for p in $(sed -n '/\[build\]="/,/"/p' tests/packages.sh | sed 's/.*\[build\]="//; s/".*//'); do
        # what every Debian machine that builds packages has
        case $p in gcc | libc6-dev | make) continue ;; esac
        sed -n '/^Build-Depends:/,/^$/p' debian/control | grep -qw -- "$p" || echo "$p"
    done >"$dir/undeclared"
    [ ! -s "$dir/undeclared" ]
    is "and asks for what the program is built with" $?
    sed 's/^/debian\/control lacks /' "$dir/undeclared"
fi
finish
