"""Bags, sprites, and threat projection done on transmissions."""
import json
import os
import zlib

import cv2
import numpy as np

from . import arms, clutter

LONG_SIDE = 512
STRIDE = 8
CLEAN = 0.93  # of air: sprite background above this is air


def root(path=None):
    """The data folder; ends the program with a clear word when it is absent."""
    path = path or os.environ.get("GATEHOUSE_DATA") or "../../../../shared/data"
    if not os.path.exists(os.path.join(path, "xray", "labels.jsonl")):
        raise SystemExit(f"no data at {path}: set GATEHOUSE_DATA or pass --data")
    return path


def lines(folder, **want):
    """Label lines whose fields equal the wanted ones, with the absolute path added."""
    base = os.path.join(folder, "xray")
    with open(os.path.join(base, "labels.jsonl"), encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [dict(r, path=os.path.join(base, r["file"])) for r in rows if all(r.get(k) == v for k, v in want.items())]


def scan(path, long_side=LONG_SIDE):
    """A picture as transmission 0..1 (luma of pseudo-colour), long side scaled to long_side; and the scale."""
    img = cv2.imread(path, cv2.IMREAD_COLOR)
    if img is None:
        raise SystemExit(f"cannot read {path}")
    g = cv2.cvtColor(img, cv2.COLOR_BGR2GRAY)
    s = long_side / max(g.shape)
    g = cv2.resize(g, (max(1, round(g.shape[1] * s)), max(1, round(g.shape[0] * s))),
                   interpolation=cv2.INTER_AREA if s < 1 else cv2.INTER_LINEAR)
    return g.astype(np.float32) / 255, s


def pad32(g):
    """Pads right and below with air to multiples of 32."""
    h, w = g.shape
    return np.pad(g, ((0, -h % 32), (0, -w % 32)), constant_values=1.0)


def sprites(folder, leave_out=()):
    """Threat sprites by class as transmission, air divided out and the surroundings set to air."""
    out = {}
    for r in lines(folder, split="sprite"):
        name = r["labels"][0]["class"]
        if name in leave_out:
            continue
        g = cv2.imread(r["path"], cv2.IMREAD_GRAYSCALE)
        k = 256 / max(g.shape)
        g = cv2.resize(g, None, fx=k, fy=k, interpolation=cv2.INTER_AREA).astype(np.float32)
        t = np.clip(g / np.percentile(g, 90), 0.02, 1)
        t = np.where(t > CLEAN, 1.0, t)
        out.setdefault(name, []).append(t.astype(np.float32))
    return out


def every_fourth(path, share=4):
    """The benign train bags that the first weights (0.1.0) were not trained on."""
    return zlib.crc32(os.path.basename(path).encode()) % share == 0


def held_out(path):
    """Benign bags that set thresholds and are never trained on: the frozen list's, and every fourth of a site's own."""
    from . import frozen
    name = os.path.basename(path)
    return name in frozen.calibration() or (not name.startswith("sixray_") and every_fourth(name))


def thumb(g):
    """24 by 24 pixels of a bag, of mean 0 and length 1."""
    t = cv2.resize(g, (24, 24), interpolation=cv2.INTER_AREA)
    t = t - t.mean()
    return t / max(float(np.linalg.norm(t)), 1e-6)


def alike(g, thumbs, limit=0.9):
    """Whether a bag looks like one of the thumbs in some flip: a second view of the same bag."""
    own = thumb(g)
    return any(float((f * t).sum()) > limit for t in thumbs for f in (own, own[::-1], own[:, ::-1], own[::-1, ::-1]))


def smooth(rng, n, cells):
    """A smooth random field of n by n pixels, about -1..1."""
    return np.clip(cv2.resize(rng.normal(0, 0.6, (cells, cells)).astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC), -1.5, 1.5)


def warp(rng, g, depth, cells=4, border=None):
    """Bends a square picture smoothly by up to about depth of its side."""
    n = g.shape[0]
    yy, xx = np.mgrid[0:n, 0:n].astype(np.float32)
    mode = {"borderMode": cv2.BORDER_REFLECT} if border is None else {"borderValue": border}
    return cv2.remap(g, xx + smooth(rng, n, cells) * depth * n, yy + smooth(rng, n, cells) * depth * n, cv2.INTER_LINEAR, **mode)


def turn(rng, t, size):
    """Scales a transmission picture so that its object's long side is size pixels, turns it, crops to the object."""
    m = t < 0.985
    ys, xs = np.where(m)
    if len(ys) == 0:
        return t[:2, :2]
    t = t[ys.min():ys.max() + 1, xs.min():xs.max() + 1]
    k = size / max(t.shape)
    a, squash = rng.uniform(0, 360), (rng.uniform(0.55, 1) if rng.random() < 0.4 else 1.0)
    n = int(size * 1.5) + 4
    rot = cv2.getRotationMatrix2D((t.shape[1] / 2, t.shape[0] / 2), a, k)
    rot[:, 2] += n / 2 - np.array([t.shape[1] / 2, t.shape[0] / 2])
    rot[1] *= squash
    if k < 0.6:
        t = cv2.GaussianBlur(t, (0, 0), 0.4 / k)
    out = cv2.warpAffine(t, rot, (n, int(n * squash)), flags=cv2.INTER_LINEAR, borderValue=1.0)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    ys, xs = np.where(out < 0.985)
    return out[ys.min():ys.max() + 1, xs.min():xs.max() + 1] if len(ys) else out[:2, :2]


def cut(rng, bag):
    """A benign object or stretch cut from a real bag, its surroundings divided out; None when the place is empty."""
    h, w = bag.shape
    n = int(rng.uniform(30, 170))
    n = min(n, h - 1, w - 1)
    for _ in range(12):
        y, x = int(rng.integers(0, h - n)), int(rng.integers(0, w - n))
        p = bag[y:y + n, x:x + n]
        if np.percentile(p, 20) < 0.75:
            break
    else:
        return None
    local = np.percentile(p, rng.uniform(75, 95))
    t = np.clip(p / max(local, 0.1), 0.03, 1)
    if rng.random() < 0.5:  # the dark object itself, sharp edged as a pasted threat is
        m = (t < rng.uniform(0.55, 0.8)).astype(np.uint8)
        m = cv2.morphologyEx(m, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, lab, stats, _ = cv2.connectedComponentsWithStats(m)
        if count < 2:
            return None
        m = (lab == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))).astype(np.float32)
    else:  # a random outline
        k = int(rng.integers(4, 10))
        a = np.sort(rng.uniform(0, 2 * np.pi, k))
        r = rng.uniform(0.25, 0.5, k) * n
        pts = np.stack([n / 2 + r * np.cos(a), n / 2 + r * np.sin(a)], 1).astype(np.int32)
        m = np.zeros((n, n), np.float32)
        cv2.fillPoly(m, [pts], 1.0, cv2.LINE_AA)
        t = t * rng.uniform(0.4, 1.0)
    return (1 - m * (1 - t)).astype(np.float32)


def vary(rng, t):
    """A drawn thing as it may lie: bent, of uneven thickness, with soft edges, much or little of it in the beam."""
    a = -np.log(np.clip(t, 0.004, 1))
    if rng.random() < 0.5:
        a = warp(rng, a, rng.uniform(0.005, 0.04), int(rng.integers(3, 6)), border=0)
    if rng.random() < 0.5:
        a = a * np.exp(0.4 * smooth(rng, a.shape[0], int(rng.integers(3, 9))))
    if rng.random() < 0.5:
        a = cv2.GaussianBlur(a, (0, 0), rng.uniform(0.4, 1.8))
    return np.exp(-a).astype(np.float32)


def project(rng, bag, t, at=None, floor=None, spread=(0.6, 1.7)):
    """Multiplies t into the bag in place where the bag is. Returns the object's mask.

    The display of a scanner does not go to black at the same thickness everywhere: floor lifts the darkest values
    as the scanner of the background does. spread is between what powers of its transmission a thing may lie.
    """
    h, w = bag.shape
    th, tw = min(t.shape[0], h), min(t.shape[1], w)
    t = t[:th, :tw]
    if at is None:
        for _ in range(10):
            y, x = int(rng.integers(0, h - th + 1)), int(rng.integers(0, w - tw + 1))
            if (bag[y:y + th, x:x + tw] < 0.97).mean() > 0.6:
                break
    else:
        y, x = at
    floor = rng.uniform(0.02, 0.4) if floor is None else floor
    t = t ** np.exp(rng.uniform(*np.log(spread)))
    part = bag[y:y + th, x:x + tw]
    mask = np.zeros((h, w), np.float32)
    mask[y:y + th, x:x + tw] = t < 0.92
    low = np.minimum(part, floor)
    part[:] = np.maximum(low + (part - low) * t, 0.015)
    return mask


def tone(rng, g):
    """Another scanner's display: gamma, a bent curve, contrast, the grey that a colour table leaves of thickness."""
    if rng.random() < 0.6:
        g = np.clip(g, 0.001, 1) ** rng.uniform(0.5, 1.8)
    if rng.random() < 0.4:  # monotone, air stays air
        y = np.cumsum(rng.uniform(0.3, 1.7, 6))
        g = np.interp(g, np.linspace(0, 1, 7), np.concatenate([[0], y / y[-1]]))
    if rng.random() < 0.5:
        g = g * rng.uniform(0.85, 1.0) if rng.random() < 0.5 else rng.uniform(0, 0.2) * (1 - g) + g
    return g


def finish(rng, g, own=False):
    """What comes after compositing: another scanner's resolution, display, sharpening, noise, JPEG; own is the bag's own scanner's."""
    if own:
        if rng.random() < 0.3:
            g = cv2.GaussianBlur(g, (0, 0), rng.uniform(0.3, 0.8))
        return np.clip(g + rng.normal(0, rng.uniform(0.001, 0.008), g.shape), 0, 1).astype(np.float32)
    r = rng.random()
    if r < 0.35:
        g = cv2.GaussianBlur(g, (0, 0), rng.uniform(0.3, 1.3))
    elif r < 0.55:  # fewer detectors
        k, size = rng.uniform(0.5, 0.9), g.shape[::-1]
        g = cv2.resize(cv2.resize(g, None, fx=k, fy=k, interpolation=cv2.INTER_AREA), size, interpolation=cv2.INTER_LINEAR)
    g = tone(rng, g)
    if rng.random() < 0.3:
        g = g + rng.uniform(0.3, 1.5) * (g - cv2.GaussianBlur(g, (0, 0), rng.uniform(0.7, 2.5)))
    if rng.random() < 0.6:
        grain = rng.normal(0, 1, g.shape).astype(np.float32)
        if rng.random() < 0.4:  # coarser than a pixel, as of a picture that was enlarged or smoothed
            grain = cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.5, 1.5))
            grain /= grain.std()
        g = g + grain * (0.002 + 0.022 * rng.random() ** 2) * np.sqrt(np.clip(g, 0.05, 1))
    if rng.random() < 0.1:  # columns of the detector that differ
        g = g * (1 + rng.normal(0, 0.01, (1, g.shape[1])))
    g = np.clip(g, 0, 1).astype(np.float32)
    if rng.random() < 0.3:
        ok, buf = cv2.imencode(".jpg", (g * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])
        g = cv2.imdecode(buf, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255
    return g


def site_scans(folder):
    """Paths of a site's own benign scans; empty without a folder."""
    if not folder:
        return []
    kinds = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
    found = sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.lower().endswith(kinds))
    if len(found) < 20:
        raise SystemExit(f"{folder} has {len(found)} scans; at least 20 benign ones are needed to learn a scanner")
    return found


class Projector:
    """Makes training crops: as many harmless things projected as threats, in the same way."""

    def __init__(self, folder, leave_out=(), side=256, site=None, own=0.0):
        """own is the share of crops that show one bag as its own scanner did, with few things in it."""
        from . import frozen
        self.side, self.own = side, own
        bags = [r["path"] for r in lines(folder, split="train", kind="baggage") if not held_out(r["path"])]
        own = [p for p in site_scans(site) if not held_out(p)]
        # A site's scans count for at least half: its scanner is the one to learn.
        base = os.path.join(folder, "xray")
        kept = frozen.bags()
        measured = [thumb(scan(os.path.join(base, f))[0]) for f in kept["calibration"] + kept["targets"]]
        public = [g for g in (scan(p)[0] for p in bags) if not alike(g, measured)]
        self.bags = public + [scan(p)[0] for p in own] * max(1, len(public) // max(1, len(own)))
        self.left_out = arms.without(leave_out)
        self.sprites = sprites(folder, self.left_out)

    def background(self, rng, own):
        """A crop of a benign bag, bent and of changed thickness, or of two over one another; or a rendered or nearly empty one.

        No crop comes twice: a network that meets few bags often learns them by heart, and alarms on others.
        """
        s, r = self.side, rng.random()
        if own and r > 0.1:
            return np.clip(self.crop(rng), 0.03, 1)
        if r < 0.25:
            return clutter.bag(rng, s, turn, lambda: cut(rng, self.bags[int(rng.integers(len(self.bags)))]))
        if r < 0.28:
            f = cv2.resize(rng.uniform(0.3, 1, (5, 5)).astype(np.float32), (s, s), interpolation=cv2.INTER_CUBIC)
            return np.clip(f, 0.05, 1)
        g = self.crop(rng)
        if r < 0.55:
            g = g * self.crop(rng) ** rng.uniform(0.2, 0.9)
        if rng.random() < 0.4:
            g = np.clip(g, 0.01, 1) ** np.exp(0.5 * smooth(rng, s, int(rng.integers(2, 6))))
        return np.clip(g, 0.03, 1)

    def crop(self, rng):
        """A turned, scaled crop of a benign bag."""
        s = self.side
        bag = self.bags[int(rng.integers(len(self.bags)))]
        k = np.exp(rng.uniform(np.log(0.75), np.log(1.6)))
        bag = cv2.resize(bag, None, fx=k, fy=k * rng.uniform(0.85, 1.15), interpolation=cv2.INTER_AREA)
        bag = np.rot90(bag, int(rng.integers(4)))
        if rng.random() < 0.5:
            bag = bag[:, ::-1]
        bag = np.pad(bag, ((0, max(0, s - bag.shape[0])), (0, max(0, s - bag.shape[1]))), constant_values=float(bag.max()))
        y, x = int(rng.integers(0, bag.shape[0] - s + 1)), int(rng.integers(0, bag.shape[1] - s + 1))
        g = np.ascontiguousarray(bag[y:y + s, x:x + s])
        return warp(rng, g, rng.uniform(0.01, 0.08)) if rng.random() < 0.4 else g

    def threat(self, rng, largest=225):
        """A sprite or a procedural threat at a random size, and its class."""
        size = np.exp(rng.uniform(np.log(40), np.log(largest)))
        if self.sprites and rng.random() < 0.3:
            names = sorted(self.sprites)
            name = names[int(rng.integers(len(names)))]
            views = self.sprites[name]
            return turn(rng, views[int(rng.integers(len(views)))], size), arms.CLASS[name]
        t, name = arms.threat(rng, self.left_out)
        return turn(rng, vary(rng, t), size), arms.CLASS[name]

    def harmless(self, rng):
        """A patch of another bag, or a procedural harmless thing, at a random size."""
        size = np.exp(rng.uniform(np.log(20), np.log(225)))
        if rng.random() < 0.5:
            t = cut(rng, self.bags[int(rng.integers(len(self.bags)))])
            if t is not None:
                return turn(rng, t, size)
        return turn(rng, vary(rng, clutter.harmless(rng)), size)

    def sample(self, rng):
        """A crop; for each 8x8 cell which threat it shows (0 none, then 1, 2 ...), a weight, and the threats' classes."""
        own = rng.random() < self.own
        g = self.background(rng, own)
        n = self.side // STRIDE
        # Most scanners' darkest grey is the darkest that their bags show.
        floor = float(np.percentile(g, 0.5)) if own or rng.random() < 0.5 else rng.uniform(0.02, 0.35)
        kinds = np.full(8, -1, np.int64)
        cells = lambda m: cv2.resize(m, (n, n), interpolation=cv2.INTER_AREA)
        whose, unsure, near = np.zeros((n, n), np.int64), np.zeros((n, n), bool), np.zeros((n, n), bool)
        few = (0.3, 0.55, 0.15, 0) if own else (0.2, 0.4, 0.28, 0.12)
        things = [True] * int(rng.choice(4, p=few)) + [False] * int(rng.choice(4, p=few))
        for i, dangerous in enumerate(things, 1):
            before = g.copy()
            t, kinds[i] = self.threat(rng, 170 if own else 225) if dangerous else (self.harmless(rng), -1)
            mask = project(rng, g, t, floor=floor, spread=(0.7, 1.35) if own else (0.6, 1.7))
            if not dangerous:
                near |= cells(mask) > 0.1
                continue
            # Thin things fill no cell: what lies within two pixels of them counts as theirs.
            cover, shown = cells(cv2.dilate(mask, np.ones((5, 5), np.uint8))), cells(before - g)
            seen = shown >= 0.03 * cells(mask) + 0.008  # else hidden behind what is opaque anyway
            whose[(cover >= 0.35) & seen] = i
            unsure |= (cover > 0.02) & ((cover < 0.35) | ~seen)
        weight = np.where(unsure & (whose == 0), 0.0, 1.0) + 1.0 * (near & (whose == 0) & ~unsure)
        return finish(rng, g, own), whose, weight.astype(np.float32), kinds
