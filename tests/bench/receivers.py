#!/usr/bin/env python3
"""receivers.py sink SECONDS PORT...: takes datagrams at UDP ports, until it is ended, and writes
what came there as JSON: how many, the longest, numbers that are none, holes in seq, by port.
receivers.py judge FOLDER MATCHES FILE=NAME...: what receivers.sh left there, as a table; status 1
when a receiver printed anything else than the log has, or anything was lost."""
import json
import math
import os
import re
import select
import signal
import socket
import struct
import sys
import time

LONGEST = 1400
KEYS = "scale rank score cosine sound start length label path".split()


# ---- Sink ------------------------------------------------------------------------------

def text_at(data, at):
    end = data.index(b"\0", at)
    return data[at:end].decode(), (end + 4) // 4 * 4


def parse(data):
    """Address and arguments; what is in a bundle of one message."""
    if data.startswith(b"#bundle\0"):
        if struct.unpack_from(">i", data, 16)[0] != len(data) - 20:
            raise ValueError("a bundle of something else than one message")
        data = data[20:]
    address, at = text_at(data, 0)
    types, at = text_at(data, at)
    args = []
    for t in types[1:]:
        if t == "s":
            value, at = text_at(data, at)
        else:
            value, = struct.unpack_from(">i" if t == "i" else ">f", data, at)
            at += 4
        args.append((t, value))
    if at != len(data):
        raise ValueError("bytes are left")
    return address, args


def take(port, data):
    port["n"] += 1
    port["longest"] = max(port["longest"], len(data))
    port["too_long"] += len(data) > LONGEST
    try:
        address, args = parse(data)
    except (ValueError, IndexError, struct.error, UnicodeDecodeError):
        port["no_osc"] += 1
        return
    floats = [v for t, v in args if t == "f"]
    port["floats"] += len(floats)
    port["not_finite"] += sum(not math.isfinite(v) for v in floats)
    if address.startswith("/hearken/match"):
        port["matches"] += 1
    if args and args[0][0] == "i" and address.count("/") == 2:
        if args[0][1] != port["next"]:
            port["holes"] += 1
        port["next"] = args[0][1] + 1


def sink(seconds, numbers):
    sockets, ports = [], {}
    for number in numbers:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        s.bind(("127.0.0.1", number))
        sockets.append(s)
        ports[s.fileno()] = dict(n=0, longest=0, too_long=0, no_osc=0, floats=0, not_finite=0,
                                 matches=0, holes=0, next=0)
    print("ready", flush=True)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    until = time.monotonic() + seconds
    while not ended and time.monotonic() < until:
        for s in select.select(sockets, [], [], 0.2)[0]:
            take(ports[s.fileno()], s.recv(65536))
    print(json.dumps(list(ports.values())))


# ---- Judge -----------------------------------------------------------------------------

def value(text):
    try:
        return float(text)
    except ValueError:
        return text


def printed(name):
    """The matches that a receiver printed, each as the list of its arguments."""
    rows = []
    for line in open(name, errors="replace"):
        line = line.rstrip("\n")
        if line.startswith("M\t"):
            rows.append(line.split("\t")[1:])
        elif line.startswith("match: "):
            rows.append(line.split(" ")[1:])
        else:
            m = re.match(r"\S+ /hearken/match issiffifffss (.*)", line)
            if m:
                rows.append([w.strip('"') for w in m.group(1).split(" ")])
    return [[value(w) for w in row] for row in rows]


def equal(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return abs(a - b) <= 1e-5 * max(1, abs(b)) # Pd prints six digits


def log_of(folder, name):
    rows = [json.loads(line) for line in open(os.path.join(folder, name))]
    return [m for m in rows if m["type"] == "match"]


def sink_of(folder, name):
    return json.loads(open(os.path.join(folder, name)).readlines()[-1])


def summary(folder, name):
    for line in open(os.path.join(folder, name)):
        if "in all:" in line:
            words = line.split("in all:")[1].split()
            return {k: int(v) for k, v in zip(words[::2], words[1::2])}
    sys.exit(f"{name}: no summary")


def compare(folder, want, file):
    """How many matches were printed, and how many of them are those of the log, in its order."""
    got, same, at = printed(os.path.join(folder, file)), 0, 0
    for g in got:
        row = g[2:9] + g[10:] # seq, input, age are of the message, not of the match
        here = at
        while here < len(want) and not (len(row) == len(KEYS) and all(map(equal, row, want[here]))):
            here += 1
        if here < len(want):
            same, at = same + 1, here + 1
    return len(got), same


def sinks_are_right(ports, matches, names):
    ok = True
    for name, p in zip(names, ports):
        print(f"- {name}: {p['n']} datagrams, {p['matches']} of them matches; longest {p['longest']} bytes, "
              f"over {LONGEST} bytes {p['too_long']}; of {p['floats']} floats not finite {p['not_finite']}; "
              f"no OSC {p['no_osc']}, holes in seq {p['holes']}")
        ok = ok and not (p["too_long"] or p["no_osc"] or p["not_finite"] or p["holes"]) \
            and p["matches"] == matches and p["floats"] > 0
    return ok


def judge(folder, wanted, receivers):
    log = log_of(folder, "live.json")
    want = [[m[k] for k in KEYS] for m in log]
    counts, seconds = summary(folder, "live.log"), log[-1]["time"] - log[0]["time"]
    ok = len(want) >= wanted and len(want) / seconds >= 950
    print(f"{len(want)} matches in {seconds:.1f} s, {len(want) / seconds:.0f} a second to each; "
          + ", ".join(f"{k} {counts.get(k, 0)}" for k in
                      "sent failed withheld dropped_matches unprinted dropped_blocks xruns".split()))
    ok = ok and not any(counts.get(k) for k in ("failed", "withheld", "dropped_matches", "unprinted"))
    print("\n| receiver | matches printed | as in the log | lost |\n|---|---|---|---|")
    for receiver in receivers:
        file, name = receiver.split("=", 1)
        n, same = compare(folder, want, file)
        ok = ok and n == same == len(want)
        print(f"| {name} | {n} | {same} | {len(want) - n} |")
    print("\nbytes received:")
    names = ("plain", "bundle", "numeric")
    ok = sinks_are_right(sink_of(folder, "sink.json"), len(want), names) and ok
    longest = log_of(folder, "long.json")
    lengths = sorted({(len(m["label"]), len(m["path"])) for m in longest})
    print(f"\nthe longest names: {len(longest)} matches, of label and path {lengths} bytes, input of 63:")
    ports = sink_of(folder, "long-sink.json")
    ok = sinks_are_right(ports[:1], len(longest), names[:1]) and ok
    failed = summary(folder, "long.log").get("failed", 0)
    print(f"- bundle: {ports[1]['n']} datagrams, longest {ports[1]['longest']} bytes, over {LONGEST} bytes "
          f"{ports[1]['too_long']}; not sent, and counted in failed: {failed}")
    return ok and not ports[1]["too_long"] and ports[1]["matches"] + failed == len(longest)


if sys.argv[1] == "sink":
    sink(float(sys.argv[2]), [int(p) for p in sys.argv[3:]])
elif not judge(sys.argv[2], int(sys.argv[3]), sys.argv[4:]):
    sys.exit("not all of it is right")
