#!/usr/bin/python3
"""matching.py [FOLDER]: what hearken matches, with its settings as built in, on sound made by
seed from sonic-pi-samples and noise: docs/matching.md. FOLDER holds esc10, of which room tone is
made; without it there is none.

Runs `hearken query`, which answers as listen does. Tables go to stdout as Markdown. What is
measured is kept in $B/bench-matching, so that a run that was stopped goes on.

In the environment:
  HOURS    of each material (1)
  PARTS    of what is done (false beds performance)
  OPTIONS  further options of query ()
"""
import datetime
import functools
import os
import platform
import sys

import false_matches
import played
from ask import Asker
from materials import Materials


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.split(":")[1].strip() for line in f if line.startswith("model name")]
    return "%s, %d cores" % (names[0] if names else platform.machine(), os.cpu_count())


def main(folder):
    esc10 = os.path.join(folder, "esc10") if folder else None
    if not esc10 or not os.path.isdir(esc10):
        esc10 = None
        print("matching: no esc10 in %s: NO ROOM TONE; name a folder that has it: "
              "make bench-matching SOUNDS=folder" % (folder or "any folder named"), file=sys.stderr)
    parts = os.environ.get("PARTS", "false beds performance").split()
    options = os.environ.get("OPTIONS", "").split()
    asker = Asker(os.environ.get("B", "build"), options)
    materials = Materials(esc10)
    sounds = functools.lru_cache(None)(played.Sounds)
    print("%s, %s; options: %s" % (processor(), datetime.date.today(), " ".join(options) or "none"))
    if "false" in parts:
        print("\n## Matches where nothing of the corpus sounds\n")
        false_matches.table(asker, materials, float(os.environ.get("HOURS", "1")))
    if "beds" in parts:
        print("\n## Sounds of the corpus in beds, event scale, rank 1\n")
        played.beds_table(asker, materials, sounds)
    if "performance" in parts:
        print("\n## A minute of overlapping hits, event scale, rank 1\n")
        played.performance_table(asker, sounds)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
