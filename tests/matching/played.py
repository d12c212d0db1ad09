"""Sounds of the corpus played: into beds, and over one another."""
import os

import numpy as np

from ask import CORPUS, matches, name_of
from materials import RATE, at_rms, read, rng_of

PER_TAKE = 33  # pieces; each take has a level and a seed of its bed
LEVELS_DB = (-44, -50, -47, -56, -53)  # RMS of the beds of takes
LEAD_S = 12.0  # of the bed alone: it is heard as going on after ten (match.floor-db)
LONGEST_S = 2.5
AFTER_S = 0.5  # of an end, in which answers still belong to what ended
FADE_S = 0.005
WINDOW_S = 1.0  # of the event scale: that long something is part of what is compared


class Sounds:
    """The corpus, decoded once; silence around a sound is left out."""

    def __init__(self):
        self.x = {}
        for f in sorted(os.listdir(CORPUS)):
            if not f.endswith((".flac", ".wav")):
                continue
            x = read(os.path.join(CORPUS, f))
            loud = np.flatnonzero(np.abs(x) > 10 ** (-40 / 20) * np.abs(x).max())
            tail = np.flatnonzero(np.abs(x) > 10 ** (-60 / 20) * np.abs(x).max())
            self.x[os.path.splitext(f)[0]] = x[loud[0]:tail[-1] + 1]
        self.names = sorted(self.x)

    def piece(self, name, rng, least_s, most_s, within):
        """The beginning of a sound, or a part from within its first half; cuts are faded."""
        x, n = self.x[name], int(rng.uniform(least_s, most_s) * RATE)
        fade = int(FADE_S * RATE)
        begin = int(rng.uniform(0, len(x) / 2)) if within and len(x) > 2 * n else 0
        x = x[begin:begin + n].copy()
        if begin:
            x[:fade] *= np.linspace(0, 1, fade)
        if begin + n < len(self.x[name]):
            x[-fade:] *= np.linspace(1, 0, fade)
        return x


def take(sounds, names, key):
    """Each of the sounds once, at an RMS of 1, with pauses: (name, first frame, samples), and
    seconds in all."""
    rng = rng_of("take", key)
    parts, at = [], LEAD_S
    for name in names:
        x = at_rms(sounds.piece(name, rng, 0.5, LONGEST_S, rng.random() < 1 / 3))
        parts.append((name, int(at * RATE), x))
        at += len(x) / RATE + rng.uniform(1.6, 2.4)
    return parts, int(np.ceil(at))


def amplitude(db):
    return 10 ** (db / 20)


def lay(mix, parts):
    """Adds (name, first frame, samples) to the mix; when each begins and ends."""
    for _, i, x in parts:
        mix[i:i + len(x)] += x
    return [(name, i / RATE, (i + len(x)) / RATE) for name, i, x in parts]


def judge(found, truth):
    """Of each piece: matches while it sounds and of these right ones, whether the surest is
    right, and seconds to the first right match, and to the one since which all are."""
    judged = []
    for name, begin, end in truth:
        said = [m for m in found if begin < m["time"] <= end + AFTER_S]
        right = [name_of(m) == name for m in said]
        after = len(right)
        while after and right[after - 1]:
            after -= 1
        surest = max(range(len(said)), key=lambda i: said[i]["cosine"], default=None)
        judged.append({
            "name": name, "said": len(said), "right": sum(right),
            "surest": surest is not None and right[surest],
            "first": said[right.index(True)]["time"] - begin if any(right) else None,
            "final": said[after]["time"] - begin if after < len(right) else None})
    return judged


def in_bed(asker, sounds, materials, material, ratios):
    """What becomes of all sounds in a bed, at each ratio of its level to theirs; without a bed
    each has a level of its own."""
    judged = {r: [] for r in ratios}
    names = list(rng_of("order").permutation(sounds.names))
    for key, i in enumerate(range(0, len(names), PER_TAKE)):
        parts, seconds = take(sounds, names[i:i + PER_TAKE], key)
        level, rng = amplitude(LEVELS_DB[key % len(LEVELS_DB)]), rng_of("levels", key)
        bed = materials.make(material, "bed %d" % key, seconds)
        for r in ratios:
            mix = level * bed
            truth = lay(mix, [(name, at, x * (level * amplitude(r) if r else
                                              amplitude(rng.uniform(-38, -18))))
                              for name, at, x in parts])
            judged[r] += judge(matches(asker.ask(mix), "event"), truth)
    return judged


def two(values):
    """Median and 90th percentile in ms."""
    v = [1000 * x for x in values if x is not None]
    return "%.0f / %.0f" % (np.median(v), np.percentile(v, 90)) if v else "-"


def percent(n, of):
    return "%.0f" % (100 * n / of) if of else "-"


def beds_table(asker, materials, sounds):
    print("| bed | dB | found % | only wrong % | surest right % | right of said % | "
          "first right, ms | final, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for material, ratios in [("silence", [0])] + [(m, [20, 10]) for m in materials.names]:
        in_all = asker.once("bed " + material, lambda m=material, r=ratios:
                            in_bed(asker, sounds(), materials, m, r))
        for ratio, judged in in_all.items():
            n = len(judged)
            print("| %s | %s | %s | %s | %s | %s | %s | %s |" % (
                material, ratio if int(ratio) else "",
                percent(sum(j["right"] > 0 for j in judged), n),
                percent(sum(j["said"] > 0 and not j["right"] for j in judged), n),
                percent(sum(j["surest"] for j in judged), n),
                percent(sum(j["right"] for j in judged), sum(j["said"] for j in judged)),
                two(j["first"] for j in judged), two(j["final"] for j in judged)))
        if material == "silence":
            missed = [j["name"] for j in judged if not j["right"]]
    print("\n%d pieces in each row. Not found in silence: %s." % (
        n, ", ".join(missed) or "none"))


# ---- A performance ------------------------------------------------------------------


def performance(sounds, seed, seconds=60, a_second=3):
    """Hits at a rate that wanders between two and four a second, over one another."""
    rng = rng_of("performance", seed)
    parts, at = [], 0.5
    while at < seconds:
        name = sounds.names[rng.integers(len(sounds.names))]
        x = sounds.piece(name, rng, 0.25, 1.5, False)
        parts.append((name, int(at * RATE), at_rms(x, amplitude(rng.uniform(-36, -20)))))
        at += rng.uniform(0.5, 1.5) / (a_second + np.sin(at / 5))
    mix = np.zeros(int((seconds + 4) * RATE))
    return mix, lay(mix, parts)


def judge_performance(found, truth):
    """A match is right for the last hit of its sound that began before it and is still part of
    the window that is compared."""
    n_right = [0] * len(truth)
    first = [None] * len(truth)
    for m in found:
        for i in range(len(truth) - 1, -1, -1):
            name, begin, end = truth[i]
            if begin < m["time"] <= end + WINDOW_S and name_of(m) == name:
                if first[i] is None:
                    first[i] = m["time"] - begin
                n_right[i] += 1
                break
    return {"hits": len(truth), "matches": len(found), "right": sum(n_right),
            "found": sum(n > 0 for n in n_right), "first": first}


def one_performance(asker, sounds, seed):
    x, truth = performance(sounds, seed)
    return judge_performance(matches(asker.ask(x), "event"), truth)


def performance_table(asker, sounds, n=10):
    print("| minute | hits | matches | a hit | right | wrong | duplicates | hits found | missed | "
          "first right, ms |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    runs = [asker.once("performance %d" % s, lambda s=s: one_performance(asker, sounds(), s))
            for s in range(n)]
    both = {k: sum(r[k] for r in runs) for k in ("hits", "matches", "right", "found")}
    both["first"] = [f for r in runs for f in r["first"]]
    for name, r in [(str(i + 1), r) for i, r in enumerate(runs)] + [("all", both)]:
        print("| %s | %d | %d | %.1f | %d | %d | %d | %d | %d | %s |" % (
            name, r["hits"], r["matches"], r["matches"] / r["hits"], r["right"],
            r["matches"] - r["right"], r["right"] - r["found"], r["found"],
            r["hits"] - r["found"], two(r["first"])))
