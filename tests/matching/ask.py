"""hearken query over generated sound, and results that a run which was stopped need not make
again: a JSON file for each, in a folder for this very program, bench and options."""
import fcntl
import glob
import hashlib
import json
import os
import subprocess
import sys
import wave

import numpy as np

from materials import RATE

CORPUS = "/usr/share/sonic-pi/samples"


def write_wav(path, x):
    """Of 24 bits, and as a whole less loud where it would clip."""
    peak = np.max(np.abs(x), initial=0)
    whole = np.round(x * min(1, 0.99 / (peak or 1)) * 2 ** 23).astype("<i4")
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(3)
        w.setframerate(RATE)
        w.writeframes(whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes())


def digest(paths):
    h = hashlib.sha256()
    for p in paths:
        with open(p, "rb") as f:
            h.update(f.read())
    return h.hexdigest()[:12]


class Asker:
    def __init__(self, build, options):
        self.program, self.options = os.path.join(build, "hearken"), options
        here = os.path.dirname(os.path.abspath(__file__))
        sources = sorted(glob.glob(os.path.join(here, "*.py")))
        folder = os.path.join(build, "bench-matching", digest([self.program] + sources))
        self.work = os.path.join(folder, "_".join(options).replace("/", "_") or "default")
        self.index = os.path.join(folder, "corpus.hkn")
        os.makedirs(self.work, exist_ok=True)
        self.lock = open(os.path.join(self.work, "lock"), "w", encoding="utf-8")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit("matching: another bench is at work in %s; wait for its end" % self.work)
        if not os.path.exists(self.index):
            subprocess.run([self.program, "build", CORPUS, "-o", self.index], check=True,
                           stdout=sys.stderr)

    def ask(self, x):
        """The lines that query writes about this sound."""
        path = os.path.join(self.work, "asked.wav")
        write_wav(path, x)
        command = [self.program, "query", self.index, path, "-f", "json"] + self.options
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        os.unlink(path)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def once(self, name, make):
        """What make() returns, kept under a name."""
        path = os.path.join(self.work, name.replace(" ", "-") + ".json")
        if not os.path.exists(path):
            made = make()
            with open(path + ".part", "w", encoding="utf-8") as f:
                json.dump(made, f)
            os.rename(path + ".part", path)
            print("matching: %s done" % name, file=sys.stderr)
        with open(path, encoding="utf-8") as f:
            return json.load(f)


def matches(lines, scale=None):
    """The best match of each answer."""
    return [m for m in lines
            if m["type"] == "match" and m["rank"] == 1 and scale in (None, m["scale"])]


def name_of(match):
    return os.path.splitext(os.path.basename(match["path"]))[0]
