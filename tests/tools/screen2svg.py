#!/usr/bin/env python3
"""A terminal's screen (stdin, as `tmux capture-pane -e -p` gives it) as a picture (SVG,
stdout). Styles that hearken top uses: bold, dim, inverse, red, green, yellow."""
import html
import re
import sys
import unicodedata

WIDE, HIGH, MARGIN = 8.4, 18, 12  # of a character, around all
COLOURS = {31: "#ff6b68", 32: "#6cc070", 33: "#e0b050"}
PLAIN, DIM, PAPER = "#d8d8d8", "#7c7c7c", "#1c1c1c"


def apply(style, codes):
    """What a style becomes by the codes of one escape sequence."""
    for code in (int(c or 0) for c in codes.split(";")):
        if code == 0:
            style = {}
        elif code == 1:
            style = {**style, "bold": True}
        elif code == 2:
            style = {**style, "dim": True}
        elif code == 7:
            style = {**style, "inverse": True}
        elif code == 22:
            style = {k: v for k, v in style.items() if k not in ("bold", "dim")}
        elif code in COLOURS:
            style = {**style, "colour": COLOURS[code]}
        elif code == 39:
            style = {k: v for k, v in style.items() if k != "colour"}
    return style


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def main():
    rows, style = [], {}
    for line in sys.stdin.read().rstrip("\n").split("\n"):
        runs = []
        for text, codes in re.findall(r"([^\x1b]+)|\x1b\[([0-9;]*)m", line):
            if text:
                runs += [(part, style) for part in re.findall("\u2588+|\u2591+|[^\u2588\u2591]+", text)]
            else:
                style = apply(style, codes)
        rows.append(runs)
    width = max(sum(columns(t) for t, _ in runs) for runs in rows) * WIDE + 2 * MARGIN
    height = len(rows) * HIGH + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
          f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">')
    print(f'<rect width="100%" height="100%" rx="6" fill="{PAPER}"/>')
    for y, runs in enumerate(rows):
        at = 0
        for text, s in runs:
            n = columns(text)
            x, base = MARGIN + at * WIDE, MARGIN + y * HIGH + 14
            colour = s.get("colour", DIM if s.get("dim") else PLAIN)
            at += n
            if s.get("inverse"):
                print(f'<rect x="{x:.1f}" y="{base - 14}" width="{n * WIDE:.1f}" height="{HIGH}" fill="{colour}"/>')
                colour = PAPER
            if text[0] in "\u2588\u2591":  # as a rectangle: fonts leave gaps
                full = colour if text[0] == "\u2588" else "#3a3a3a"
                print(f'<rect x="{x:.1f}" y="{base - 11}" width="{n * WIDE:.1f}" height="13" fill="{full}"/>')
            elif text.strip():
                bold = ' font-weight="bold"' if s.get("bold") else ""
                print(f'<text x="{x:.1f}" y="{base}" textLength="{n * WIDE:.1f}" xml:space="preserve" '
                      f'fill="{colour}"{bold}>{html.escape(text)}</text>')
    print("</svg>")


main()
