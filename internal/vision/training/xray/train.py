"""Trains the baggage network: python3 -m xray.train --data DIR --out runs --hold-out gun"""
import cv2
import numpy as np
import torch
from common import loop
from torch.nn import functional as F

from . import data
from .net import Baggage


def batch(source, rng, n):
    """Tensors: crops, targets, weights."""
    parts = [np.stack(p) for p in zip(*(source.sample(rng) for _ in range(n)))]
    return torch.from_numpy(parts[0][:, None]), torch.from_numpy(parts[1]), torch.from_numpy(parts[2])


def loss_of(model, b):
    """Focal cross entropy per cell, plus one on the hottest cells so that single alarms count."""
    x, y, w = b
    with torch.autocast("cpu", dtype=torch.bfloat16):
        z = model(x.contiguous(memory_format=torch.channels_last))
    z = z.float()[:, 0]
    p = torch.sigmoid(z)
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    hard = (p - y).abs().detach()
    cell = (ce * w * (0.15 + hard)).sum() / (w * (0.15 + hard.clamp(min=0.05))).sum()
    free = torch.where((y == 0) & (w > 0), ce, torch.zeros_like(ce)).flatten(1)
    worst = free.topk(8, 1).values.mean()
    hit = (p * y * w).sum() / (y * w).sum().clamp(min=1)
    return cell + 0.15 * worst, {"cell": cell, "worst": worst, "hit": hit, "free": (p * (1 - y)).mean()}


def main():
    p = loop.arguments(__doc__, minutes=15, batch=8, lr=2e-3)
    p.add_argument("--hold-out", nargs="*", default=["gun"], help="sprite classes never trained on (empty: none)")
    p.add_argument("--site", help="folder of a site's own benign scans, learned beside the others")
    args = p.parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    source, model = data.Projector(data.root(args.data), tuple(args.hold_out), site=args.site), Baggage()
    print(f"xray: {loop.parameters_m(model):.2f} M weights, {len(source.bags)} bags, sprites {sorted(source.sprites)}")
    loop.train("xray", model, lambda rng: batch(source, rng, args.batch), loss_of, args, every=50)


if __name__ == "__main__":
    main()
