"""End-to-end figures on whole dev pictures: python3 -m plates.evaluate --data DIR --weights runs/a

Boxes are never looked at for reading. A picture counts as exact when some emitted text equals a labelled one.
"""
import argparse
import collections
import json
import os
import time

import cv2
import numpy as np
import torch
from common import loop

from . import data, degrade
from .detector import iou
from .net import Detector, Reader
from .pipeline import Pipeline
from .scene import SIDE, Scenes


def distance(a, b):
    """Edit distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        prev, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            prev, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, prev + (x != y))
    return row[-1]


def picture(pipe, line):
    """One dev picture: what was right, near, false, located."""
    reads = [r for r in pipe.read(cv2.imread(line["path"])) if r["country"] == "VN"]
    texts = [p["text"] for p in line["plates"]]
    best = [min((distance(r["text"], t) for r in reads), default=99) for t in texts]
    boxes = [p["box"] for p in line["plates"] if p["box"]]
    hit = [any(iou(r["quad"], data.box_quad(b)) >= 0.5 for r in reads) for b in boxes]
    return {"exact": min(best) == 0, "near": min(best) <= 1, "null": not boxes, "hit": sum(hit), "boxes": len(boxes),
            "false": [r for r in reads if r["score"] >= 0.5 and r["text"] not in texts],
            "scored": [(r["score"], r["text"] in texts) for r in reads], "reads": reads, "line": line}


def rendered(pipe, folder, seed, count=400):
    """Plates on rendered scenes, by kind: located, corner error in plate heights, exact. Fonts are those of training."""
    scenes, rng, kinds, errors, false = Scenes(folder), np.random.default_rng(seed), {}, [], 0
    for _ in range(count):
        img, quads, _, plates = scenes.rendered(rng)
        img = degrade.sensor(rng, degrade.optics(rng, degrade.light(rng, img, 0.4), 0.5), 0.6)
        reads = pipe.read(img)
        false += sum(r["score"] >= 0.5 and r["country"] == "VN" and r["text"] not in [p.text for p in plates] for r in reads)
        for q, p in zip(quads, plates):
            if q.min() < 0 or q.max() > SIDE or np.linalg.norm(q[1] - q[0]) < (60 if p.rows == 2 else 75):
                continue
            near = [r for r in reads if iou(r["quad"], q) >= 0.3]
            k = kinds.setdefault(p.kind, [0, 0, 0])
            k[0] += 1
            if near:
                k[1] += 1
                k[2] += near[0]["text"] == p.text and near[0]["country"] == p.country
                errors.append(np.linalg.norm(near[0]["quad"] - q, axis=1).mean() / np.linalg.norm(q[3] - q[0]))
    print(f"rendered: {sum(k[0] for k in kinds.values())} plates, corner error median {100 * np.median(errors):.1f} % of height, "
          f"90th percentile {100 * np.quantile(errors, 0.9):.1f} %, false readings {false} on {count} pictures")
    for name, k in sorted(kinds.items()):
        print(f"  {name:14} {k[0]:4} plates, located {k[1]:4}, exact with country {100 * k[2] / k[0]:.0f} %")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data")
    p.add_argument("--weights", default="runs")
    p.add_argument("--threshold", type=float, default=0.3)
    p.add_argument("--rendered", action="store_true", help="rendered scenes instead of photographs")
    p.add_argument("--seed", type=int, default=2026)
    p.add_argument("--show", action="store_true", help="print every miss")
    args = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with open(os.path.join(args.weights, "calibration.json"), encoding="utf-8") as f:
        t = json.load(f)["temperature"]
    load = lambda net, name: loop.load(net, os.path.join(args.weights, name + ".pt"))
    pipe = Pipeline(load(Detector(), "detector"), load(Reader(), "reader"), t, args.threshold)
    if args.rendered:
        return rendered(pipe, data.root(args.data), args.seed)
    folder, groups, began = data.root(args.data), collections.OrderedDict(), time.monotonic()
    for line in data.labels(folder, "dev"):
        r = picture(pipe, line)
        groups.setdefault((line["scene"], "seen" if line.get("seen") else "unseen"), []).append(r)
        if args.show and not r["exact"] and not line.get("seen"):
            print("miss", line["file"], [q["text"] for q in line["plates"]], "null" if r["null"] else "",
                  [(q["text"], round(q["score"], 2), round(q["heat"], 2)) for q in r["reads"]])
    print(f"{'scene':18} {'':7} {'images':>6} {'exact':>7} {'<=1 off':>8} {'located':>8} {'box-null':>9} {'false/100':>9}")
    for (scene, seen), rs in groups.items():
        null = [r for r in rs if r["null"]]
        false = "-" if scene == "wild" else f"{100 * sum(len(r['false']) for r in rs) / len(rs):.1f}"
        print(f"{scene:18} {seen:7} {len(rs):6} {100 * np.mean([r['exact'] for r in rs]):6.1f}% "
              f"{100 * np.mean([r['near'] for r in rs]):7.1f}% {sum(r['hit'] for r in rs):4}/{sum(r['boxes'] for r in rs)}"
              f" {sum(r['exact'] for r in null):5}/{len(null)} {false:>9}")
    unseen = [r for (scene, seen), rs in groups.items() if seen == "unseen" and scene != "wild" for r in rs]
    for limit in (0.5, 0.9):
        s = [ok for r in unseen for v, ok in r["scored"] if v >= limit]
        got = sum(any(v >= limit and ok for v, ok in r["scored"]) for r in unseen)
        print(f"score >= {limit}: {len(s)} readings, {100 * np.mean(s):.2f}% right, {100 * got / len(unseen):.1f}% of plates covered (unseen)")
    bad = 0
    for line in data.labels(folder, "foreign"):
        reads = pipe.read(cv2.imread(line["path"]))
        worst = [r for r in reads if r["country"] == "VN" and r["score"] >= 0.5]
        bad += bool(worst)
        print("foreign", line["file"], line["plates"][0]["text"], [(r["text"], r["country"], round(r["score"], 2)) for r in reads])
    print(f"foreign pictures with a Vietnamese reading of score >= 0.5: {bad} of 12")
    print(f"{time.monotonic() - began:.0f} s in all, one thread")


if __name__ == "__main__":
    main()
