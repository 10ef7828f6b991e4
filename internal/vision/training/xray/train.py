"""Trains the baggage network: python3 -m xray.train --data DIR --out runs --hold-out gun"""
import cv2
import numpy as np
import torch
from common import loop
from torch.nn import functional as F

from . import data
from .net import Baggage, of, structure


def batch(source, rng, n):
    """Tensors: crops as structure gives them, targets, weights, classes of the targets."""
    made = (source.sample(rng) for _ in range(n))
    parts = [torch.from_numpy(np.stack(p)) for p in zip(*((structure(g), *rest) for g, *rest in made))]
    return tuple(parts)


def loss_of(model, b):
    """Focal cross entropy per cell; one on the hottest free cells, since a single one alarms; and one per object on its
    hottest quarter, since that is enough to find it; and what each object is, told from all its cells."""
    x, whose, w, kinds = b
    y = (whose > 0).float()
    with loop.autocast():
        z, told = model.both(x.contiguous(memory_format=torch.channels_last))
    z = z.float()[:, 0]
    p = torch.sigmoid(z)
    ce = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    hard = w * (0.2 + (p - y).abs().detach().clamp(max=0.5))
    cell = (ce * hard).sum() / hard.sum()
    worst = torch.where((y == 0) & (w > 0), ce, torch.zeros_like(ce)).flatten(1).topk(8, 1).values.mean()
    found, tops = [], []
    for own, of in zip(z, whose):
        for k in of.unique().tolist():
            v = own[of == k]
            if k:
                tops.append(v.topk(max(1, len(v) // 4)).values.mean())
                found.append(F.softplus(-tops[-1]))
    # A scan alarms by its hottest cell: each object's hottest quarter is to stand above the hottest free cells of all
    # crops. Bounded, so that objects which nothing can tell do not take the place of those which can be told.
    free = torch.where((y == 0) & (w > 0), z, torch.full_like(z, -9.0)).flatten(1).topk(4, 1).values.mean(1)
    rank = torch.sigmoid(free[None] + 1 - torch.stack(tops)[:, None]).mean() if tops else z.sum() * 0
    thing = torch.stack(found).mean() if found else z.sum() * 0
    named = z.sum() * 0 if told is None else F.cross_entropy(told.float(), kinds.gather(1, whose.flatten(1)).view_as(whose), ignore_index=-1, reduction="sum") / y.sum().clamp(min=1)
    hit = (p * y).sum() / y.sum().clamp(min=1)
    return cell + 0.25 * worst + 0.25 * thing + rank + 0.1 * named, {"cell": cell, "worst": worst, "thing": thing, "rank": rank, "named": named, "hit": hit, "free": (p * (1 - y)).mean()}


def main():
    p = loop.arguments(__doc__, minutes=15, batch=8, lr=2e-3)
    p.add_argument("--hold-out", nargs="*", default=["gun"], help="sprites, kinds or families never trained on (empty: none)")
    p.add_argument("--site", help="folder of a site's own benign scans, learned beside the others")
    args = p.parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    source, model = data.Projector(data.root(args.data), tuple(args.hold_out), site=args.site), of(args.start) if args.start else Baggage()
    print(f"xray: {loop.parameters_m(model):.2f} M weights, {len(source.bags)} bags, sprites {sorted(source.sprites)}, without {sorted(source.left_out)}")
    loop.train("xray", model, lambda rng: batch(source, rng, args.batch), loss_of, args, every=50)


if __name__ == "__main__":
    main()
