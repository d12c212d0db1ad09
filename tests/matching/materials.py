"""Sound that is none of the corpus: what beds are made of, by seed. Arrays are mono, at RATE,
float, and of an RMS of 1.

The background that hearken calibrates itself with (rt/background_setup.c) is made otherwise:
uniform noise through fixed poles, hum that neither drifts nor breathes, one set of harmonics
for each burst. Nothing here shares a generator, a seed or a recording with it.
"""
import os
import subprocess

import numpy as np

RATE = 48000
LOWEST_HZ = 20  # of noise and rooms
QUIET_S = 0.4  # of a recording, between two ticks of a clock
FEWEST = 10  # of such parts
STEADY_DB = 3  # normal noise wanders by less than one


def rng_of(*key):
    """A generator of its own for each thing that is named, whatever is made before it."""
    return np.random.default_rng(list("/".join(map(str, key)).encode()))


def at_rms(x, rms=1.0):
    return x * (rms / np.sqrt(np.mean(np.square(x))))


def read(path):
    """A sound file, mono at RATE; none of it is left to chance by sox."""
    raw = subprocess.run(["sox", "-V1", "-D", path, "-t", "f32", "-r", str(RATE), "-c", "1", "-"],
                         stdout=subprocess.PIPE, check=True).stdout
    return np.frombuffer(raw, np.float32).astype(float)


def shaped(x, gain):
    """x through a filter that gain(hz) gives the amplitudes of."""
    hz = np.fft.rfftfreq(len(x), 1 / RATE)
    return np.fft.irfft(np.fft.rfft(x) * gain(hz), len(x))


def noise(rng, n, slope):
    """Normal noise whose amplitudes fall with the slope-th power of the frequency."""
    return shaped(rng.standard_normal(n),
                  lambda hz: np.where(hz < LOWEST_HZ, 0, np.maximum(hz, LOWEST_HZ) ** -slope))


def slow(rng, n, every_s):
    """A curve in -1..1 with a turn every so many seconds."""
    knots = rng.uniform(-1, 1, int(n / RATE / every_s) + 3)
    return np.interp(np.arange(n) / RATE / every_s, np.arange(len(knots)), knots)


def tones(rng, n, hz, harmonics, fall):
    """Harmonics of a frequency that drifts by a thousandth, each of its own strength."""
    phase = 2 * np.pi * np.cumsum(hz * (1 + 1e-3 * slow(rng, n, 7))) / RATE
    x = np.zeros(n)
    for h in harmonics:
        strength = h ** -fall * 10 ** rng.uniform(-0.6, 0)
        x += strength * (1 + 0.2 * slow(rng, n, 3)) * np.sin(h * phase + rng.uniform(0, 6.28))
    return at_rms(x)


def hum(rng, n, hz):
    """Mains: all, odd or even harmonics, and 35 to 55 dB below them hiss."""
    first, step = [(1, 1), (1, 2), (2, 2)][rng.integers(3)]
    harmonics = range(first, rng.integers(6, 41), step)
    hiss = 10 ** (-rng.uniform(35, 55) / 20)
    return tones(rng, n, hz, harmonics, rng.uniform(0.5, 1.5)) + hiss * rng.standard_normal(n)


def fan(rng, n):
    """Air: dull noise that breathes, and the tones of blades."""
    corner, slope = rng.uniform(150, 900), rng.uniform(0.8, 1.6)
    air = shaped(rng.standard_normal(n), lambda hz: (1 + hz / corner) ** -slope * (hz > LOWEST_HZ))
    air = at_rms(air) * (1 + 0.2 * slow(rng, n, 0.8))
    blades = tones(rng, n, rng.uniform(40, 180), range(1, 6), 1)
    return air + 10 ** (-rng.uniform(0, 15) / 20) * blades


def steadiness_db(x):
    """How much the level wanders, from one hundredth of a second to the next."""
    n = RATE // 100
    power = np.mean(x[:len(x) // n * n].reshape(-1, n) ** 2, axis=1)
    return np.std(10 * np.log10(power + 1e-20))


def quiet_parts(x, share=0.5):
    """The quieter windows of a recording, backwards: those in which nothing happens, no drop
    and no tick, and that are louder than what a codec leaves of silence. Of too few a loop would
    be made, not a room: then none."""
    n = int(QUIET_S * RATE)
    parts = [x[i:i + n] for i in range(0, len(x) - n + 1, n // 4)]
    parts = sorted((p for p in parts if np.mean(p ** 2) > 1e-8), key=lambda p: np.mean(p ** 2))
    parts = [p[::-1] for p in parts[:int(share * len(parts))] if steadiness_db(p) < STEADY_DB]
    return parts if len(parts) >= FEWEST else []


def room(rng, n, parts):
    """Quiet parts of one recording in any order, cut anywhere, so that there is no beat; each
    is faded into the next by equal power. Then a filter."""
    fade = RATE // 20
    x, at = np.zeros(n + int(2 * QUIET_S * RATE)), 0
    while at < n + fade:
        part = at_rms(parts[rng.integers(len(parts))])
        length = rng.integers(len(part) // 2, len(part))
        begin = rng.integers(len(part) - length)
        grain = part[begin:begin + length].copy()
        grain[:fade] *= np.sin(np.linspace(0, np.pi / 2, fade))
        grain[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade))
        x[at:at + length] += grain
        at += length - fade
    low, high = rng.uniform(20, 120), 10 ** rng.uniform(2.7, 4)
    return shaped(x, lambda hz: (hz / (hz + low)) / (1 + (hz / high) ** 2))[fade:fade + n]


class Materials:
    """What there is: names and, by name and seed, so many seconds of it."""

    def __init__(self, esc10):
        self.names = ["white", "pink", "brown", "hum 50 Hz", "hum 60 Hz", "fan"]
        self.recordings = []
        if esc10:
            for kind in ("rain", "clock_tick"):
                folder = os.path.join(esc10, kind)
                self.recordings += [os.path.join(folder, f) for f in sorted(os.listdir(folder))]
            self.names.append("room tone")

    def rooms(self, rng, n, each_s=120):
        """Another room every two minutes, suddenly."""
        x, length = np.zeros(n), int(each_s * RATE)
        for i in range(0, n, length):
            some = min(length, n - i)
            parts = []
            while not parts:
                parts = quiet_parts(read(self.recordings[rng.integers(len(self.recordings))]))
            x[i:i + some] = at_rms(room(rng, some, parts))
        return x

    def make(self, name, seed, seconds):
        n, rng = int(seconds * RATE), rng_of(name, seed)
        if name == "silence":
            return np.zeros(n)
        if name == "room tone":
            return self.rooms(rng, n)
        if name.startswith("hum"):
            return at_rms(hum(rng, n, float(name.split()[1])))
        if name == "fan":
            return at_rms(fan(rng, n))
        return at_rms(noise(rng, n, {"white": 0, "pink": 0.5, "brown": 1}[name]))
