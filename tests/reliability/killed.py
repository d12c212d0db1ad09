#!/usr/bin/env python3
"""killed.py: SIGKILLs hearken listen at random moments, and starts it again at once under the same
name. It must run and find what is played each time, and leave nothing damaged behind.

usage: killed.py [-n 100] [--seed 1] [--server jackd|pipewire] [--name NAME]
"""
import argparse
import os
import random
import signal
import sys
import time

import rig as r
from rig import now


def leftovers(rig):
    """What another start, or a person, could stumble over: files in the folders hearken uses."""
    known = ("corpus", "x.hkn", "tap", "jackd.log", "pipewire.log", "records")
    found = [f for f in os.listdir(rig.work) if f not in known and not f.startswith("play")]
    return found + [f for f in os.listdir("/dev/shm") if "hearken" in f and rig.server.kind in f]


def damaged(records):
    """Recordings under their final name that cannot be read."""
    return [f for f in os.listdir(records)
            if f.endswith(".wav") and r.sh("soxi", os.path.join(records, f)) is None]


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    a.add_argument("-n", type=int, default=100)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--server", choices=sorted(r.SERVERS), default="jackd")
    a.add_argument("--name", default="hkkilled")
    o = a.parse_args()
    rng, rig = random.Random(o.seed), r.Rig(o.server, o.name)
    records = os.path.join(rig.work, "records")
    os.mkdir(records)
    options = []
    if "--record-seconds" in (r.sh(os.path.join(r.BIN, "hearken"), "listen", "--help") or ""):
        options = ["--record-seconds", "10", "--record-folder", records]
    with open(rig.index, "rb") as f:
        index = f.read()
    failures, times, early = [], [], 0
    try:
        rig.server.start()
        rig.start_feed("pluck")
        for i in range(o.n):
            rig.start_listener(*options)
            time.sleep(rng.uniform(0, 0.6)) # somewhere in its start, or soon after
            early += not rig.osc.matches
            rig.stop_listener(signal.SIGKILL)
            began = now()
            rig.start_listener(*options)
            match = rig.matched(began, 15)
            if match:
                times.append(match - began)
            else:
                failures.append(f"{i}: started again, it finds nothing: "
                                + " / ".join(s for _t, s in rig.listener.lines[-3:]))
            if options and i % 2:
                rig.listener.process.send_signal(signal.SIGUSR1)
            time.sleep(rng.uniform(0, 0.4))
            rig.stop_listener(signal.SIGKILL)
            left = rig.jack("jack_lsp") or ""
            if "hearken:" in left: # the server takes a moment to see it
                time.sleep(0.5)
                if "hearken:" in (rig.jack("jack_lsp") or ""):
                    failures.append(f"{i}: the server still shows its port")
        with open(rig.index, "rb") as f:
            if f.read() != index:
                failures.append("the index changed")
        failures += [f"damaged: {f}" for f in damaged(records)]
        left = leftovers(rig)
    finally:
        rig.close()
    median, most = r.spread(times)
    print(f"{o.server}: killed {2 * o.n} times, {early} of them before the first match; started "
          f"again at once {o.n} times, found what was played {len(times)} times (after {median} s, "
          f"at most {most} s); left behind: {', '.join(left) or 'nothing'}")
    for f in failures:
        print("  " + f)
    sys.exit(1 if failures else 0)


main()
