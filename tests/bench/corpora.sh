#!/bin/bash
# corpora.sh [FOLDER]: a build of 37 hours of sound within a bound of memory and without
# one: the most anonymous memory (RssAnon) and the time that each took. The sounds are
# those of sonic-pi-samples in a row, at 20 speeds, each under 20 names. It wants 5 GB in
# FOLDER (or $TMPDIR) and a quarter of an hour; not part of run.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
hearken=$(realpath "${B:-build}/hearken")
dir=$(mktemp -d "${1:-${TMPDIR:-/tmp}}/hearken-corpora-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
mkdir long
for f in /usr/share/sonic-pi/samples/*.flac; do
    sox -V1 -D "$f" -r 22050 -c 1 -b 16 -e signed -t raw -
done >all.raw 2>sox.log
for i in {0..19}; do
    sox -V1 -R -r 22050 -c 1 -b 16 -e signed all.raw "long/$i-0.wav" \
        speed "0.$((80 + i))" rate 22050 2>>sox.log
    for j in {1..19}; do ln "long/$i-0.wav" "long/$i-$j.wav"; done
done

# watch COMMAND...: runs it; then its largest RssAnon, and its times.
watch() {
    python3 - "$@" <<'END'
import resource, subprocess, sys, time
began, peak = time.time(), 0
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
while child.poll() is None:
    try:
        lines = dict(line.split(":", 1) for line in open(f"/proc/{child.pid}/status"))
        peak = max(peak, int(lines.get("RssAnon", "0 kB").split()[0]))
    except (OSError, ValueError):
        pass
    time.sleep(0.005)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(child.stdout.read(), end="")
print(f"RssAnon at most {peak / 1024:.0f} MB; {time.time() - began:.0f} s, "
      f"user {used.ru_utime:.0f} s, system {used.ru_stime:.0f} s")
END
}
for mb in 256 0; do
    echo; echo "== --build-memory-mb $mb"
    watch "$hearken" build long -o "$mb.hkn" --build-memory-mb $mb --index-family exact 2>/dev/null
    ls -l "$mb.hkn"
done
cmp 256.hkn 0.hkn && echo "the same bytes"
