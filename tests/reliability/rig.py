"""What faults.py, soak.py and killed.py share: servers to ill-treat, a source of sound, and
hearken under watch. Everything is private to the run (a server name or folder of its own), on
the loopback, and only processes that were started here are ever signalled."""
import collections
import glob
import json
import os
import re
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

BIN = os.environ.get("B", "build")
TOOLS = os.path.join(BIN, "tests/tools")
TAP = ("connections", "cycles", "frames", "skipped", "stopped", "away") # of cycletap.c
now = time.monotonic


def sh(*cmd, env=None, timeout=20):
    """Runs a command to its end; its output, or None when it failed or did not end."""
    try:
        r = subprocess.run(cmd, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                           stdin=subprocess.DEVNULL, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return r.stdout.decode(errors="replace") if r.returncode == 0 else None


def end(process, sig=signal.SIGTERM, seconds=10):
    """Ends one of our processes; its status, and whether it had to be killed."""
    if process is None:
        return None, False
    if process.poll() is None:
        process.send_signal(sig)
    try:
        return process.wait(seconds), False
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(), True


def resources(pid):
    """Resident kilobytes, threads, descriptors of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            status = f.read()
        return {"rss_kb": int(re.search(r"VmRSS:\s+(\d+)", status).group(1)),
                "threads": int(re.search(r"Threads:\s+(\d+)", status).group(1)),
                "fds": len(os.listdir(f"/proc/{pid}/fd"))}
    except (OSError, AttributeError):
        return None


class Follower(threading.Thread):
    """Reads a pipe to its end, but not while reading is cleared; hands every line with its
    time of arrival to take()."""

    def __init__(self, pipe, take):
        super().__init__(daemon=True)
        self.pipe, self.take, self.reading = pipe, take, threading.Event()
        self.reading.set()
        self.start()

    def run(self):
        for line in self.pipe:
            self.reading.wait()
            self.take(now(), line.decode(errors="replace").rstrip("\n"))


SANITIZED = re.search(r"lib[at]san", sh("ldd", os.path.join(BIN, "hearken")) or "") is not None


# ---- Servers ---------------------------------------------------------------------------

class Jackd:
    """jackd on the dummy backend. Its parent reaps it, so a killed one can be started again."""
    kind = "jackd"

    def __init__(self, name, work):
        self.name, self.process, self.died = name, None, None
        self.log = os.path.join(work, "jackd.log")
        self.env = dict(os.environ, JACK_DEFAULT_SERVER=name, JACK_NO_START_SERVER="1",
                        JACK_NO_AUDIO_RESERVATION="1")
        fifo = subprocess.run(["chrt", "-f", "60", "true"], stderr=subprocess.DEVNULL)
        self.scheduling = ["-R", "-P", "60"] if fifo.returncode == 0 else ["-r"]
        self.rate, self.period = 48000, 256

    def command(self, *cmd):
        return list(cmd)

    def start(self, rate=48000, period=256, more=()):
        """Starts it; the time at which it was there for clients."""
        self.rate, self.period = rate, period
        until = now() + 120 # others may hold the eight places that a machine has for servers
        while now() < until:
            if self.launch(more):
                return now()
            self.heal()
            time.sleep(1)
        with open(self.log, encoding="utf-8", errors="replace") as log:
            raise RuntimeError("jackd does not start: " + log.read()[-400:])

    def heal(self):
        """A jackd that is killed as it starts may leave its database of metadata, which all
        servers of a user share, so that none starts any more (SIGBUS): when nobody has it."""
        database = f"/dev/shm/jack_db-{os.getuid()}"
        if self.died == -signal.SIGBUS and not sh("pgrep", "jackd"):
            print(f"removing {database}, which no jackd can read any more", file=sys.stderr)
            shutil.rmtree(database, ignore_errors=True)

    def launch(self, more):
        """Whether it is there for clients."""
        with open(self.log, "wb") as log:
            # 64 ports: the default of 2048 takes more shared memory than a container has
            self.process = subprocess.Popen(
                ["jackd", "--name", self.name, *self.scheduling, "-p", "64", *more, "-d", "dummy",
                 "-r", str(self.rate), "-p", str(self.period)],
                env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = now() + 15
        while now() < until and self.process.poll() is None:
            if sh("jack_lsp", env=self.env, timeout=5) is not None:
                return True
            time.sleep(0.02)
        self.died = end(self.process)[0]
        self.process = None # what another server of that name has is not ours to remove
        return False

    def stop(self, sig=signal.SIGTERM):
        end(self.process, sig)
        self.process = None
        for f in glob.glob(f"/dev/shm/jack_sem.*_{self.name}_*") + \
                glob.glob(f"/dev/shm/jack_{self.name}_*"):
            os.unlink(f)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def set_period(self, period):
        self.period = period
        return sh("jack_bufsize", str(period), env=self.env) is not None

    def close(self):
        if self.process:
            self.thaw()
            self.stop()


class PipeWire:
    """A PipeWire daemon of our own; JACK programs reach it through pw-jack."""
    kind = "pipewire"

    def __init__(self, _name, work):
        self.process, self.log = None, os.path.join(work, "pipewire.log")
        self.dir = tempfile.mkdtemp(prefix="hearken-pw-")
        self.env = dict(os.environ, XDG_RUNTIME_DIR=self.dir, XDG_CONFIG_HOME=self.dir,
                        PIPEWIRE_LATENCY="256/48000")
        self.env.pop("JACK_DEFAULT_SERVER", None)
        self.env.setdefault("LSAN_OPTIONS", "suppressions=" + os.path.abspath("tests/lsan.supp"))
        self.rate, self.period = 48000, 256

    def command(self, *cmd):
        return ["pw-jack", *cmd]

    def start(self, rate=48000, period=256, more=()):
        assert not more
        self.rate, self.period = rate, period
        folder = os.path.join(self.dir, "pipewire/pipewire.conf.d")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "test.conf"), "w") as f:
            f.write("context.properties = { default.clock.rate = %d default.clock.quantum = %d\n"
                    "default.clock.min-quantum = 16\n"
                    "default.clock.allowed-rates = [ 44100 48000 96000 ] }\n" % (rate, period))
        self.env["PIPEWIRE_LATENCY"] = f"{period}/{rate}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["pipewire"], env=self.env, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        until = now() + 15
        while now() < until and self.process.poll() is None:
            if sh("pw-cli", "info", "0", env=self.env, timeout=5) is not None:
                return now()
            time.sleep(0.02)
        raise RuntimeError("pipewire does not start: " + open(self.log).read()[-400:])

    def stop(self, sig=signal.SIGTERM):
        end(self.process, sig)
        self.process = None

    freeze, thaw = Jackd.freeze, Jackd.thaw

    def force(self, what, value):
        return sh("pw-metadata", "-n", "settings", "0", f"clock.force-{what}", str(value),
                  env=self.env) is not None

    def set_period(self, period):
        self.period = period
        return self.force("quantum", period)

    def set_rate(self, rate):
        self.rate = rate
        # until its first cycle a client is told the rate that it asks for
        self.env["PIPEWIRE_LATENCY"] = f"{self.period}/{rate}"
        return self.force("rate", rate)

    def close(self):
        if self.process:
            self.thaw()
            self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


SERVERS = {"jackd": Jackd, "pipewire": PipeWire}


# ---- OSC -------------------------------------------------------------------------------

def osc_parse(data):
    """A plain message of i, f and s arguments."""
    def text(at):
        stop = data.index(b"\0", at)
        return data[at:stop].decode(errors="replace"), (stop + 4) & ~3
    path, at = text(0)
    types, at = text(at)
    args = []
    for t in types[1:]:
        if t == "s":
            value, at = text(at)
        else:
            value = struct.unpack_from(">i" if t == "i" else ">f", data, at)[0]
            at += 4
        args.append(value)
    return path, args


def osc_message(path, *args):
    def text(s):
        data = s.encode() + b"\0"
        return data + bytes(-len(data) % 4)
    types, body = ",", b""
    for a in args:
        types += {int: "i", float: "f", str: "s"}[type(a)]
        body += text(a) if isinstance(a, str) else struct.pack(">i" if isinstance(a, int) else ">f", a)
    return text(path) + text(types) + body


class Receiver(threading.Thread):
    """Receives from one hearken; keeps what came, the last status, and holes in seq."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.changed = threading.Condition()
        self.forget()
        self.start()

    def forget(self):
        with self.changed:
            self.matches, self.states, self.status, self.status_at = [], [], {}, 0
            self.last_state = (0, "")
            self.seq, self.holes, self.received, self.bad = None, 0, 0, []

    def run(self):
        while True:
            data = self.socket.recv(65536)
            t = now()
            with self.changed:
                try:
                    self.take(t, *osc_parse(data))
                except (ValueError, IndexError, struct.error) as fault:
                    self.bad.append(f"{fault}: {data[:60]!r}")
                self.changed.notify_all()

    def take(self, t, path, args):
        seq = args[0]
        self.received += 1
        if self.seq is not None and seq > self.seq + 1:
            self.holes += seq - self.seq - 1
        self.seq = seq
        if path == "/hearken/match":
            if args[3] == 1:
                self.matches.append((t, os.path.basename(args[11])[:-4], args[9]))
                del self.matches[:-5000]
        elif path == "/hearken/status":
            self.status, self.status_at = dict(zip(args[2::2], args[3::2])), t
            if not self.states or self.states[-1][1] != args[1]:
                self.states.append((t, args[1]))
            self.last_state = (t, args[1])

    def wait(self, test, seconds):
        """Until test() gives something true; that, or None."""
        until = now() + seconds
        with self.changed:
            while True:
                got = test()
                left = until - now()
                if got or left <= 0:
                    return got or None
                self.changed.wait(min(left, 0.5))

    def match_of(self, sound, after):
        """The first of that sound, and of what sounded after that time: ages are in ms."""
        return next((m for m in self.matches
                     if m[1] == sound and m[0] - m[2] / 1000 >= after), None)

    def state_after(self, state, after):
        """When it first said so after that time."""
        for t, s in self.states:
            if t >= after and s == state:
                return t
        return None

    def fresh_status(self, seconds=5):
        t = now()
        self.wait(lambda: self.status_at > t, seconds)
        return dict(self.status)


# ---- hearken and what it hears ---------------------------------------------------------

class Hearken:
    """hearken listen as a child process."""

    def __init__(self, rig, *options, bad_jack=None):
        self.rig, self.lines, self.onsets = rig, [], []
        self.began = now()
        command = [os.path.join(BIN, "hearken"), "listen", rig.index, "-f", "json",
                   "--match-scales", "frame,event,scene", "--match-score", "0",
                   "--osc-to", f"127.0.0.1:{rig.osc.port}", *options]
        for option, value in (("--jack-connect", "feed:out_1"), ("--osc-listen", "none"),
                              ("--osc-query", "none")):
            if option not in options:
                command += [option, value]
        self.tap_file = os.path.join(rig.work, "tap")
        with open(self.tap_file, "wb") as f:
            f.write(bytes(8 * len(TAP)))
        env = rig.server.env
        if not SANITIZED: # a sanitizer wants to be loaded first
            shims = ["cycletap.so"] + ["badjack.so"] * bool(bad_jack)
            env = dict(env, CYCLETAP=self.tap_file, **({bad_jack: self.tap_file + ".bad"} if bad_jack else {}),
                       LD_PRELOAD=":".join(os.path.abspath(os.path.join(TOOLS, s)) for s in shims))
        self.process = subprocess.Popen(rig.server.command(*command), env=env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.followers = [Follower(self.process.stdout, self.take_line),
                          Follower(self.process.stderr,
                                   lambda t, s: self.lines.append((t, s)))]

    def take_line(self, t, line):
        if line.startswith('{"type":"onset"'):
            self.onsets.append((t, json.loads(line)["frame"]))
            del self.onsets[:-2000]

    def said(self, words, after=0):
        return [s for t, s in list(self.lines) if t >= after and words in s]

    def tap(self):
        """What the servers really gave to it; None where that cannot be seen."""
        with open(self.tap_file, "rb") as f:
            tap = dict(zip(TAP, struct.unpack(f"={len(TAP)}q", f.read())))
        return tap if tap["cycles"] else None

    def alive(self):
        return self.process.poll() is None

    def resources(self):
        return resources(self.process.pid)

    def stop(self, sig=signal.SIGTERM, seconds=15):
        """Its status; -9 when it did not end by itself. All that it printed is read then."""
        status, killed = end(self.process, sig, seconds)
        for f in self.followers:
            f.join(5)
        return -9 if killed else status

    def summary(self):
        """The counters of the exit summary."""
        for line in self.said("in all:"):
            words = line.split("in all:")[1].split()
            return {k: int(v) for k, v in zip(words[::2], words[1::2])}
        return {}


class Feed:
    """jackfeed, playing one sound over and over; knows how many frames went by before each."""
    GAP = 0.2

    def __init__(self, rig, sound, *options):
        self.starts, self.lines = [], []
        self.file = rig.sound_file(sound, rig.server.rate)
        self.process = subprocess.Popen(
            rig.server.command(os.path.join(TOOLS, "jackfeed"), "-s", str(self.GAP), "-l", "9999",
                               "-w", "20", *options, self.file),
            env=rig.server.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.nominal = None
        self.rate = rig.server.rate
        self.gap_frames = round(self.GAP * self.rate)
        self.follower = Follower(self.process.stdout, self.take_line)

    def take_line(self, t, line):
        if line.startswith('{"event":"start"'):
            e = json.loads(line)
            self.nominal = e["frames"] + self.gap_frames
            self.starts.append((t, e["elapsed"]))

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        end(self.process, seconds=3)


def place(feed, listener, since, until=float("inf")):
    """Where the listener's stream stands beside the feed's own count of frames, by the sounds of
    that time: where each began for the feed less where the listener heard it begin. Losses that
    are counted do not move it; one that is not does. None when fewer than two agree."""
    half = feed.nominal / feed.rate / 2 if feed.nominal else 0
    found = collections.Counter(
        frame - onset for t, frame in list(feed.starts)[-400:] if since <= t <= until
        for u, onset in listener.onsets[-400:] if abs(u - t) < half)
    best = found.most_common(1)
    return best[0][0] if best and best[0][1] >= 2 else None


class Rig:
    """A server, a corpus, an index, a receiver; and the sound and the listener of the moment."""
    RATES = (44100, 48000, 96000)
    SOUNDS = {"pluck": "pluck A3", "noise": "noise band 3000 1500",
              "sweep": "sine 300-3000", "chord": "square 220 square mix 331"}

    def __init__(self, kind, name):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143)) # so that all is taken down
        self.work = tempfile.mkdtemp(prefix="hearken-rel-")
        self.server = SERVERS[kind](name, self.work)
        self.osc = Receiver()
        self.feed = self.listener = None
        self.feeds_failed = 0
        self.make_corpus()

    def sound_file(self, sound, rate):
        return os.path.join(self.work, f"play{rate}", sound + ".wav")

    def make_corpus(self):
        corpus = os.path.join(self.work, "corpus")
        os.makedirs(corpus)
        for sound, synth in self.SOUNDS.items():
            f = os.path.join(corpus, sound + ".wav")
            # a silent beginning would hide the attack, by which starts and onsets are joined
            sh("sox", "-R", "-n", "-r", "96000", "-b", "24", "-c", "1", f, "synth", "0.3",
               *synth.split(), "fade", "0.001", "0.3", "0.05", "gain", "-n", "-3")
            for rate in self.RATES:
                os.makedirs(os.path.join(self.work, f"play{rate}"), exist_ok=True)
                sh("sox", "-V1", "-D", f, "-r", str(rate), "-b", "24", self.sound_file(sound, rate))
        self.index = os.path.join(self.work, "x.hkn")
        if sh(os.path.join(BIN, "hearken"), "build", corpus, "-o", self.index, timeout=120) is None:
            raise RuntimeError("the index cannot be built")

    def start_feed(self, sound, *options):
        self.stop_feed()
        self.feed = Feed(self, sound, *options)
        self.sound = sound

    def stop_feed(self):
        if self.feed:
            self.feed.stop()
        self.feed = None

    def start_listener(self, *options, bad_jack=None):
        self.osc.forget()
        self.listener = Hearken(self, *options, bad_jack=bad_jack)
        return self.listener

    def stop_listener(self, sig=signal.SIGTERM):
        status = self.listener.stop(sig) if self.listener else None
        self.listener = None
        return status

    def matched(self, after, seconds=20):
        """When the sound that is played was first found again, or None. A player that the
        server did not take is started anew."""
        until = now() + seconds
        while now() < until and self.listener.alive():
            m = self.osc.wait(lambda: self.osc.match_of(self.sound, after), 1)
            if m:
                return m[0]
            if self.feed and not self.feed.alive():
                self.feeds_failed += 1
                self.start_feed(self.sound)
        return None

    def jack(self, *cmd, timeout=10):
        return sh(*self.server.command(*cmd), env=self.server.env, timeout=timeout)

    def close(self):
        if self.server.process: # a frozen one would hold the others
            self.server.thaw()
        self.stop_listener()
        self.stop_feed()
        self.server.close()
        shutil.rmtree(self.work, ignore_errors=True)


def spread(values, scale=1.0, digits=2):
    """median and max of what is there, as text."""
    v = [x for x in values if x is not None]
    return (f"{scale * statistics.median(v):.{digits}f}", f"{scale * max(v):.{digits}f}") if v else ("-", "-")
