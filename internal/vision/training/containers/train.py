"""Trains the reader of container codes: python3 -m containers.train --data DIR --out runs"""
import cv2
import numpy as np
import torch
from common import loop
from torch.nn import functional as F

from plates import data

from .net import STRIDE, Characters
from .render import SIDE, Renderer

CELLS = SIDE // STRIDE


def targets(chars):
    """Heat, its weight, class (-1 for none), offsets and sizes of a crop."""
    heat, weight = np.zeros((CELLS, CELLS), np.float32), np.ones((CELLS, CELLS), np.float32)
    kind, size = np.full((CELLS, CELLS), -1, np.int64), np.zeros((4, CELLS, CELLS), np.float32)
    g0 = np.arange(CELLS) + 0.5
    for c, x, y, w, h in chars:
        cx, cy, cw, ch = x / STRIDE, y / STRIDE, w / STRIDE, h / STRIDE
        if cx < 0 or cy < 0 or cx >= CELLS or cy >= CELLS:
            continue
        j, i = int(cx), int(cy)
        cut = cx - cw / 2 < -0.3 * cw or cx + cw / 2 > CELLS + 0.3 * cw or cy - ch / 2 < -0.2 * ch or cy + ch / 2 > CELLS + 0.2 * ch
        if cut or h < 8:
            a, b = max(0, int(cx - cw / 2)), max(0, int(cy - ch / 2))
            weight[b:int(cy + ch / 2) + 1, a:int(cx + cw / 2) + 1] = 0
            continue
        g = np.exp(-((g0[None] - cx) ** 2 / (2 * max(0.2 * cw, 0.55) ** 2) + (g0[:, None] - cy) ** 2 / (2 * max(0.2 * ch, 0.55) ** 2)))
        g[i, j] = 1
        near = (g > 0.45) & (g > heat)
        heat = np.maximum(heat, g)
        kind[near] = c
        size[0][near], size[1][near] = np.broadcast_to(cx - g0[None], g.shape)[near], np.broadcast_to(cy - g0[:, None], g.shape)[near]
        size[2][near], size[3][near] = np.log(max(cw, 0.5)), np.log(ch)
    return heat, weight, kind, size


def batch(render, rng, n):
    """Tensors of n crops."""
    x, rest = np.empty((n, 1, SIDE, SIDE), np.float32), []
    for i in range(n):
        img, chars = render.sample(rng)
        x[i, 0] = img.astype(np.float32) / 255
        rest.append(targets(chars))
    return (torch.from_numpy(x),) + tuple(torch.from_numpy(np.stack(t).astype(t[0].dtype if t[0].dtype == np.int64 else np.float32)) for t in zip(*rest))


def loss_of(model, b):
    """Focal loss of the heat, cross entropy of classes, distance of places and sizes."""
    x, heat, weight, kind, size = b
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z, k, s = model(x.contiguous(memory_format=torch.channels_last))
    z, k, s = z.float()[:, 0], k.float(), s.float()
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    peak = heat.ge(0.999).float()
    pos = -torch.log(p) * (1 - p) ** 2 * peak
    neg = -torch.log(1 - p) * p ** 2 * (1 - heat) ** 4 * (1 - peak)
    count = (peak * weight).sum().clamp(min=1)
    found = ((pos + neg) * weight).sum() / count
    named = F.cross_entropy(k, kind, ignore_index=-1, reduction="none").clamp(max=5)
    known = (kind >= 0).float()
    named = (named * known).sum() / known.sum().clamp(min=1)
    placed = (F.smooth_l1_loss(s, size, beta=0.2, reduction="none").sum(1) * known).sum() / known.sum().clamp(min=1)
    exact = ((k.argmax(1) == kind) * peak).sum() / (peak * known).sum().clamp(min=1)
    return found + named + 0.5 * placed, {"heat": found, "named": named, "placed": placed, "exact": exact}


def main():
    args = loop.arguments(__doc__, minutes=60, batch=16, lr=2.5e-3).parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    render, model = Renderer(data.root(args.data)), Characters()
    print(f"characters: {loop.parameters_m(model):.2f} M weights")
    loop.train("characters", model, lambda rng: batch(render, rng, args.batch), loss_of, args, every=100)


if __name__ == "__main__":
    main()
