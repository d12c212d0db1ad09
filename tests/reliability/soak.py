#!/usr/bin/env python3
"""soak.py: a long time of random faults, loads and receivers, by seed, while everything that can be
checked of hearken listen is checked. The summary goes to stdout; status 0 when all of it held.

usage: soak.py [--seconds 3600] [--seed 1] [--server jackd|pipewire] [--name NAME]
"""
import argparse
import collections
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import rig as r
from rig import now

# The fates of an answer; later ones that this hearken does not have count nothing.
FATES = ("paused", "gated", "silent", "below_score", "background", "unconfirmed", "rate_limited", "matched",
         "shed_scenes", "shed_events", "shed_frames")


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Watchdog(threading.Thread):
    """systemd's side of a service with a watchdog: the longest time without a sign of life."""
    LIMIT_S = 30 # as the service units have it

    def __init__(self, work):
        super().__init__(daemon=True)
        self.path = os.path.join(work, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.signs, self.last, self.longest = 0, now(), 0.0
        self.start()

    def run(self):
        while True:
            if b"WATCHDOG=1" in self.socket.recv(4096):
                if self.signs:
                    self.longest = max(self.longest, now() - self.last)
                self.signs, self.last = self.signs + 1, now()


class Other(threading.Thread):
    """A second receiver, that comes, goes, or is there and never reads."""

    def __init__(self):
        super().__init__(daemon=True)
        self.lock = threading.Lock()
        self.socket, self.reads, self.n = None, False, 0
        self.port = free_port()
        self.start()

    def come(self, reads):
        with self.lock:
            if not self.socket:
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.socket.bind(("127.0.0.1", self.port))
                self.socket.setblocking(False)
            self.reads = reads

    def go(self):
        with self.lock:
            if self.socket:
                self.socket.close()
            self.socket = None

    def run(self):
        while True:
            time.sleep(0.05)
            with self.lock:
                try:
                    while self.socket and self.reads:
                        self.socket.recv(65536)
                        self.n += 1
                except BlockingIOError:
                    pass


class Soak:
    def __init__(self, o):
        self.o, self.rng = o, random.Random(o.seed)
        self.rig = r.Rig(o.server, o.name)
        self.watchdog, self.other = Watchdog(self.rig.work), Other()
        self.rig.server.env.update(NOTIFY_SOCKET=self.watchdog.path,
                                   WATCHDOG_USEC=str(Watchdog.LIMIT_S * 1000000))
        self.records = os.path.join(self.rig.work, "records")
        os.mkdir(self.records)
        self.broken, self.done = [], collections.Counter()
        self.last = collections.deque(maxlen=4)
        self.return_s, self.samples, self.silences, self.dumps = [], [], [], 0
        self.placed, self.judged = None, 0
        self.dated = 0.0 # from when on lines are read as they come
        self.behind = self.ahead = 0
        self.before = {}
        self.help = r.sh(os.path.join(r.BIN, "hearken"), "listen", "--help") or ""
        self.commands = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.command_port = free_port()
        self.began = now()

    def fault(self, text):
        line = f"at {now() - self.began:.0f} s, after {', '.join(self.last)}: {text}"
        self.broken.append(line)
        print(f"soak: BROKEN {line}", file=sys.stderr, flush=True)

    # -- What is done --

    def sound(self):
        return self.rng.choice(sorted(r.Rig.SOUNDS))

    def restart(self, sig, rate=48000, period=256):
        sound = self.sound()
        self.rig.server.stop(sig)
        time.sleep(self.rng.choice((0, 0, 1, 4)))
        self.rig.server.start(rate, period)
        self.rig.start_feed(sound)

    def do_kill(self):
        self.restart(signal.SIGKILL)

    def do_terminate(self):
        self.restart(signal.SIGTERM)

    def do_rate(self):
        self.restart(signal.SIGKILL, rate=self.rng.choice(r.Rig.RATES))

    def do_period(self):
        self.restart(signal.SIGTERM, period=self.rng.choice((64, 128, 512, 1024)))

    def do_freeze(self):
        self.rig.server.freeze()
        time.sleep(self.rng.choice((0.3, 2, 2, 9)))
        self.rig.server.thaw()

    def do_buffer_size(self):
        self.rig.server.set_period(self.rng.choice((64, 128, 256, 512, 1024)))

    def do_xruns(self):
        self.rig.jack(os.path.join(r.TOOLS, "jackhog"), "-u", "20000", "-e", "50", "-t", "2")

    def do_burn(self):
        seconds = str(self.rng.choice((2, 5, 10)))
        burners = [subprocess.Popen(["timeout", seconds, "sh", "-c", "while :; do :; done"])
                   for _ in range(os.cpu_count() or 1)]
        for b in burners:
            b.wait()

    def do_cut(self):
        self.rig.jack("jack_disconnect", "feed:out_1", "hearken:in")
        time.sleep(0.5)
        self.rig.jack("jack_connect", "feed:out_1", "hearken:in")

    def do_source(self):
        self.rig.feed.process.kill()
        self.rig.start_feed(self.sound())

    def do_receiver(self):
        self.rng.choice((lambda: self.other.come(True), lambda: self.other.come(False),
                         self.other.go))()

    def do_dump(self):
        if "--record-seconds" in self.help:
            self.dumps += 1
            self.rig.listener.process.send_signal(signal.SIGUSR1)

    def do_command(self):
        """Commands, right ones and wrong ones, and what is none; then a flood of them."""
        junk = bytes(self.rng.randrange(256) for _ in range(self.rng.randrange(200)))
        some = [r.osc_message("/hearken/match/k", self.rng.randint(1, 5)),
                r.osc_message("/hearken/match/score", self.rng.uniform(-1, 0.1)),
                r.osc_message("/hearken/set", "match.confirm-ms", 100 * self.rng.randint(1, 2)),
                r.osc_message("/hearken/match/gate-db", "loud"), r.osc_message("/hearken/list"),
                r.osc_message("/hearken/subscribe", self.other.port, 5),
                r.osc_message("/hearken/query/file", self.rig.sound_file("pluck", 48000)),
                r.osc_message("/hearken/pause"), r.osc_message("/hearken/resume"), junk]
        for message in some * self.rng.choice((1, 1, 300)):
            self.commands.sendto(message, ("127.0.0.1", self.command_port))
        time.sleep(1)
        for message in (r.osc_message("/hearken/resume"), r.osc_message("/hearken/match/score", 0.0),
                        r.osc_message("/hearken/match/confirm-ms", 0)):
            self.commands.sendto(message, ("127.0.0.1", self.command_port))

    def do_slow_reader(self):
        for f in self.rig.listener.followers[:1]:
            f.reading.clear()
            time.sleep(self.rng.choice((1, 5)))
            f.reading.set()
            self.dated = now() + 1

    def do_nothing(self):
        time.sleep(self.rng.uniform(1, 5))

    # -- What is checked --

    def check_status(self):
        """Once per status: counters only grow, fates sum up but for those under way."""
        status = dict(self.rig.osc.status)
        for name, n in status.items():
            if n < self.before.get(name, 0):
                self.fault(f"counter {name} went back from {self.before[name]} to {n}")
        self.before = status
        if status:
            under_way = status["answers"] - sum(status.get(f, 0) for f in FATES)
            if abs(under_way) > 8:
                self.fault(f"{under_way} answers have no fate")
            if status["dropped_blocks"] > status["blocks"]:
                self.fault("more blocks were dropped than came")

    def check_place(self):
        """On one connection to one player the stream must not fall behind: that would be a loss that
        was not counted. It may get ahead, and then be as much behind again: jackd numbers a cycle
        that is late like the next one, and hearken counts time that the clock lost, too."""
        connection = (self.rig.feed, len(self.rig.osc.states))
        place = r.place(self.rig.feed, self.rig.listener, max(now() - 2.5, self.dated))
        if place is None:
            return
        if self.placed and self.placed[0] == connection:
            self.judged += 1
            behind = place - self.placed[1]
            self.behind, self.ahead = max(self.behind, behind), max(self.ahead, -behind)
            if behind > 1024: # the longest period
                self.fault(f"the stream is {behind} frames behind: they were not counted")
        else:
            self.placed = (connection, place)

    def check_return(self, action, at):
        rig = self.rig
        if not rig.listener.alive():
            self.fault(f"hearken ended with status {rig.listener.process.poll()} after {action}")
            return False
        if not rig.feed or not rig.feed.alive(): # jackfeed does not live through all of it
            rig.start_feed(self.sound())
        match = rig.matched(at, 40)
        if not match:
            state = rig.osc.states[-1][1] if rig.osc.states else "never heard of"
            self.fault(f"nothing is found within 40 s after {action}; state {state}")
            for _t, line in rig.listener.lines[-8:]:
                print(f"    {line}", file=sys.stderr)
            return False
        self.return_s.append(match - at)
        # after a long standstill the old connection may go on while it is being closed
        if not rig.osc.wait(lambda: rig.osc.last_state[1] == "running", 15):
            self.fault(f"it finds what is played, but says that it is {rig.osc.last_state[1]}")
        return True

    def listen(self):
        options = ["--osc-to", f"127.0.0.1:{self.other.port}", "--osc-to", "127.0.0.1:9"]
        if "--osc-listen" in self.help:
            options += ["--osc-listen", f"127.0.0.1:{self.command_port}"]
        if "--record-seconds" in self.help:
            options += ["--record-seconds", "20", "--record-folder", self.records]
        self.rig.start_listener(*options)
        self.before, self.placed = {}, None

    def step(self, actions):
        action = self.rng.choice(actions)
        self.done[action] += 1
        self.last.append(action)
        getattr(self, "do_" + action)()
        at = now()
        if not self.check_return(action, at):
            self.rig.stop_listener()
            self.rig.stop_feed()
            self.rig.server.thaw()
            self.rig.server.stop(signal.SIGKILL)
            self.rig.server.start()
            self.rig.start_feed(self.sound())
            self.listen()
            return
        time.sleep(self.rng.uniform(1.5, 3))
        self.check_status()
        self.check_place()
        self.samples.append((now() - self.began, self.rig.listener.resources()))

    def run(self):
        actions = [a[3:] for a in dir(self) if a.startswith("do_")]
        if self.o.server == "pipewire":
            actions.remove("xruns")
        self.index_was = digest(self.rig.index)
        self.rig.server.start()
        self.rig.start_feed("pluck")
        self.listen()
        said = now()
        while now() - self.began < self.o.seconds:
            self.step(actions)
            if now() - said > 60:
                said = now()
                print(f"soak: {now() - self.began:.0f} s, {sum(self.done.values())} actions, "
                      f"{len(self.broken)} broken, {self.samples[-1:] and self.samples[-1][1]}",
                      file=sys.stderr, flush=True)
        self.finish()

    def finish(self):
        rig, osc = self.rig, self.rig.osc
        listener = rig.listener
        received_by = now()
        status = rig.stop_listener()
        time.sleep(0.3)
        total = listener.summary()
        if status:
            self.fault(f"hearken ended with status {status} when told to end")
        fates = sum(total.get(f, 0) for f in FATES)
        if not total or total.get("answers", 0) != fates:
            self.fault(f"the exit summary has {total.get('answers')} answers and {fates} fates")
        drops = socket_drops(osc.port)
        if osc.holes != drops:
            self.fault(f"{osc.holes} messages are missing, of which the system dropped {drops}")
        if osc.bad:
            self.fault(f"{len(osc.bad)} malformed packets, the first {osc.bad[0]}")
        if digest(rig.index) != self.index_was:
            self.fault("the index changed")
        if self.watchdog.longest > Watchdog.LIMIT_S:
            self.fault(f"the watchdog was not fed for {self.watchdog.longest:.1f} s")
        self.check_growth()
        self.check_dumps()
        self.report(total, osc, received_by)

    def check_growth(self):
        s = [x for _t, x in self.samples if x]
        if len(s) < 9:
            return
        early, late = s[:len(s) // 3], s[-len(s) // 3:]
        for what, slack in (("rss_kb", 2048), ("threads", 0), ("fds", 0)):
            was, is_now = max(x[what] for x in early), min(x[what] for x in late)
            if is_now > was + slack:
                self.fault(f"{what} grew from {was} to {is_now}")

    def check_dumps(self):
        for f in os.listdir(self.records):
            path = os.path.join(self.records, f)
            if f.endswith(".wav") and r.sh("soxi", path) is None:
                self.fault(f"{f} cannot be read")

    def report(self, total, osc, t):
        s = [x for _t, x in self.samples if x]
        first, last = s[len(s) // 3], s[-1]
        median, most = r.spread(self.return_s)
        print(f"""server {self.o.server}, seed {self.o.seed}, {t - self.began:.0f} s
actions: {", ".join(f"{n} {a}" for a, n in sorted(self.done.items()))}
players that the server did not take {self.rig.feeds_failed}
found again after each: median {median} s, at most {most} s
messages received {osc.received}, missing {osc.holes}; dumps asked for {self.dumps}, written {
            len([f for f in os.listdir(self.records) if f.endswith(".wav")])}
signs of life to the watchdog {self.watchdog.signs}, longest without {self.watchdog.longest:.1f} s
place of the stream judged {self.judged} times, behind by at most {self.behind} frames, ahead by {
            self.ahead}
after a third of the time → end: RSS {first["rss_kb"]} → {last["rss_kb"]} kB, threads {
            first["threads"]} → {last["threads"]}, descriptors {first["fds"]} → {last["fds"]}
counters: {" ".join(f"{k} {v}" for k, v in total.items())}
{"all of it held" if not self.broken else f"{len(self.broken)} checks did not hold:"}""")
        for b in self.broken:
            print("  " + b)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def socket_drops(port):
    """Datagrams that the system dropped at a socket of ours, because its buffer was full."""
    with open("/proc/net/udp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            if int(words[1].split(":")[1], 16) == port:
                return int(words[-1])
    return 0


def main():
    a = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    a.add_argument("--seconds", type=float, default=3600)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--server", choices=sorted(r.SERVERS), default="jackd")
    a.add_argument("--name", default="hksoak")
    soak = Soak(a.parse_args())
    try:
        soak.run()
    finally:
        soak.rig.close()
    sys.exit(1 if soak.broken else 0)


main()
