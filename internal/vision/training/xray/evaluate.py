"""What the baggage network finds: python3 -m xray.evaluate --data DIR --weights runs/a

Image-level accuracy on threat against benign photographs is not reported: saturation alone tells them apart. Objects
are projected into benign dev bags and the same bag is compared with and without.
"""
import argparse
import json
import math
import os

import cv2
import numpy as np
import torch

from . import data, shapes
from .net import CLASSES, SURE, Looked, load

ALARMS = 0.05  # false alarms per benign bag at the threshold


@torch.no_grad()
def found(model, g):
    """Per 8x8 cell of a transmission picture (unpadded size rounded up to cells): probability of a threat, and its class
    as a place in net.CLASSES (0 where the network is not sure of one, or tells none)."""
    x = torch.from_numpy(data.pad32(g))[None, None]
    z, kind = model.both(x if isinstance(model, Looked) else model.structure(x))
    h = torch.sigmoid(z)[0, 0].numpy()
    cut = np.s_[:math.ceil(g.shape[0] / data.STRIDE), :math.ceil(g.shape[1] / data.STRIDE)]
    if kind is None:
        return h[cut], np.zeros(h.shape, np.int64)[cut]
    sure, k = torch.softmax(kind[0, 1 - len(CLASSES):], 0).max(0)
    return h[cut], torch.where(sure > SURE, k + 1, 0).numpy()[cut]


def heat(model, g):
    """The probability alone."""
    return found(model, g)[0]


def wilson(k, n, z=1.645):
    """90 % interval of a share."""
    if n == 0:
        return 0.0, 1.0
    p, d = k / n, 1 + z * z / n
    c, r = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (c - r) / d, (c + r) / d


def share(k, n):
    """k of n as text with its interval."""
    lo, hi = wilson(k, n)
    return f"{k}/{n} = {100 * k / max(n, 1):.0f} % ({100 * lo:.0f}-{100 * hi:.0f})"


def auc(pos, neg):
    """Chance that a positive scores above a negative."""
    pos, neg = np.asarray(pos)[:, None], np.asarray(neg)[None]
    return float((pos > neg).mean() + 0.5 * (pos == neg).mean())


def near(mask):
    """Cells an object touches, one cell wider."""
    h, w = (math.ceil(v / data.STRIDE) for v in mask.shape)
    m = np.pad(mask, ((0, h * 8 - mask.shape[0]), (0, w * 8 - mask.shape[1])))
    m = m.reshape(h, 8, w, 8).max((1, 3))
    return cv2.dilate(m.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def projected(model, bags, make, threshold, seed, repeats=3):
    """Scores of bags with one object each: image maximum, whether the object itself is marked, what was without it."""
    rng, top, marked, fresh = np.random.default_rng(seed), [], 0, 0
    for g, before in bags:
        for _ in range(repeats):
            t = make(rng)
            if t is None or min(t.shape) < 6:
                continue
            with_it = g.copy()
            mask = data.project(rng, with_it, t, floor=float(np.percentile(g, 0.5)))
            h = heat(model, np.clip(with_it + rng.normal(0, 0.004, g.shape), 0, 1).astype(np.float32))
            at = near(mask)
            top.append(float(h.max()))
            hit = bool((h[at] >= threshold).any())
            marked += hit
            fresh += hit and not (before[at] >= threshold).any()
    return top, marked, fresh


def real_threats(model, rows, threshold):
    """Dev threat scans: alarms, and where boxes cover under half of the bag, hits against the darkest blob."""
    alarm, hits, dark, cases, boxes_hit, boxes_all = 0, 0, 0, 0, 0, 0
    for r in rows:
        g, s = data.scan(r["path"])
        h = heat(model, g)
        alarm += h.max() >= threshold
        boxes = [x["box"] for x in r["labels"] if x["box"]]
        inside = np.zeros(g.shape, bool)
        for x, y, w, hh in (np.array(b) * s for b in boxes):
            inside[int(y):int(y + hh) + 1, int(x):int(x + w) + 1] = True
            cells = h[int(y / 8):int((y + hh) / 8) + 1, int(x / 8):int((x + w) / 8) + 1]
            boxes_hit += bool(cells.size and cells.max() >= threshold)
            boxes_all += 1
        bag = g < 0.95
        if not boxes or inside[bag].mean() > 0.5:
            continue
        cases += 1
        i, j = np.unravel_index(h.argmax(), h.shape)
        hits += bool(inside[min(i * 8 + 4, g.shape[0] - 1), min(j * 8 + 4, g.shape[1] - 1)])
        i, j = np.unravel_index(cv2.GaussianBlur(g, (0, 0), 8).argmin(), g.shape)
        dark += bool(inside[i, j])
    print(f"  alarmed {share(alarm, len(rows))}; boxes marked {share(boxes_hit, boxes_all)}")
    if cases:
        print(f"  boxes under half of the bag, {cases} scans: hottest cell in a box {share(hits, cases)}, darkest blob {share(dark, cases)}")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data")
    p.add_argument("--weights", default="runs")
    p.add_argument("--held-out", nargs="*", default=["gun"], help="classes the weights were never trained on")
    args = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    folder = data.root(args.data)
    model = load(args.weights)
    spare = [data.scan(r["path"])[0] for r in data.lines(folder, split="train", kind="baggage") if data.held_out(r["path"])]
    spare_top = [float(heat(model, g).max()) for g in spare]
    threshold = float(np.clip(np.quantile(spare_top, 1 - ALARMS, method="higher"), 0.02, 0.995))
    with open(os.path.join(args.weights, "xray.json"), "w", encoding="utf-8") as f:
        json.dump({"threshold": round(threshold, 4), "bags": len(spare)}, f)
    bags = [data.scan(r["path"])[0] for r in data.lines(folder, split="dev", kind="baggage", energy="pseudocolor", threat=False)]
    bags = [(g, heat(model, g)) for g in bags]
    clean = [float(h.max()) for _, h in bags]
    print(f"threshold {threshold:.3f} from {len(spare)} benign train bags kept out of training, wanted {100 * ALARMS:.0f} % false alarms")
    print(f"benign dev bags alarmed: {share(sum(c >= threshold for c in clean), len(clean))}")
    size = lambda rng: float(np.exp(rng.uniform(np.log(60), np.log(150))))
    for name, views in sorted(data.sprites(folder).items()):
        make = lambda rng: data.turn(rng, views[int(rng.integers(len(views)))], size(rng))
        top, marked, _ = projected(model, bags, make, threshold, 11)
        seen = "never trained on" if name in args.held_out else "trained on"
        print(f"projected {name} ({seen}): AUC {auc(top, clean):.3f}, alarmed {share(sum(t >= threshold for t in top), len(top))}, "
              f"marked on the object {share(marked, len(top))}")
    top, marked, _ = projected(model, bags, lambda rng: data.turn(rng, shapes.threat(rng)[0], size(rng)), threshold, 12)
    print(f"projected procedural threats (same family as trained): AUC {auc(top, clean):.3f}, marked {share(marked, len(top))}")

    def patch(rng):
        t = data.cut(rng, spare[int(rng.integers(len(spare)))])
        return None if t is None else data.turn(rng, t, size(rng))

    for name, make in (("patches of other bags", patch), ("procedural harmless things", lambda rng: data.turn(rng, shapes.benign(rng), size(rng)))):
        top, marked, fresh = projected(model, bags, make, threshold, 13)
        print(f"benign {name}: marked {share(marked, len(top))}, of them new {share(fresh, len(top))}")
    for energy in ("pseudocolor", "grey"):
        rows = data.lines(folder, split="dev", kind="baggage", energy=energy, threat=True)
        print(f"real threat scans, {energy} ({len(rows)}):")
        real_threats(model, rows, threshold)
    rows = data.lines(folder, split="dev", kind="baggage", energy="grey", threat=False)
    top = [float(heat(model, data.scan(r["path"])[0]).max()) for r in rows]
    print(f"real benign grey crops (another scanner, threshold not calibrated for it): alarmed {share(sum(t >= threshold for t in top), len(top))}")


if __name__ == "__main__":
    main()
