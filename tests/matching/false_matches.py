"""What is matched where nothing of the corpus sounds."""
from collections import Counter

from ask import matches, name_of

PIECE_S = 600
LEVELS_DB = (-20, -45, -30, -15, -40, -25)  # RMS of the pieces, by turns
PAUSE_S = 2  # matches further apart are two of what somebody would call false alarms


def piece(asker, materials, material, i):
    x = materials.make(material, "false %d" % i, PIECE_S)
    if material != "silence":
        x *= 10 ** (LEVELS_DB[i % len(LEVELS_DB)] / 20)
    lines = asker.ask(x)
    return {"seconds": PIECE_S, "onsets": sum(m["type"] == "onset" for m in lines),
            "matches": [[m["time"], m["scale"], name_of(m)] for m in matches(lines)]}


def alarms(pieces):
    """Runs of matches, which is what somebody notices."""
    n = 0
    for p in pieces:
        times = sorted(m[0] for m in p["matches"])
        n += sum(1 for a, b in zip([-PAUSE_S - 1] + times, times) if b - a > PAUSE_S)
    return n


def rows(asker, materials, hours):
    """(material, hours, {scale: matches}, alarms, most frequent answers, onsets)"""
    for material in materials.names + ["silence"]:
        n_pieces = max(1, round(hours * 3600 / PIECE_S))
        pieces = [asker.once("false %s %d" % (material, i),
                             lambda i=i: piece(asker, materials, material, i))
                  for i in range(n_pieces)]
        found = [m for p in pieces for m in p["matches"]]
        yield (material, sum(p["seconds"] for p in pieces) / 3600,
               Counter(m[1] for m in found), alarms(pieces), Counter(m[2] for m in found),
               sum(p["onsets"] for p in pieces))


def table(asker, materials, hours):
    got = list(rows(asker, materials, hours))
    scales = ["event", "scene"] + sorted({s for r in got for s in r[2]} - {"event", "scene"})
    print("| %.3g h of | %s | all an hour | runs an hour | most often taken for | "
          "onsets an hour |" % (got[0][1], " | ".join(scales)))
    print("|---|" + "---|" * (len(scales) + 4))
    for material, h, by_scale, n_alarms, names, n_onsets in got:
        print("| %s | %s | %.1f | %.1f | %s | %.0f |" % (
            material, " | ".join("%.1f" % (by_scale[s] / h) for s in scales),
            sum(by_scale.values()) / h, n_alarms / h,
            ", ".join("%s %d" % n for n in names.most_common(3)), n_onsets / h))
    heard = [r for r in got if r[0] != "silence"]

    def mean(of):
        return "%.1f" % (sum(of(r) / r[1] for r in heard) / len(heard))
    print("| mean without silence | %s | %s | %s | | |" % (
        " | ".join(mean(lambda r, s=s: r[2][s]) for s in scales),
        mean(lambda r: sum(r[2].values())), mean(lambda r: r[3])))
