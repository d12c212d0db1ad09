#!/usr/bin/env python3
"""Joins what jackfeed -k printed with what oscstamp printed: how long from the cycle that
carried a click to the packet that answers it.

usage: latency.py FEED.json STAMPS.jsonl [--path /match] [--clock raw|mono] [--window-ms 500]
                  [--markdown SERVER]

A click is answered by the first message with that path after its cycle began, inside the
window, before the next click. --clock raw for jackd2, mono for PipeWire.
The figures are from the start of the callback of the feeder: the time in which the period
was gathered (one period at a sound card) is not in them, and is added on top.
"""
import argparse
import bisect
import json


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    a.add_argument("feed")
    a.add_argument("stamps")
    a.add_argument("--path")
    a.add_argument("--clock", choices=("raw", "mono"), default="raw")
    a.add_argument("--window-ms", type=float, default=500)
    a.add_argument("--markdown", metavar="SERVER", help="a row of a table instead of JSON")
    o = a.parse_args()
    with open(o.feed) as f:
        feed = json.loads(f.readlines()[-1])
    with open(o.stamps) as f:
        msgs = sorted(m[o.clock] for m in map(json.loads, f)
                      if not o.path or m["path"] == o.path)
    clicks = [c[1] for c in feed["clicks"]]
    got, missed = [], 0
    for i, t in enumerate(clicks):
        end = min([t + o.window_ms * 1e3] + clicks[i + 1:i + 2])
        k = bisect.bisect_left(msgs, t)
        if k < len(msgs) and msgs[k] < end:
            got.append(msgs[k] - t)
        else:
            missed += 1
    got.sort()

    def q(p):
        return round(got[min(len(got) - 1, int(p * len(got)))], 1) if got else None

    if o.markdown:
        row = [o.markdown, feed["period"], f"`{o.path}`", len(clicks), len(got)]
        row += [round(q(p)) if got else "-" for p in (.5, .95, .99, 1)]
        row += ["yes" if feed["clean"] else f"no: {feed['lost_frames']} frames"]
        print("| " + " | ".join(map(str, row)) + " |")
        return
    print(json.dumps({"clicks": len(clicks), "answered": len(got), "missed": missed,
                      "messages": len(msgs), "period": feed["period"], "rate": feed["rate"],
                      "clean": feed["clean"], "min_us": q(0), "median_us": q(.5),
                      "p95_us": q(.95), "p99_us": q(.99), "max_us": q(1)}))


main()
