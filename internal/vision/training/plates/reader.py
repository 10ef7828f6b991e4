"""Trains the plate reader: python3 -m plates.reader --data DIR --out runs"""
import json

import cv2
import numpy as np
import torch
from torch.nn import functional as F

from common import loop

from . import data, degrade, grammar
from .net import Reader
from .render import Renderer, homography, shrink

VALID_FOLD = 0  # of ten: never trained on, used for calibration


class Source:
    """Real crops and rendered ones; some background and foreign text. photos is the share of real crops."""

    def __init__(self, folder, quads=None, photos=0.45):
        self.photos = photos
        self.render = Renderer(folder)
        self.real, self.valid, self.images = [], [], []
        for line in data.labels(folder, "train"):
            img = cv2.imread(line["path"], cv2.IMREAD_GRAYSCALE)
            boxed = [p for p in line["plates"] if p["box"] or (quads and line["file"] in quads)]
            taken = []
            for p in boxed:
                found = quads.get(line["file"]) if quads else None
                own = [data.box_quad(p["box"])] if p["box"] else []
                item = (img, own + ([np.float32(found)] if found else []), p["text"], p["rows"] or 0, line["scene"])
                taken += own or item[1]
                (self.valid if data.fold(p["text"]) == VALID_FOLD else self.real).append(item)
            if len(boxed) == len(line["plates"]) and boxed:
                self.images.append((img, taken))
        weights = np.array([1.6 if r[4] != "gate-fixed" else 1.0 for r in self.real])
        self.weights = weights / weights.sum()

    def patch(self, rng, w, h):
        """A stretch of a real picture without its plate (grey)."""
        img, quads = self.images[int(rng.integers(len(self.images)))]
        for _ in range(10):
            pw = int(rng.uniform(40, 220))
            ph = int(np.clip(pw * h / w * rng.uniform(0.7, 1.4), 20, img.shape[0] - 1))
            pw = min(pw, img.shape[1] - 1)
            x, y = int(rng.integers(0, img.shape[1] - pw)), int(rng.integers(0, img.shape[0] - ph))
            if all(q[:, 0].max() < x or q[:, 0].min() > x + pw or q[:, 1].max() < y or q[:, 1].min() > y + ph
                   for q in quads):
                return cv2.resize(img[y:y + ph, x:x + pw], (w, h), interpolation=cv2.INTER_AREA)
        return np.full((h, w), int(rng.integers(10, 240)), np.uint8)

    def rendered(self, rng):
        """A rendered plate as the detector would hand it over, at a low effective resolution."""
        p = self.render.plate(rng)
        ph, pw = p.image.shape[:2]
        ew = rng.uniform(42, 80) if p.rows == 2 or p.image.shape[0] * 3 > pw else rng.uniform(70, 135)
        if rng.random() < 0.65:
            ew = rng.uniform(ew, 190)
        eh = ew * ph / pw * rng.uniform(0.85, 1.25)
        near = rng.random() < 0.6  # as the net for corners leaves it; else as the detector does
        m = rng.uniform(0.03, 0.17) if near else rng.uniform(-0.02, 0.22)
        cw, ch = int(ew * (1 + 2 * m)), int(max(8, eh * (1 + 2 * m)))
        quad = np.array([[0, 0], [ew, 0], [ew, eh], [0, eh]]) - (ew / 2, eh / 2)
        r = rng.random()
        angle = np.radians(rng.normal(0, 0.5) if near else rng.uniform(-18, 18) if r < 0.2 else rng.normal(0, 2.5))
        rot = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        loose = 0.3 if near else 1.0
        shear = np.array([[1, loose * rng.normal(0, 0.08)], [(0.1 if near else 1) * rng.normal(0, 0.05), 1]])
        quad = quad @ rot @ shear
        extent = np.abs(quad).max(0) * 2
        quad *= min(1, cw / extent[0] * 1.1, ch / extent[1] * (1.25 if r < 0.2 else 1.05)) if r < 0.7 else 1
        quad = quad + (cw / 2, ch / 2) + loose * rng.normal(0, 0.03, 2) * (ew, eh)
        quad = quad + loose * rng.normal(0, 0.02, (4, 2)) * (ew, eh)
        flat = cv2.cvtColor(shrink(p.image, ew), cv2.COLOR_BGR2GRAY)
        hm = homography(flat.shape[1::-1], quad)
        bg = self.patch(rng, cw, ch) if rng.random() < 0.7 else np.full((ch, cw), int(rng.integers(5, 250)), np.uint8)
        if rng.random() < 0.1:
            bg = cv2.resize(flat, (cw, ch))
        img = bg.copy()
        cv2.warpPerspective(flat, hm, (cw, ch), dst=img, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
        if rng.random() < 0.55:
            img = degrade.weather(rng, img, eh * (0.76 if p.rows == 1 else 0.36))
            img = degrade.sensor(rng, degrade.light(rng, img, 0.35), 0.35)
        else:
            img = degrade.sensor(rng, degrade.optics(rng, degrade.light(rng, img)))
        s = flat.shape[1] / pw, flat.shape[0] / ph
        centres = np.array([[x * s[0], y * s[1]] for _, x, y in p.centres], np.float32).reshape(-1, 1, 2)
        pts = cv2.perspectiveTransform(centres, hm)[:, 0] / (cw, ch) if len(centres) else np.zeros((0, 2))
        out = cv2.resize(img, (data.PLATE_W, data.PLATE_H), interpolation=cv2.INTER_LINEAR)
        return out, p.text, p.rows, p.country, pts

    def photographed(self, rng):
        """A real crop, jittered by 15 %."""
        img, quads, text, rows, _ = self.real[int(rng.choice(len(self.real), p=self.weights))]
        near = rng.random() < 0.5  # the corners that the product would find, hardly moved
        q = quads[-1 if near else int(rng.integers(len(quads)))]
        loose = 0.3 if near else 1.0
        w, h = q[1, 0] - q[0, 0], q[3, 1] - q[0, 1]
        c = q.mean(0)
        q = (q - c) * (rng.uniform(0.97, 1.05, 2) if near else rng.uniform(0.94, 1.15, 2)) + c
        q = q + loose * (rng.normal(0, 0.04, 2) + rng.normal(0, 0.025, (4, 2))) * (w, h)
        if not near and rng.random() < 0.3:
            a = np.radians(rng.uniform(-12, 12))
            q = (q - c) @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + c
        out = data.rectify(img, q, rng.uniform(0.02, 0.16))
        if rng.random() < 0.12:  # as blue and red plates, and infra-red, show it
            out = 255 - out
        if rng.random() < 0.6:
            out = degrade.light(rng, out, 0.6)
        if rng.random() < 0.16:
            out = degrade.weather(rng, out, data.PLATE_H * (0.6 if rows == 1 else 0.33))
        elif rng.random() < 0.35:
            f = rng.uniform(0.4, 1)
            small = cv2.resize(out, None, fx=f, fy=f, interpolation=cv2.INTER_AREA)
            out = cv2.resize(degrade.sensor(rng, degrade.optics(rng, small, 0.5), 0.7), (data.PLATE_W, data.PLATE_H))
        return out, text, rows, "VN", None

    def background(self, rng):
        """Not a plate: a patch, sometimes with lettering that is no plate."""
        out = self.patch(rng, data.PLATE_W, data.PLATE_H)
        if rng.random() < 0.5:
            text = "".join(chr(int(c)) for c in rng.integers(33, 122, int(rng.integers(3, 18))))
            if rng.random() < 0.5:
                text = f"{rng.integers(1, 31):02d}/{rng.integers(1, 13):02d}/{rng.integers(2015, 2027)} {rng.integers(24):02d}:{rng.integers(60):02d}"
            size = float(rng.uniform(0.4, 1.2))
            cv2.putText(out, text, (int(rng.uniform(-10, 30)), int(rng.uniform(20, 60))), int(rng.integers(0, 5)), size,
                        int(rng.integers(0, 256)), int(rng.integers(1, 4)), cv2.LINE_AA)
        return degrade.light(rng, out), "", 0, "other", None

    def sample(self, rng):
        """One training sample: image, text, rows (0 unknown), country, and centres (0..1 of the crop) or None."""
        r = rng.random()
        if r < self.photos:
            return self.photographed(rng)
        return self.rendered(rng) if r < 0.93 else self.background(rng)

    def batch(self, rng, n):
        """Tensors: images, slot classes, rows (-1 unknown), country, attention targets, whether it was drawn."""
        x = np.empty((n, 1, data.PLATE_H, data.PLATE_W), np.float32)
        y = np.zeros((n, grammar.SLOTS), np.int64)
        rows, country = np.full(n, -1, np.int64), np.zeros(n, np.int64)
        att = np.zeros((n, grammar.SLOTS, Reader.GRID_H, Reader.GRID_W), np.float32)
        drawn = np.zeros((n, 1), bool)
        gy = (np.arange(Reader.GRID_H) + 0.5)[:, None]
        gx = (np.arange(Reader.GRID_W) + 0.5)[None, :]
        for i in range(n):
            img, text, r, c, pts = self.sample(rng)
            x[i, 0] = img.astype(np.float32) / 255
            for j, ch in enumerate(text[:grammar.SLOTS]):
                y[i, j] = grammar.INDEX[ch]
            rows[i], country[i] = r - 1, grammar.COUNTRIES.index(c)
            if pts is not None:
                drawn[i] = True
                for j, (px, py) in enumerate(pts[:grammar.SLOTS]):
                    g = np.exp(-((gx - px * Reader.GRID_W) ** 2 / 0.8 + (gy - py * Reader.GRID_H) ** 2 / 1.6))
                    if g.sum() > 0.05:
                        att[i, j] = g / g.sum()
        return tuple(torch.from_numpy(a) for a in (x, y, rows, country, att, drawn))


def loss_of(model, batch):
    """Cross entropies of characters, rows and country; attention towards rendered centres."""
    x, y, rows, country, att, drawn = batch
    with loop.autocast():
        chars, r, c, a = model(x.contiguous(memory_format=torch.channels_last))
    chars, r, c, a = chars.float(), r.float(), c.float(), a.float()
    text = F.cross_entropy(chars.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)
    # A wrong label of a photograph cannot drag far; a rendered one is never wrong, and rare letters must not lose their gradient.
    text = torch.where(drawn, text, text.clamp(max=6)).mean() * 4
    row = F.cross_entropy(r, rows, ignore_index=-1)
    land = F.cross_entropy(c, country)
    t = att.flatten(2)
    guide = -(t * torch.log(a + 1e-6)).sum() / t.sum().clamp(min=1)
    exact = (chars.argmax(-1) == y).all(1).float().mean()
    return text + 0.3 * row + 0.5 * land + 0.3 * guide, {"text": text, "rows": row, "land": land, "guide": guide, "exact": exact}


@torch.no_grad()
def score(model, items, margins=(0.06, 0.14)):
    """Whole-plate exact rate on held-out real crops."""
    model.eval()
    right = 0
    for img, quads, text, _, _ in items:
        x = np.stack([data.rectify(img, quads[-1], m) for m in margins])[:, None].astype(np.float32) / 255
        p = torch.softmax(model(torch.from_numpy(x))[0], -1).mean(0)
        right += "".join(grammar.ALPHABET[i] for i in p.argmax(-1).tolist()) == text
    return right / max(1, len(items))


def main():
    p = loop.arguments(__doc__, minutes=40, batch=48, lr=2.5e-3)
    p.add_argument("--quads", help="JSON of plate corners found by a trained detector on train images")
    p.add_argument("--photos", type=float, default=0.45, help="share of real crops, up to 0.93")
    args = p.parse_args()
    cv2.setNumThreads(0)
    quads = None
    if args.quads:
        with open(args.quads, encoding="utf-8") as f:
            quads = json.load(f)
    src = Source(data.root(args.data), quads, args.photos)
    model = Reader()
    print(f"reader: {loop.parameters_m(model):.2f} M weights, {len(src.real)} real plates, {len(src.valid)} held out")

    def report(ema):
        probe = Reader()
        probe.load_state_dict(ema.state)
        print(f"reader held-out vehicles exact {score(probe, src.valid):.4f}", flush=True)

    loop.train("reader", model, lambda rng: src.batch(rng, args.batch), loss_of, args, report)


if __name__ == "__main__":
    main()
