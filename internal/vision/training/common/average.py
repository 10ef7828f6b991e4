"""Averages the weights of one net's checkpoints: python3 -m common.average --out runs/mean/reader.pt 0.2:runs/a/reader.pt 0.8:runs/b/reader.pt

Runs that went on from one another lie in one basin; their mean keeps what each was better at.
"""
import argparse
import os

import torch


def mean(parts):
    """The weighted mean of averaged weights; parts are pairs of share and checkpoint. Counters are the last one's."""
    last = parts[-1][1]["ema"]
    return {k: sum(w * c["ema"][k].float() for w, c in parts) if v.dtype.is_floating_point else v for k, v in last.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("parts", nargs="+", metavar="SHARE:FILE", help="shares have to add up to 1")
    args = p.parse_args()
    parts = [(float(share), torch.load(path)) for share, path in (part.split(":", 1) for part in args.parts)]
    if abs(sum(w for w, _ in parts) - 1) > 1e-6:
        raise SystemExit("the shares do not add up to 1")
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    torch.save({"ema": mean(parts)}, args.out)


if __name__ == "__main__":
    main()
