#!/usr/bin/env python3
"""curves.py WORK OUT: pictures of what bench_index.sh measured.

OUT/index-recall.svg   recall against time per query, one curve per engine
OUT/index-forest.svg   trees of a forest: recall against queries per second
OUT/index-grid.svg     K and L of hyperplanes: time at a recall of 0.95
"""
import math
import os
import re
import sys

# Okabe and Ito's palette (2008), told apart by colour-blind eyes, and two greys.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444",
           "#8c6d31", "#000000", "#999999", "#7b4173", "#637939"]
INK, SOFT, GRID = "#222222", "#555555", "#e4e4e4"
TARGET = 0.95


def sweeps(path):
    """{engine: [(recall, microseconds), ...]} of a .tsv; empty where there is none."""
    found = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                part = line.rstrip("\n").split("\t")
                if part[0] == "sweep":
                    found.setdefault(part[1], []).append((float(part[3]), float(part[4])))
    return found


def built(path):
    """[(K, L)] of the indexes in a .tsv."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as lines:
        found = (re.search("^built\t.*K (\\d+), L (\\d+)", line) for line in lines)
        return [(int(m[1]), int(m[2])) for m in found if m]


def best(points):
    """What no other point beats in both, by rising recall."""
    kept = []
    for recall, us in sorted(points, key=lambda p: (-p[0], p[1])):
        if not kept or us < kept[-1][1]:
            kept.append((recall, us))
    return kept[::-1]


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Picture:
    """An SVG with text in INK on a white ground of its own."""

    def __init__(self, width, height, title):
        self.size = width, height
        self.parts = []
        self.text(width / 2, 24, title, anchor="middle", size=15)

    def add(self, element):
        self.parts.append(element)

    def text(self, x, y, text, anchor="start", size=12, colour=INK, turn=""):
        self.add('<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s"%s>%s</text>' %
                 (x, y, anchor, size, colour, turn, escape(text)))

    def line(self, x0, y0, x1, y1, colour=GRID, width=1):
        self.add('<path d="M%.1f %.1fL%.1f %.1f" stroke="%s" stroke-width="%s"/>' %
                 (x0, y0, x1, y1, colour, width))

    def curve(self, points, colour):
        self.add('<path d="M%s" fill="none" stroke="%s" stroke-width="1.8"/>' %
                 ("L".join("%.1f %.1f" % p for p in points), colour))
        for x, y in points:
            self.add('<circle cx="%.1f" cy="%.1f" r="2.2" fill="%s"/>' % (x, y, colour))

    def write(self, path):
        with open(path + ".part", "w", encoding="utf-8") as to:
            to.write('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                     'viewBox="0 0 %d %d" font-family="sans-serif">\n' % (self.size * 2))
            to.write('<rect width="100%" height="100%" fill="#ffffff"/>\n')
            to.write("\n".join(self.parts) + "\n</svg>\n")
        os.rename(path + ".part", path)
        print(path)


class Panel:
    """Axes between corners: x by a function of its own, y by its logarithm."""

    def __init__(self, picture, left, top, right, bottom, y_range, x_of, x_ticks):
        self.p, self.left, self.top, self.right, self.bottom = picture, left, top, right, bottom
        self.low, self.high = math.log10(y_range[0]), math.log10(y_range[1])
        self.x_of = x_of
        for value, name in x_ticks:
            x = self.x(value)
            picture.line(x, top, x, bottom)
            picture.text(x, bottom + 16, name, "middle", 11, SOFT)
        for power in range(math.floor(self.low), math.ceil(self.high) + 1):
            for digit in 1, 2, 5:
                value = digit * 10.0 ** power
                if y_range[0] <= value <= y_range[1]:
                    picture.line(left, self.y(value), right, self.y(value))
                    picture.text(left - 6, self.y(value) + 4, "%g" % value if value < 1e4
                                 else "%gk" % (value / 1e3), "end", 11, SOFT)

    def x(self, value):
        return self.left + (self.right - self.left) * self.x_of(value)

    def y(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * share

    def place(self, points):
        return [(self.x(a), self.y(b)) for a, b in points]

    def names(self, x_name, y_name):
        self.p.text((self.left + self.right) / 2, self.bottom + 34, x_name, "middle", 12)
        middle = (self.top + self.bottom) / 2
        self.p.text(self.left - 44, middle, y_name, "middle", 12,
                    turn=' transform="rotate(-90 %.1f %.1f)"' % (self.left - 44, middle))


def round_range(values):
    """The next 1, 2 or 5 below and above."""
    steps = [d * 10.0 ** e for e in range(-3, 9) for d in (1, 2, 5)]
    return (max(s for s in steps if s <= min(values)),
            min(s for s in steps if s >= max(values)))


def by_misses(recall):
    """0.5 .. 0.995 by the logarithm of what is missed."""
    return math.log(0.5 / max(1 - recall, 0.004)) / math.log(0.5 / 0.004)


MISSES = [(r, "%g" % r) for r in (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)]


def draw_recall(work, out):
    sets = [("Frames, which are clustered", sweeps(work + "/real/race.tsv")),
            ("Mixed, which are not", sweeps(work + "/mixed/race.tsv"))]
    sets = [(name, {e: [p for p in best(points) if p[0] >= 0.5] for e, points in found.items()})
            for name, found in sets if found]
    every = [us for _, found in sets for points in found.values() for _, us in points]
    if not every:
        return
    engines = list(dict.fromkeys(e for _, found in sets for e in found))
    columns = max(1, 430 * len(sets) // 280)
    picture = Picture(80 + 430 * len(sets), 470 + 16 * -(-len(engines) // columns),
                      "Recall@10 against time per query, one thread")
    for i, (name, found) in enumerate(sets):
        panel = Panel(picture, 70 + 430 * i, 62, 450 + 430 * i, 400, round_range(every),
                      by_misses, MISSES)
        picture.text(260 + 430 * i, 48, name, "middle", 13)
        panel.names("recall@10", "µs per query, median" if i == 0 else "")
        for e, points in found.items():
            if points:
                picture.curve(panel.place(points), COLOURS[engines.index(e) % len(COLOURS)])
    for i, e in enumerate(engines):
        x, y = 70 + 280 * (i % columns), 460 + 16 * (i // columns)
        picture.line(x, y - 4, x + 18, y - 4, COLOURS[i % len(COLOURS)], 3)
        picture.text(x + 24, y, e)
    picture.write(out + "/index-recall.svg")


def draw_forest(work, out):
    found = {int(t): [(r, 1e6 / us) for r, us in best(points) if r >= 0.2]
             for t, points in sweeps(work + "/curves/forest.tsv").items()}
    found = {t: points for t, points in sorted(found.items()) if points}
    if not found:
        return
    picture = Picture(620, 460, "Hyperplane forest: trees, recall and speed")
    panel = Panel(picture, 80, 50, 500, 400,
                  round_range([q for points in found.values() for _, q in points]),
                  lambda r: (r - 0.2) / 0.8, [(r / 10, "%g" % (r / 10)) for r in range(2, 11)])
    panel.names("recall@10: share of what comparing all finds", "queries per second, one thread")
    for i, (trees, points) in enumerate(found.items()):
        colour = COLOURS[i % len(COLOURS)]
        picture.curve(panel.place(points), colour)
        picture.line(520, 66 + 18 * i, 538, 66 + 18 * i, colour, 3)
        picture.text(544, 70 + 18 * i, "%d tree%s" % (trees, "" if trees == 1 else "s"))
    picture.write(out + "/index-forest.svg")


def time_at(points, recall):
    return min((us for r, us in points if r >= recall), default=None)


def draw_grid(work, out):
    cells = {}
    for name in os.listdir(work + "/curves") if os.path.isdir(work + "/curves") else []:
        if name.startswith("grid-") and name.endswith(".tsv"):
            for engine, points in sweeps("%s/curves/%s" % (work, name)).items():
                cells[tuple(map(int, engine.split("-")))] = time_at(points, TARGET)
    chosen = built(work + "/curves/chosen.tsv")
    cells.update({c: time_at(sweeps(work + "/curves/chosen.tsv").get("chosen", []), TARGET)
                  for c in chosen if c not in cells})
    times = [t for t in cells.values() if t]
    if not times:
        return
    ks, ls = (sorted({c[i] for c in cells}) for i in (0, 1))
    low, high = math.log(min(times)), math.log(max(times))
    picture = Picture(110 + 74 * len(ks), 130 + 44 * len(ls),
                      "Hyperplanes: µs per query at a recall@10 of %g" % TARGET)
    for (k, l), us in sorted(cells.items()):
        x, y = 80 + 74 * ks.index(k), 44 + 44 * (len(ls) - 1 - ls.index(l))
        shade = (math.log(us) - low) / max(high - low, 1e-9) if us else None
        picture.add('<rect x="%d" y="%d" width="72" height="42" fill="%s"%s/>' %
                    (x, y, "#ffffff" if shade is None else
                     "rgb(%d,%d,%d)" % (120 + 130 * shade, 190 + 50 * shade, 255 - 30 * shade),
                     ' stroke="#d55e00" stroke-width="3"' if (k, l) in chosen else
                     ' stroke="#e4e4e4"'))
        picture.text(x + 36, y + 26, "%.0f" % us if us else "-", "middle", 13)
    bottom = 44 + 44 * len(ls)
    for k in ks:
        picture.text(116 + 74 * ks.index(k), bottom + 18, str(k), "middle", 11, SOFT)
    for l in ls:
        picture.text(72, 70 + 44 * (len(ls) - 1 - ls.index(l)), str(l), "end", 11, SOFT)
    picture.text(80 + 37 * len(ks), bottom + 38, "K: planes of a key", "middle")
    middle = 44 + 22 * len(ls)
    picture.text(34, middle, "L: tables", "middle",
                 turn=' transform="rotate(-90 34 %d)"' % middle)
    picture.text(80 + 37 * len(ks), bottom + 60,
                 "framed: what the tuner takes; -: not reached", "middle", 11, SOFT)
    picture.write(out + "/index-grid.svg")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: curves.py WORK OUT")
    draw_recall(*sys.argv[1:])
    draw_forest(*sys.argv[1:])
    draw_grid(*sys.argv[1:])
