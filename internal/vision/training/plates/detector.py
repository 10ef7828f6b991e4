"""Trains the plate detector: python3 -m plates.detector --data DIR --out runs"""
import cv2
import numpy as np
import torch
from torch.nn import functional as F

from common import loop

from . import data
from .net import Detector
from .scene import SIDE, Scenes

CELLS = SIDE // data.STRIDE


def targets(quads, exact):
    """Heat map, heat weight, corner offsets, corner weight and which cells have true corners."""
    heat, weight = np.zeros((CELLS, CELLS), np.float32), np.ones((CELLS, CELLS), np.float32)
    off, cw = np.zeros((8, CELLS, CELLS), np.float32), np.zeros((CELLS, CELLS), np.float32)
    size, true = np.ones((CELLS, CELLS), np.float32), np.zeros((CELLS, CELLS), np.float32)
    gx = (np.arange(CELLS) + 0.5) * data.STRIDE
    for q, ex in zip(quads, exact):
        c, lo, hi = q.mean(0), q.min(0), q.max(0)
        w, h = np.maximum(hi - lo, 4)
        seen = np.prod(np.clip(np.minimum(hi, SIDE) - np.maximum(lo, 0), 0, None)) / (w * h)
        x0, x1 = np.clip(np.array([lo[0], hi[0]]) / data.STRIDE, 0, CELLS).astype(int)
        y0, y1 = np.clip(np.array([lo[1], hi[1]]) / data.STRIDE, 0, CELLS).astype(int)
        if seen < 0.75 or (c < 0).any() or (c >= SIDE).any() or h < 7:
            if seen > 0:
                weight[y0:y1 + 1, x0:x1 + 1] = 0
            continue
        sx, sy = max(w * 0.11, 5.0), max(h * 0.14, 5.0)
        g = np.exp(-((gx[None] - c[0]) ** 2 / (2 * sx * sx) + (gx[:, None] - c[1]) ** 2 / (2 * sy * sy)))
        i, j = min(int(c[1] / data.STRIDE), CELLS - 1), min(int(c[0] / data.STRIDE), CELLS - 1)
        g[i, j] = 1
        near = g > np.maximum(heat, 0.3)
        heat = np.maximum(heat, g)
        for k in range(4):
            off[2 * k][near] = np.broadcast_to(q[k, 0] - gx[None], near.shape)[near]
            off[2 * k + 1][near] = np.broadcast_to((q[k, 1] - gx)[:, None], near.shape)[near]
        cw[near], size[near], true[near] = g[near], max(h, 10), ex
    return heat, weight, off, cw, size, true


def batch(scenes, rng, n):
    """Tensors of n random crops."""
    x, rest = np.empty((n, 3, SIDE, SIDE), np.float32), []
    for i in range(n):
        img, quads, exact = scenes.sample(rng)
        x[i] = img[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255
        rest.append(targets(quads, exact))
    return (torch.from_numpy(x),) + tuple(torch.from_numpy(np.stack(t).astype(np.float32)) for t in zip(*rest))


def loss_of(model, b):
    """Focal loss of the heat; corners relative to the plate's height, boxes where only boxes are known."""
    x, heat, weight, off, cw, size, true = b
    with loop.autocast():
        z, c = model(x.contiguous(memory_format=torch.channels_last))
    z, c = z.float()[:, 0], c.float()
    p = torch.sigmoid(z).clamp(1e-4, 1 - 1e-4)
    peak = heat.ge(0.999).float()
    pos = -torch.log(p) * (1 - p) ** 2 * peak
    neg = -torch.log(1 - p) * p ** 2 * (1 - heat) ** 4 * (1 - peak)
    found = ((pos + neg) * weight).sum() / peak.sum().clamp(min=1)
    err = F.smooth_l1_loss(c / size[:, None], off / size[:, None], beta=0.05, reduction="none").sum(1)
    exact = (err * cw * true).sum() / (cw * true).sum().clamp(min=1)
    cx, cy, ox, oy = c[:, 0::2], c[:, 1::2], off[:, 0::2], off[:, 1::2]
    box = 0
    for got, want in ((cx, ox), (cy, oy)):
        for pick in (torch.amin, torch.amax):
            box = box + F.smooth_l1_loss(pick(got, 1) / size, pick(want, 1) / size, beta=0.1, reduction="none")
    m = cw * (1 - true)
    boxed = (box * m).sum() / m.sum().clamp(min=1)
    return found + exact + 0.6 * boxed, {"heat": found, "corners": exact, "boxes": boxed}


@torch.no_grad()
def detect(model, img, threshold=0.3, most=8):
    """Plates of a BGR picture: list of (score, quad in picture pixels), best first; mirrors the Go side."""
    small, s = data.letterbox(img)
    x = torch.from_numpy(small[..., ::-1].transpose(2, 0, 1).astype(np.float32)[None] / 255)
    z, c = model(x)
    p = torch.sigmoid(z)
    keep = (p == F.max_pool2d(p, 3, 1, 1)) & (p > threshold)
    out = []
    for _, _, i, j in keep.nonzero().tolist():
        at = np.array([(j + 0.5) * data.STRIDE, (i + 0.5) * data.STRIDE])
        q = (c[0, :, i, j].numpy().reshape(4, 2) + at) / s
        out.append((float(p[0, 0, i, j]), q.astype(np.float32)))
    return suppress(sorted(out, key=lambda d: -d[0]))[:most]


def suppress(found, overlap=0.5):
    """Drops plates whose bounding box overlaps a better one."""
    kept = []
    for s, q in found:
        if all(iou(q, k) < overlap for _, k in kept):
            kept.append((s, q))
    return kept


def iou(a, b):
    """Overlap of the bounding boxes of two quads."""
    lo, hi = np.maximum(a.min(0), b.min(0)), np.minimum(a.max(0), b.max(0))
    inter = np.prod(np.clip(hi - lo, 0, None))
    union = np.prod(np.ptp(a, axis=0)) + np.prod(np.ptp(b, axis=0)) - inter
    return float(inter / max(union, 1e-6))


def main():
    args = loop.arguments(__doc__, minutes=40, batch=12, lr=2.5e-3).parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    scenes, model = Scenes(data.root(args.data)), Detector()
    print(f"detector: {loop.parameters_m(model):.2f} M weights, {len(scenes.real)} real pictures")
    loop.train("detector", model, lambda rng: batch(scenes, rng, args.batch), loss_of, args, every=100)


if __name__ == "__main__":
    main()
