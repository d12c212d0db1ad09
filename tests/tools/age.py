#!/usr/bin/env python3
"""How wrong the age is that messages tell, in milliseconds. Joins what jackfeed printed with
what oscstamp received. Status 1 when the median is a millisecond or more.

usage: age.py clicks FEED STAMPS CLOCK LATENCY_FRAMES
       age.py tone FEED STAMPS CLOCK LINES BEGIN

clicks (jackfeed -k): each is answered by /hearken/onset, and sounded as long before its
sample's time as the capture latency says. What is yet to sound is told as 0.
tone (jackfeed FILE...): /hearken/match of scale frame, in the order of the JSON lines that
hearken printed, whose stream began at that frame of the server. The middle of a window is
heard / 2 before its end.
CLOCK is raw for jackd2, mono for PipeWire.
"""
import bisect
import json
import sys


def clicks(feed, got, latency):
    run = json.loads(feed[-1])
    onsets = sorted((t, m["args"][3]) for t, m in got if m["path"] == "/hearken/onset")
    for _, cycle, sounds in run["clicks"]:
        k = bisect.bisect_left(onsets, (cycle, -1))
        if k < len(onsets) and onsets[k][0] < cycle + 100e3:
            true_us = onsets[k][0] - sounds + float(latency) * 1e6 / run["rate"]
            yield max(0.0, true_us / 1e3), onsets[k][1]
        else:
            yield None


def tone(feed, got, lines, begin):
    run, starts = json.loads(feed[-1]), []
    for e in map(json.loads, feed[:-1]):
        if e["event"] == "start":
            starts.append((e["first_frame"], e["first_usecs"]))
    with open(lines) as f:
        said = [m for m in map(json.loads, f) if m["type"] == "match"]
    matches = [(t, m["args"][9]) for t, m in got if m["path"] == "/hearken/match"]
    if len(said) != len(matches):
        sys.exit("%d lines, %d messages" % (len(said), len(matches)))
    for m, (t, age) in zip(said, matches):
        middle = int(begin) + m["frame"] - m["heard"] * run["rate"] / 2
        # The last start before it: an xrun since moves frames against the clock.
        k = max(0, bisect.bisect_right(starts, (middle, 0)) - 1)
        frame, usecs = starts[k]
        yield (t - usecs - (middle - frame) * 1e6 / run["rate"]) / 1e3, age


def main():
    how, feed, stamps, clock, *rest = sys.argv[1:]
    with open(feed) as f:
        feed = f.readlines()
    with open(stamps) as f:
        got = [(m[clock] - m["age_us"], m) for m in map(json.loads, f)]
    all_ages = list({"clicks": clicks, "tone": tone}[how](feed, got, *rest))
    ages = [a for a in all_ages if a]
    errors = sorted(abs(told - true) for true, told in ages)
    n = len(errors)
    print(json.dumps({"of": len(all_ages), "answered": n,
                      "median_age_ms": round(sorted(a for a, _ in ages)[n // 2], 3) if n else None,
                      "median_error_ms": round(errors[n // 2], 3) if n else None,
                      "p90_error_ms": round(errors[n * 9 // 10], 3) if n else None}))
    return 0 if n >= 10 and n * 2 > len(all_ages) and errors[n // 2] < 1 else 1


sys.exit(main())
