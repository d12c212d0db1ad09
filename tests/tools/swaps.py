#!/usr/bin/env python3
"""swaps.py PORT COUNT INDEX...: has listen use the indexes in turn, by OSC, one after the other; prints how long
each took to be answered, as JSON. Fails when one was not."""
import json, socket, struct, sys, time


def text(s):
    b = s.encode() + b"\0"
    return b + b"\0" * (-len(b) % 4)


def main():
    port, count, paths = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(20)
    ms, bad = [], 0
    for i in range(count):
        began = time.monotonic()
        s.sendto(text("/hearken/index/load") + text(",s") + text(paths[i % len(paths)]), ("127.0.0.1", port))
        try:
            bad += not s.recv(4096).startswith(b"/hearken/index/loaded\0")
        except socket.timeout:
            bad += 1
        ms.append((time.monotonic() - began) * 1e3)
    ms.sort()
    print(json.dumps({"swaps": count, "bad": bad, "median_ms": round(ms[len(ms) // 2], 2), "most_ms": round(ms[-1], 2)}))
    return bad > 0


sys.exit(main())
