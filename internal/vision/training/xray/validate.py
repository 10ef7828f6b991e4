"""Choices between networks, away from the frozen list: python3 -m xray.validate --data DIR --weights runs/a runs/b

Projects fresh objects into the benign train bags that no network was trained on and that look like none which one was
trained on, each bag against the threshold of the others. What is chosen here is then measured once on the frozen list (xray.measure), never chosen there.
"""
import argparse
import os

import cv2
import numpy as np
import torch

from . import arms, clutter, data, frozen
from .evaluate import ALARMS, auc, heat
from .net import load

SIZES = np.log(60), np.log(150)


def things(rng, folder, bags, each):
    """Composites by object: per bag each of every kind, with the bag's number."""
    sprites = data.sprites(folder)
    size = lambda: float(np.exp(rng.uniform(*SIZES)))
    drawn = lambda k: np.exp(-(tm := arms.KINDS[k][0](rng, 160))[1] * np.clip(tm[0], 0, 3)).astype(np.float32)
    makers = {"sprite " + n: (lambda v=v: v[int(rng.integers(len(v)))]) for n, v in sorted(sprites.items())}
    makers |= {k: (lambda k=k: drawn(k)) for k in arms.KINDS}
    makers["harmless"] = lambda: clutter.harmless(rng)
    makers["patch"] = lambda: data.cut(rng, bags[int(rng.integers(len(bags)))])
    for name, make in makers.items():
        rows = []
        for i, bag in enumerate(bags):
            for _ in range(each if name not in ("harmless", "patch") else 2 * each):
                t = make()
                t = None if t is None else data.turn(rng, t, size())
                if t is None or min(t.shape) < 6:
                    continue
                g = bag.copy()
                data.project(rng, g, t ** rng.uniform(0.8, 1.1), floor=float(np.percentile(bag, 0.5)))
                rows.append((i, frozen.noisy(g, int(rng.integers(1 << 31)))))
        yield name, rows


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data")
    p.add_argument("--weights", nargs="+", default=["runs"])
    p.add_argument("--each", type=int, default=1, help="composites per bag and kind")
    p.add_argument("--seed", type=int, default=77)
    args = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    folder = data.root(args.data)
    learned = [data.thumb(data.scan(r["path"])[0]) for r in data.lines(folder, split="train", kind="baggage")
               if not data.held_out(r["path"]) or not data.every_fourth(r["path"])]
    spare = [f for f in frozen.bags()["calibration"] if data.every_fourth(f)]  # 0.1.0 was trained on the others
    bags = [g for g in (data.scan(os.path.join(folder, "xray", f))[0] for f in spare) if not data.alike(g, learned)]
    print(f"{len(bags)} bags of {len(spare)} look like none that was trained on")
    nets = [load(w) for w in args.weights]
    clean = [np.array([heat(n, frozen.noisy(g, 500 + i)).max() for i, g in enumerate(bags)]) for n in nets]
    limits = [np.array([np.quantile(np.delete(c, i), 1 - ALARMS, method="higher") for i in range(len(c))]) for c in clean]
    threats = [[] for _ in nets]
    for name, rows in things(np.random.default_rng(args.seed), folder, bags, args.each):
        text = f"{name:18s}"
        for k, n in enumerate(nets):
            top = np.array([heat(n, g).max() for _, g in rows])
            rate = float((top > limits[k][[i for i, _ in rows]]).mean())
            text += f"  AUC {auc(top, clean[k]):.3f} alarmed {100 * rate:3.0f} %"
            if name not in ("harmless", "patch"):
                threats[k].append((auc(top, clean[k]), rate))
        print(text, flush=True)
    print(f"{'mean of threats':18s}" + "".join(f"  AUC {np.mean([a for a, _ in t]):.3f} alarmed {100 * np.mean([r for _, r in t]):3.0f} %" for t in threats))


if __name__ == "__main__":
    main()
