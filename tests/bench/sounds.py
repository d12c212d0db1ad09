#!/usr/bin/env python3
"""sounds.py OUT [FOLDER...]: the sounds that bench-index makes its vectors of.

Fills OUT/stored and OUT/asked, by one seed and without a clock:

    given   sonic-pi-samples and the sounds of the folders, as they are
    copies  of each of them two, higher and faster or lower and slower; stored only
    voices  espeak-ng reading numbers, each voice in its language
    synths  sox: waves, noises and plucked strings, swept and shaken

One sound in twelve is asked for and not stored. What belongs together stays together: a
sound with its copies, a voice with what it reads, and the files that a table split.csv in
a folder (columns file and group) says are of one recording or pitch. A folder below one of
that name that already exists is left alone, so that a second run does nothing.
"""
import csv
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

SEED = 4
ASKED = 12  # one in so many
COPIES = 2
EXTENSIONS = (".wav", ".flac", ".ogg", ".opus", ".aif", ".aiff", ".mp3")
RATE = ["-r", "44100", "-c", "1", "-b", "16"]
VOICES = ("en en-us en-gb-scotland de fr es it pt nl sv da nb pl cs sk hu fi tr ro el ru uk "
          "bg sr hr lt lv et sq hy ka fa hi bn ta te ml kn gu pa ne sw af id ms vi cy ga is "
          "eo la").split()
WAVES = "sine square triangle sawtooth trapezium exp".split()
NOISES = "whitenoise pinknoise brownnoise".split()


def run(command):
    """A sound that cannot be made is missed aloud, and is no reason to stop."""
    done = subprocess.run(command, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        sys.stderr.write("sounds.py: left out %s: %s\n" %
                         (command[-1], done.stderr.decode(errors="replace").strip()[-200:]))


def given(folders):
    """(path, name, group) of every sound, in the order of their paths."""
    for folder in folders:
        group = {}
        table = os.path.join(folder, "split.csv")
        if os.path.exists(table):
            with open(table, newline="", encoding="utf-8") as lines:
                group = {r["file"]: r["group"] for r in csv.DictReader(lines)}
        found = sorted(os.path.relpath(os.path.join(at, f), folder)
                       for at, _, files in os.walk(folder, followlinks=True)
                       for f in files if f.lower().endswith(EXTENSIONS))
        for f in found:
            yield os.path.join(folder, f), f.replace("/", "_"), group.get(f, f)


def is_asked(key):
    return random.Random("%d asked %s" % (SEED, key)).randrange(ASKED) == 0


def copies(path, name, out):
    """sox: faster and higher, or slower and lower, one of each pair of sounds by turns."""
    rng = random.Random("%d copies %s" % (SEED, name))
    for i in range(COPIES):
        semitones = rng.uniform(1, 4) * (1 if i % 2 else -1)
        effect = ["speed", "%.4f" % 2 ** (semitones / 12)]
        if rng.random() < 0.5:  # pitch and length apart
            effect = ["speed", effect[1], "tempo", "-q", "%.4f" % rng.uniform(0.8, 1.25)]
        yield ["sox", "-V1", "-R", "-G", path] + RATE + ["%s/%s.%d.wav" % (out, name, i)] + effect


def synth(i, out):
    rng = random.Random("%d synth %d" % (SEED, i))
    low = 55 * 2 ** rng.uniform(0, 5)
    effects = []
    if i % 4 == 0:
        made = [rng.choice(NOISES)]
        effects = ["band", "%.0f" % low, "%.0f" % (low * rng.uniform(0.05, 1.5))]
    elif i % 4 == 1:
        made = ["pluck", "%.1f" % low]
    elif i % 4 == 2:
        made = [rng.choice(WAVES), "%.1f:%.1f" % (low, low * 2 ** rng.uniform(-2, 2))]
    else:
        made = [rng.choice(WAVES), "%.1f" % low, rng.choice(WAVES), "mix",
                "%.1f" % (low * rng.choice([1.25, 1.5, 2.01, 2.76]))]
    if rng.random() < 0.5:
        effects += ["tremolo", "%.2f" % rng.uniform(0.5, 12), "%.0f" % rng.uniform(20, 90)]
    length = "%.2f" % rng.uniform(2, 8)
    return (["sox", "-V1", "-R", "-n"] + RATE + ["%s/%03d.wav" % (out, i), "synth", length] +
            made + effects + ["fade", "0.01", length, "%.2f" % rng.uniform(0.05, 1.5),
                              "gain", "-n", "%.1f" % rng.uniform(-20, -1)])


def voice(name, i, out):
    rng = random.Random("%d voice %s %d" % (SEED, name, i))
    numbers = " ".join(str(rng.randrange(10 ** rng.randrange(1, 7))) for _ in range(14))
    return ["espeak-ng", "-v", name + rng.choice(["", "+f2", "+f4", "+m3", "+m7"]),
            "-s", str(rng.randrange(110, 200)), "-p", str(rng.randrange(20, 80)),
            "-w", "%s/%s-%d.wav" % (out, name, i), numbers]


def main(out, folders):
    todo = []
    if os.path.isdir(out):
        print("%s is there already" % out)
        return
    making = out + ".part"
    subprocess.run(["rm", "-rf", making], check=True)
    place = {}
    for side in "stored", "asked":
        for kind in "given", "copies", "voices", "synths":
            place[side, kind] = os.path.join(making, side, kind)
            os.makedirs(place[side, kind])
    for path, name, group in given(folders):
        side = "asked" if is_asked(group) else "stored"
        os.symlink(os.path.abspath(path), os.path.join(place[side, "given"], name))
        if side == "stored":
            todo += copies(path, name, place[side, "copies"])
    for name in VOICES:
        side = "asked" if is_asked(name) else "stored"
        todo += [voice(name, i, place[side, "voices"]) for i in range(2)]
    for i in range(160):
        side = "asked" if is_asked("synth %d" % i) else "stored"
        todo.append(synth(i, place[side, "synths"]))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, todo))
    os.rename(making, out)
    print("%s: %d sounds made" % (out, len(todo)))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: sounds.py OUT [FOLDER...]")
    main(sys.argv[1], ["/usr/share/sonic-pi/samples"] + sys.argv[2:])
