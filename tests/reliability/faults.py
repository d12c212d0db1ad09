#!/usr/bin/env python3
"""faults.py: does one fault after the other to a JACK server, many times, and tells how
hearken listen came through: tables in Markdown on stdout.

usage: faults.py [-n 100] [--server jackd|pipewire] [--name NAME] [--json FILE] [FAULT...]
       faults.py --tables FILE...

"Came back" means: the sound that was played after the fault was found again, rank 1, over OSC.
Times are from the moment at which all was as before the fault (the server answers clients
again, the port is there again). They include the 0.2 s of silence with which the player begins
and, where the player had to be started too, its start.
"""
import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

import rig as r
from rig import now

FROZEN_LONG_S = 9


class Lost(Exception):
    """It did not come back; the text says how."""


# ---- What is done. Each returns the time from which hearken is to come back. -------------

def back(rig, sound, rate=48000, period=256, more=()):
    t = rig.server.start(rate, period, more)
    rig.start_feed(sound)
    return t


def absent(rig, _i, sound):
    rig.stop_feed()
    rig.server.stop()
    rig.start_listener()
    if not rig.osc.wait(lambda: rig.osc.state_after("waiting", 0), 5):
        raise Lost("it did not say that it waits for a server")
    return back(rig, sound)


def killed(rig, _i, sound):
    rig.server.stop(signal.SIGKILL)
    return back(rig, sound)


def terminated(rig, _i, sound):
    rig.server.stop(signal.SIGTERM)
    return back(rig, sound)


def frozen(rig, seconds):
    rig.server.freeze()
    t = now()
    stalled = rig.osc.wait(lambda: rig.osc.state_after("stalled", t), 5)
    time.sleep(max(0, t + seconds - now()))
    rig.server.thaw()
    if not stalled:
        raise Lost("it did not say that the server is stalled")
    return now()


def frozen_short(rig, _i, _sound):
    return frozen(rig, 2)


def frozen_long(rig, _i, sound):
    frozen(rig, FROZEN_LONG_S)
    t = now()
    if not rig.feed.alive():
        rig.start_feed(sound)
    return t


def frozen_killed(rig, _i, sound):
    frozen(rig, 3)
    rig.server.freeze()
    time.sleep(2)
    rig.server.stop(signal.SIGKILL)
    return back(rig, sound)


def other_rate(rig, i, sound):
    rig.server.stop(signal.SIGKILL)
    return back(rig, sound, rate=(44100, 96000, 48000)[i % 3])


def other_period(rig, i, sound):
    rig.server.stop(signal.SIGKILL)
    return back(rig, sound, period=(64, 1024, 128, 512, 256)[i % 5])


def buffer_size(rig, i, _sound):
    if not rig.server.set_period((64, 1024, 128, 512, 256)[i % 5]):
        raise RuntimeError("the server does not change its period")
    return now()


def rate_changed(rig, i, sound):
    rig.stop_feed()
    if not rig.server.set_rate((44100, 96000, 48000)[i % 3]):
        raise RuntimeError("the server does not change its rate")
    time.sleep(0.3)
    t = now()
    rig.start_feed(sound)
    return t


def late_neighbour(rig, _i, _sound):
    rig.jack(os.path.join(r.TOOLS, "jackhog"), "-u", "20000", "-e", "100", "-t", "1")
    return now()


def port_cut(rig, _i, _sound):
    if rig.jack("jack_disconnect", "feed:out_1", "hearken:in") is None:
        raise RuntimeError("the ports cannot be disconnected")
    time.sleep(0.5)
    t = now()
    # hearken may have mended it already: then this fails, and that is as good
    rig.jack("jack_connect", "feed:out_1", "hearken:in")
    return t


def source_gone(rig, _i, sound):
    rig.feed.process.kill()
    rig.feed.process.wait()
    until = now() + 10 # as long as the server has not seen it, the next one gets another name
    while now() < until and "feed:" in (rig.jack("jack_lsp") or ""):
        time.sleep(0.05)
    t = now()
    rig.start_feed(sound)
    return t


def bad_jack(rig, sound, which):
    """What libjack did by itself once in some hundred times, by a shim each time."""
    done = os.path.join(rig.work, "tap.bad")
    open(done, "wb").close()
    rig.start_listener(bad_jack=which)
    rig.start_feed(sound)
    if not rig.matched(now(), 20):
        raise Lost("it finds nothing before the fault")
    before = rig.osc.fresh_status()
    os.unlink(done)
    rig.server.stop(signal.SIGKILL)
    since = back(rig, sound)
    if not rig.osc.wait(lambda: os.path.exists(done), 5):
        raise Lost("the shim did nothing")
    if not rig.osc.wait(lambda: rig.osc.status.get("reconnects", 0) > before["reconnects"], 30):
        raise Lost("it was not connected again")
    less = [k for k in before if rig.osc.status[k] < before[k]]
    if less:
        raise Lost(f"counters began at 0: {' '.join(less)}")
    return since


def close_held(rig, _i, sound):
    return bad_jack(rig, sound, "HOLDCLOSE")


def open_crashed(rig, _i, sound):
    return bad_jack(rig, sound, "BUSOPEN")


def name_taken(rig, _i, sound):
    rig.stop_feed()
    other = subprocess.Popen(
        rig.server.command(os.path.join(r.TOOLS, "jackfeed"), "-n", "hearken", "-k", "60"),
        env=rig.server.env, stdout=subprocess.DEVNULL)
    try:
        if not wait_port(rig, "hearken:out_1"):
            raise RuntimeError("the other hearken does not start")
        rig.start_listener()
        # PipeWire gives another name and does not tell, so there is nothing to wait for
        if rig.server.kind == J and not rig.osc.wait(lambda: rig.osc.state_after("waiting", 0), 5):
            raise Lost("it did not say that it waits for its name")
    finally:
        r.end(other)
    t = now()
    rig.start_feed(sound)
    return t


def self_connect_refused(rig, _i, sound):
    rig.stop_feed()
    rig.server.stop()
    rig.start_listener()
    t = rig.server.start(more=("-a", "e"))
    rig.start_feed(sound)
    # jackd 1.9.21 may mix up clients that come while others come and go (a client then cannot
    # wake another, which stands still until it is opened anew): connect when both are there
    until = now() + 10
    while now() < until and not (rig.feed.starts and rig.listener.said("the stream begins")):
        time.sleep(0.02)
    rig.jack("jack_connect", "feed:out_1", "hearken:in")
    return t


def wait_port(rig, port, seconds=10):
    until = now() + seconds
    while now() < until:
        if port in (rig.jack("jack_lsp") or "").split("\n"):
            return True
        time.sleep(0.05)
    return False


J, P = "jackd", "pipewire"
# name: (what, text, servers, fresh listener each time, same server, running throughout)
FAULTS = {
    "absent": (absent, "no server at start, started later", (J, P), True, False),
    "killed": (killed, "server SIGKILL, started again", (J, P), False, False),
    "terminated": (terminated, "server SIGTERM, started again", (J, P), False, False),
    "frozen": (frozen_short, "server SIGSTOP for 2 s", (J, P), False, False),
    "frozen-long": (frozen_long, f"server SIGSTOP for {FROZEN_LONG_S} s", (J, P), False, False),
    "frozen-killed": (frozen_killed, "server SIGSTOP twice, SIGKILL, started again", (J, P), False, False),
    "rate": (other_rate, "server back at another rate", (J, P), False, False),
    "period": (other_period, "server back at another period", (J, P), False, False),
    "buffer-size": (buffer_size, "period changed while running", (J, P), False, True),
    "rate-changed": (rate_changed, "rate changed while running", (P,), False, False),
    "xruns": (late_neighbour, "a neighbour 20 ms late, 1 s long", (J,), False, True),
    "port-cut": (port_cut, "port cut, mended after 0.5 s", (J, P), False, True),
    "source-gone": (source_gone, "player SIGKILL, started again", (J, P), False, False),
    "close-held": (close_held, "libjack does not come back from closing", (J,), True, False),
    "open-crashed": (open_crashed, "libjack gets SIGBUS in opening", (J,), True, False),
    "name-taken": (name_taken, "its name taken at start, free later", (J, P), True, False),
    "self-connect": (self_connect_refused, "server refuses self-connect", (J,), True, False),
}


# ---- The repetitions ---------------------------------------------------------------------

class Tally:
    """What became of the repetitions of one fault."""

    def __init__(self, name, kind):
        self.name, self.kind = name, kind
        self.n = self.came_back = self.judged = 0
        self.match_s, self.running_s, self.lines = [], [], []
        self.resources, self.failures, self.states = [], [], set()
        self.counted = self.behind = self.ahead = self.first_place = 0
        self.at = None
        self.missing = collections.Counter()

    def judge(self, rig, since):
        """How far the stream is behind its first place (a loss that was not counted), and ahead of
        it: jackd numbers a cycle that is late like the next one, and time may be lost, too."""
        here = (rig.feed, rig.listener)
        place = r.place(*here, since)
        if place is None:
            return
        if self.at != here:
            self.at, self.first_place = here, place
        self.judged += 1
        self.behind = max(self.behind, place - self.first_place)
        self.ahead = max(self.ahead, self.first_place - place)

    def row(self):
        match, running = r.spread(self.match_s), r.spread(self.running_s)
        threads = sorted({x["threads"] for x in self.resources})
        fds = sorted({x["fds"] for x in self.resources})
        rss = [x["rss_kb"] for x in self.resources]
        quarter = len(rss) // 4
        return {
            "fault": self.name, "text": FAULTS[self.name][1], "server": self.kind, "n": self.n,
            "came_back": self.came_back, "match_s": match, "running_s": running,
            "lines": r.spread(self.lines, digits=0), "states": sorted(self.states),
            "judged": self.judged, "counted": self.counted,
            "missing": dict(self.missing), "behind": self.behind, "ahead": self.ahead, "threads": threads, "fds": fds,
            "rss_kb": [rss[quarter], rss[-1]] if rss else [], "failures": self.failures}


def begin(rig, sound):
    """All as on a good day: server, listener, sound, and the sound is found."""
    if not rig.server.process or rig.server.process.poll() is not None:
        rig.server.start()
    if not rig.listener or not rig.listener.alive():
        rig.start_listener()
    if not rig.feed or not rig.feed.alive():
        rig.start_feed(sound)
    if not rig.matched(now(), 20):
        raise Lost("it finds nothing before the fault")


def stop_listener(rig, tally):
    """It must end when told to, and well: a sanitizer that found something says so there. What
    it counted as lost is put beside what the servers really did not give to it."""
    listener = rig.listener
    status = rig.stop_listener()
    if not listener:
        return
    if status != 0:
        said = [s for s in listener.said("") if "Sanitizer" in s] or listener.said("")[-1:]
        tally.failures.append(f"it ended with status {status}: {' / '.join(said[:2])}")
    tap = listener.tap()
    if tap:
        tally.counted += listener.summary().get("lost_frames", 0)
        tally.missing.update({k: tap[k] for k in ("skipped", "stopped", "away")})


def again(rig, tally, keep_server=False):
    """Everything new."""
    if rig.server.process:
        rig.server.thaw()
    stop_listener(rig, tally)
    rig.stop_feed()
    if rig.server.process and not keep_server:
        rig.server.stop(signal.SIGKILL)


def repeat(rig, tally, i, sound, do, same):
    fault_at = now()
    since = do(rig, i, sound)
    failed = rig.feeds_failed
    match = rig.matched(since, 30)
    if not match:
        raise Lost("what was played was not found within 30 s; state "
                   + str(rig.osc.states[-1:] and rig.osc.states[-1][1]))
    if not rig.osc.wait(lambda: rig.osc.last_state[1] == "running", 15):
        raise Lost(f"it found what was played, but says that it is {rig.osc.last_state[1]}")
    running = rig.osc.state_after("running", since)
    tally.came_back += 1
    tally.match_s.append(match - since if rig.feeds_failed == failed else None)
    tally.running_s.append(running and running - since)
    if same: # two more beginnings of the sound, to see where the stream stands
        n = len(rig.feed.starts)
        rig.osc.wait(lambda: len(rig.feed.starts) > n + 1, 3)
        time.sleep(0.1)
        tally.judge(rig, since)
    tally.lines.append(len(rig.listener.said("", fault_at)))
    tally.states.add(" ".join(s for t, s in rig.osc.states if t >= fault_at))
    tally.resources.append(rig.listener.resources())


def run_fault(rig, name, n):
    do, _text, _servers, fresh, same = FAULTS[name]
    tally = Tally(name, rig.server.kind)
    sounds = sorted(r.Rig.SOUNDS)
    sound = sounds[0]
    for i in range(n):
        tally.n += 1
        try:
            if fresh:
                again(rig, tally, keep_server=True)
                if not rig.server.process:
                    rig.server.start()
            else:
                begin(rig, sound)
                if not same:
                    sound = sounds[i % len(sounds)]
            repeat(rig, tally, i, sound, do, same)
        except Lost as why:
            tally.failures.append(f"{i}: {why}")
            for _t, line in (rig.listener.lines[-6:] if rig.listener else []):
                print(f"    {line}", file=sys.stderr)
            again(rig, tally)
        if (i + 1) % 10 == 0 or i + 1 == n:
            print(f"{rig.server.kind} {name}: {tally.came_back} of {tally.n}", file=sys.stderr)
    again(rig, tally)
    return tally.row()


def reconnects(rig, n):
    """So many servers, one after the other, for one listener: does it grow? Beside it the least
    that a client can be does the same: what that one grows by, libjack does."""
    tally = Tally("reconnects", rig.server.kind)
    begin(rig, "pluck")
    least = subprocess.Popen(rig.server.command(os.path.join(r.TOOLS, "reopen")),
                             env=rig.server.env)
    least_kb = []
    for i in range(n):
        tally.n += 1
        rig.stop_feed()
        at = now()
        rig.server.stop(random.choice((signal.SIGKILL, signal.SIGTERM)))
        since = rig.server.start()
        running = rig.osc.wait(lambda: rig.osc.state_after("running", at), 30)
        if not running:
            tally.failures.append(f"{i}: not running after 30 s")
            again(rig, tally)
            begin(rig, "pluck")
            continue
        tally.came_back += 1
        tally.running_s.append(running - since)
        if i % 50 == 49 or i + 1 == n:
            rig.start_feed("pluck")
            if not rig.matched(since):
                tally.failures.append(f"{i}: running, but finds nothing")
            rig.stop_feed()
            print(f"{rig.server.kind} reconnects: {tally.came_back} of {tally.n}, "
                  f"{rig.listener.resources()}", file=sys.stderr)
        time.sleep(0.2)
        rig.osc.wait(lambda: rig.osc.last_state[1] == "running", 10)
        tally.resources.append(rig.listener.resources())
        least_kb.append(r.resources(least.pid)["rss_kb"])
    r.end(least)
    again(rig, tally)
    return dict(tally.row(), least_kb=[least_kb[len(least_kb) // 4], least_kb[-1]])


FAULTS["reconnects"] = (reconnects, "servers one after the other, one listener", (J, P), False, False)


# ---- Tables ------------------------------------------------------------------------------

BACK = """| server | fault | came back | found again, s: median | max | `running`, s: median | max | lines said, at most |
|---|---|---|---|---|---|---|---|"""
KEPT = """| server | fault | frames lost, as counted | skipped by the server | no server, or it stood still | stream behind, at most | ahead | threads | descriptors | RSS, kB: after a quarter → end |
|---|---|---|---|---|---|---|---|---|---|---|"""


def cells(*values):
    return "| " + " | ".join(str(v) for v in values) + " |"


def back_row(row):
    return cells(row["server"], row["text"], f"{row['came_back']} of {row['n']}", *row["match_s"],
                 *row["running_s"], row["lines"][1])


def kept_row(row):
    def span(v):
        return "-" if not v else v[0] if v[0] == v[-1] else f"{v[0]} to {v[-1]}"
    missing = row["missing"]
    lost = [row["counted"], missing["skipped"], missing["away"] + missing["stopped"]] \
        if missing else ["-"] * 3
    rss = " → ".join(map(str, row["rss_kb"]))
    if "least_kb" in row:
        rss += " (the least client: {} → {})".format(*row["least_kb"])
    return cells(row["server"], row["text"], *lost, *([row["behind"], row["ahead"]] if row["judged"] else "--"),
                 span(row["threads"]), span(row["fds"]), rss)


def tables(rows):
    print(BACK, *map(back_row, rows), "", KEPT, *map(kept_row, rows), sep="\n")


def did_not_hold(row):
    """What of a row is not as it should be. What a stream was ahead it may fall behind later, at
    most the longest period."""
    wrong = list(row["failures"])
    if row["behind"] > 1024:
        wrong.append(f"{row['behind']} frames were lost and not counted")
    return wrong


def from_files(files):
    rows = []
    for name in files:
        with open(name, encoding="utf-8") as f:
            rows += map(json.loads, f)
    tables(rows)


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    a.add_argument("-n", type=int, default=100)
    a.add_argument("--server", choices=(J, P), default=J)
    a.add_argument("--name", default="hkfaults")
    a.add_argument("--json", metavar="FILE", help="adds a line for each fault")
    a.add_argument("--tables", metavar="FILE", nargs="+", help="only prints what those lines say")
    a.add_argument("fault", nargs="*")
    o = a.parse_args()
    if o.tables:
        from_files(o.tables)
        return
    names = o.fault or [f for f in FAULTS if o.server in FAULTS[f][2] and f != "reconnects"]
    rig, rows = r.Rig(o.server, o.name), []
    try:
        for name in names:
            rows.append(reconnects(rig, o.n) if name == "reconnects" else run_fault(rig, name, o.n))
            if o.json:
                with open(o.json, "a", encoding="utf-8") as f:
                    f.write(json.dumps(rows[-1]) + "\n")
    finally:
        rig.close()
        tables(rows)
    wrong = [f"{row['fault']}: {w}" for row in rows for w in did_not_hold(row)]
    print(*[f"did not hold: {w}" for w in wrong], sep="\n", file=sys.stderr)
    sys.exit(1 if wrong or len(rows) < len(names) else 0)


main()
