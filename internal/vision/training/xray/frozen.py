"""The frozen list of composites that figures are measured on, and how one is made from its line.

frozen/composites.jsonl was written once, before any tuning (python3 -m xray.frozen --data DIR --write), and is not to
change: figures of different models are comparable only on the same list. Its lines hold object, size, attenuation,
place and seed in full; nothing here draws at random but the detector noise, whose seed is in the line. Procedural
objects are kept as pictures in frozen/objects.png, so that changing the training shapes does not change the measure.
"""
import argparse
import json
import os
import zlib

import cv2
import numpy as np

from . import data, shapes

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "frozen")
LIST = os.path.join(HERE, "composites.jsonl")
BAGS = os.path.join(HERE, "bags.json")
SHEET = os.path.join(HERE, "objects.png")
TILE, VIEWS = 128, 6
NOISE = 0.004  # of the open beam, after compositing
KINDS = ("knife", "pistol", "revolver", "grenade", "blade_star", "razor", "pipe")
SPRITES = ("gun", "razor_blade", "shuriken")
PER_BAG = {"sprite": 3, "shape": 1, "patch": 3, "benign": 3}


def bags():
    """Names of the bags that are composited into and of those that only set thresholds."""
    with open(BAGS, encoding="utf-8") as f:
        return json.load(f)


def calibration():
    """Base names of the benign train bags that no training may see."""
    return {os.path.basename(f) for f in bags()["calibration"]}


def lines():
    """The frozen composites."""
    with open(LIST, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


class Maker:
    """Makes composites from their lines."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "xray")
        self.sheet = cv2.imread(SHEET, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
        self.kept = {}

    def bag(self, name):
        """A bag as transmission, long side 512."""
        if name not in self.kept:
            self.kept[name] = data.scan(os.path.join(self.folder, name))[0]
        return self.kept[name]

    def object(self, c):
        """The object's transmission, scaled, squashed, turned and cropped as its line says."""
        if c["source"].startswith("sheet:"):
            row, view = (int(v) for v in c["source"][6:].split(","))
            t = self.sheet[row * TILE:(row + 1) * TILE, view * TILE:(view + 1) * TILE]
        elif "patch" in c:
            t = patch(self.bag(c["source"]), c["patch"])
        else:
            g = cv2.imread(os.path.join(self.folder, c["source"]), cv2.IMREAD_GRAYSCALE)
            k = 256 / max(g.shape)
            g = cv2.resize(g, None, fx=k, fy=k, interpolation=cv2.INTER_AREA).astype(np.float32)
            t = np.clip(g / np.percentile(g, 90), 0.02, 1)
            t = np.where(t > data.CLEAN, 1.0, t).astype(np.float32)
        return pose(t, c["size"], c["angle"], c["squash"], c["flip"])

    def composite(self, c):
        """The bag with the object in it, and the object's mask. Transmissions multiply down to the display's floor."""
        g = self.bag(c["bag"]).copy()
        t = self.object(c) ** c["power"]
        x, y = c["at"]
        part = g[y:y + t.shape[0], x:x + t.shape[1]]
        t = t[:part.shape[0], :part.shape[1]]
        low = np.minimum(part, np.percentile(self.bag(c["bag"]), 0.5))
        part[:] = np.maximum(low + (part - low) * t, 0.015)
        mask = np.zeros(g.shape, bool)
        mask[y:y + t.shape[0], x:x + t.shape[1]] = t < 0.92
        return noisy(g, c["seed"]), mask


def noisy(g, seed):
    """Detector noise; with and without an object a bag gets the same."""
    return np.clip(g + np.random.default_rng(seed).normal(0, NOISE, g.shape), 0, 1).astype(np.float32)


def pose(t, size, angle, squash, flip):
    """Turns a transmission picture whose object's long side becomes size pixels; crops to the object."""
    ys, xs = np.where(t < 0.985)
    if len(ys) == 0:
        return np.ones((2, 2), np.float32)
    t = t[ys.min():ys.max() + 1, xs.min():xs.max() + 1]
    k, n = size / max(t.shape), int(size * 1.5) + 4
    rot = cv2.getRotationMatrix2D((t.shape[1] / 2, t.shape[0] / 2), angle, k)
    rot[:, 2] += n / 2 - np.array([t.shape[1] / 2, t.shape[0] / 2])
    rot[1] *= squash
    if k < 0.6:
        t = cv2.GaussianBlur(t, (0, 0), 0.4 / k)
    out = cv2.warpAffine(t, rot, (n, max(2, int(n * squash))), flags=cv2.INTER_LINEAR, borderValue=1.0)
    out = out[:, ::-1] if flip else out
    ys, xs = np.where(out < 0.985)
    return out[ys.min():ys.max() + 1, xs.min():xs.max() + 1] if len(ys) else np.ones((2, 2), np.float32)


def patch(bag, p):
    """What a benign patch's line cuts out of another bag, its surroundings divided out."""
    x, y, n = p["at"][0], p["at"][1], p["side"]
    cut = bag[y:y + n, x:x + n]
    t = np.clip(cut / max(float(np.percentile(cut, p["around"])), 0.1), 0.03, 1)
    if "outline" in p:
        m = np.zeros((n, n), np.float32)
        cv2.fillPoly(m, [np.array(p["outline"], np.int32)], 1.0, cv2.LINE_AA)
        t = t * p["deeper"]
    else:
        m = cv2.morphologyEx((t < p["below"]).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(m)
        if count < 2:
            return np.ones((2, 2), np.float32)
        m = (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.float32)
    return (1 - m * (1 - t)).astype(np.float32)


def draw_patch(rng, bag):
    """A random line for patch, or None where the bag is empty."""
    h, w = bag.shape
    n = min(int(rng.uniform(30, 170)), h - 1, w - 1)
    for _ in range(20):
        y, x = int(rng.integers(0, h - n)), int(rng.integers(0, w - n))
        if np.percentile(bag[y:y + n, x:x + n], 20) < 0.75:
            break
    else:
        return None
    p = {"at": [x, y], "side": n, "around": round(float(rng.uniform(75, 95)), 1)}
    if rng.random() < 0.5:
        p["below"] = round(float(rng.uniform(0.55, 0.8)), 3)
    else:
        k = int(rng.integers(4, 10))
        a, r = np.sort(rng.uniform(0, 2 * np.pi, k)), rng.uniform(0.25, 0.5, k) * n
        p["outline"] = [[int(n / 2 + q * np.cos(b)), int(n / 2 + q * np.sin(b))] for q, b in zip(r, a)]
        p["deeper"] = round(float(rng.uniform(0.4, 1.0)), 3)
    return p


def write(folder, seed=20261122):
    """Draws the list. Done once."""
    rng = np.random.default_rng(seed)
    train = sorted(r["file"] for r in data.lines(folder, split="train", kind="baggage"))
    order = sorted(train, key=lambda f: (not data.every_fourth(f), zlib.crc32(os.path.basename(f).encode())))
    targets = sorted(r["file"] for r in data.lines(folder, split="dev", kind="baggage", energy="pseudocolor", threat=False))
    os.makedirs(HERE, exist_ok=True)
    with open(BAGS, "w", encoding="utf-8") as f:
        json.dump({"calibration": sorted(order[:45]), "targets": targets}, f, indent=1)
    sheet = np.ones((len(KINDS) * TILE, VIEWS * TILE), np.float32)
    for row, kind in enumerate(KINDS):
        for view in range(VIEWS):
            t, mu = getattr(shapes, kind)(rng, TILE)
            sheet[row * TILE:(row + 1) * TILE, view * TILE:(view + 1) * TILE] = np.exp(-mu * np.clip(t, 0, 3))
    cv2.imwrite(SHEET, np.round(sheet * 255).astype(np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    harmless = np.concatenate([np.concatenate([shapes.benign(rng, TILE) for _ in range(VIEWS)], 1) for _ in range(5)])
    cv2.imwrite(SHEET, np.concatenate([cv2.imread(SHEET, 0), np.round(harmless * 255).astype(np.uint8)]),
                [cv2.IMWRITE_PNG_COMPRESSION, 9])
    maker, out = Maker(folder), []
    views = {}
    for r in data.lines(folder, split="sprite"):
        views.setdefault(r["labels"][0]["class"], []).append(r["file"])

    def add(role, name, bag, source, extra=None):
        c = {"id": f"c{len(out):04d}", "role": role, "object": name, "source": source, "bag": bag,
             "size": round(float(np.exp(rng.uniform(np.log(60), np.log(150)))), 1),
             "angle": round(float(rng.uniform(0, 360)), 1),
             "squash": round(float(rng.uniform(0.55, 1)), 3) if rng.random() < 0.4 else 1.0,
             "flip": bool(rng.random() < 0.5), "power": round(float(rng.uniform(0.7, 1.3)), 3),
             "at": [0, 0], "seed": int(rng.integers(1 << 31)), **(extra or {})}
        t, g = maker.object(c), maker.bag(bag)
        th, tw = min(t.shape[0], g.shape[0]), min(t.shape[1], g.shape[1])
        if min(th, tw) < 6:
            return False
        best = -1.0
        for _ in range(12):  # where the bag is
            y, x = int(rng.integers(0, g.shape[0] - th + 1)), int(rng.integers(0, g.shape[1] - tw + 1))
            covered = float((g[y:y + th, x:x + tw] < 0.97).mean())
            if covered > best:
                best, c["at"] = covered, [x, y]
            if covered > 0.6:
                break
        out.append(c)
        return True

    for bag in targets:
        for name in SPRITES:
            for _ in range(PER_BAG["sprite"]):
                add("threat", name, bag, views[name][int(rng.integers(len(views[name])))])
        for row, kind in enumerate(KINDS):
            for _ in range(PER_BAG["shape"]):
                add("threat", "drawn-" + kind, bag, f"sheet:{row},{int(rng.integers(VIEWS))}")
        for _ in range(PER_BAG["patch"]):
            for _ in range(8):
                other = targets[int(rng.integers(len(targets)))]
                p = None if other == bag else draw_patch(rng, maker.bag(other))
                if p and add("benign", "patch", bag, other, {"patch": p}):
                    break
        for _ in range(PER_BAG["benign"]):
            row = len(KINDS) + int(rng.integers(5))
            add("benign", "drawn-harmless", bag, f"sheet:{row},{int(rng.integers(VIEWS))}")
    with open(LIST, "w", encoding="utf-8") as f:
        for c in out:
            f.write(json.dumps(c, separators=(",", ":")) + "\n")
    print(f"{LIST}: {len(out)} composites in {len(targets)} bags")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    if given.write:
        if os.path.exists(LIST):
            raise SystemExit(f"{LIST} is frozen: figures are comparable only while it does not change")
        write(data.root(given.data))
    else:
        print(f"{len(lines())} composites, {len(bags()['targets'])} bags, {len(calibration())} more for thresholds")
