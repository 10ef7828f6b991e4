"""Trains the reader of container codes: python3 -m containers.train --data DIR --out runs"""
import cv2
import numpy as np
import torch
from common import loop
from torch.nn import functional as F

from plates import data

from .net import NAMES, SIDE, Character
from .patches import AROUND, candidates, overlap, patch, rimmed
from .render import Renderer

EACH = 24  # patches of a crop at most
LEAST = 8.5  # height of a character that is still taught, pixels


def taken(render, rng):
    """Patches and their names from one rendered crop: its characters, what looks like some, and what lies between."""
    img, chars = render.sample(rng)
    rim, n, out = rimmed(img), img.shape[0], []
    whole = [c for c in chars if c[4] >= LEAST and c[1] - c[3] / 2 > -1 and c[2] - c[4] / 2 > -1 and c[1] + c[3] / 2 < n + 1 and c[2] + c[4] / 2 < n + 1]
    boxes = np.array([(x - w / 2, y - h / 2, w, h) for _, x, y, w, h in chars]).reshape(-1, 4)
    for k, x, y, w, h in whole:
        cx, cy = x + rng.normal(0, 0.04) * h, y + rng.normal(0, 0.04) * h
        out.append((patch(rim, cx, cy, AROUND * max(w, h) * np.exp(rng.normal(0.03, 0.07))), k + 1))
        if rng.random() < 0.35:  # off the mark
            r = rng.random()
            if r < 0.5:
                cx, grow = x + rng.choice([-1, 1]) * rng.uniform(0.45, 0.7) * max(w, 0.5 * h), 1
            elif r < 0.75:
                cy, grow = y + rng.choice([-1, 1]) * rng.uniform(0.4, 0.7) * h, 1
            else:
                grow = rng.choice([0.5, 2.1]) * rng.uniform(0.85, 1.15)
            out.append((patch(rim, cx, cy, AROUND * max(w, h) * grow), 0))
    found = candidates(img)
    if found:
        pick = [found[int(i)] for i in rng.permutation(len(found))[:12]]
        match = overlap(pick, boxes) if len(boxes) else np.zeros((len(pick), 1))
        for b, m in zip(pick, match):
            side, at = AROUND * max(b[2], b[3]), (b[0] + b[2] / 2, b[1] + b[3] / 2)
            if m.max() > 0.6 and len(boxes) and chars[int(m.argmax())] in whole:
                out.append((patch(rim, *at, side), chars[int(m.argmax())][0] + 1))
            elif m.max() < 0.3:
                out.append((patch(rim, *at, side), 0))
    return [out[int(i)] for i in rng.permutation(len(out))[:EACH]]


def batch(render, rng, n, kept):
    """Tensors of n patches and their names. Patches of a crop are spread over some batches."""
    while len(kept) < 4 * n:
        kept.extend(taken(render, rng))
    pick = rng.permutation(len(kept))[:n]
    x = np.stack([kept[int(i)][0] for i in pick])[:, None].astype(np.float32) / 255
    y = np.array([kept[int(i)][1] for i in pick], np.int64)
    for i in sorted((int(i) for i in pick), reverse=True):
        kept[i] = kept[-1]
        kept.pop()
    return torch.from_numpy(x), torch.from_numpy(y)


def loss_of(model, b):
    """Cross entropy. It must not be bounded: letters are rare, and a bound would leave them without a gradient."""
    x, y = b
    with loop.autocast():
        z = model(x.contiguous(memory_format=torch.channels_last))
    z = z.float()
    named = F.cross_entropy(z, y)
    right = (z.argmax(1) == y).float()
    return named, {"named": named, "right": right[y > 0].mean(), "none": right[y == 0].mean()}


def main():
    args = loop.arguments(__doc__, minutes=60, batch=256, lr=3e-3).parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    render, model, kept = Renderer(data.root(args.data)), Character(), []
    print(f"character: {loop.parameters_m(model):.2f} M weights, patches of {SIDE} pixels, {len(NAMES)} names")
    loop.train("character", model, lambda rng: batch(render, rng, args.batch, kept), loss_of, args, every=50)


if __name__ == "__main__":
    main()
