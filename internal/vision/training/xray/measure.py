"""Figures of the baggage network on the frozen list: python3 -m xray.measure --data DIR --weights runs

Every bag's threshold comes from other benign bags that the network was not trained on, for 5 % false alarms. An object
counts as held out only when its network was trained without it: --net OBJECT=WEIGHTS names that network, and folders
hold-OBJECT among the weights are found by themselves. Image-level accuracy on photographs of threat and benign bags is not
reported: saturation alone tells those apart.
"""
import argparse
import collections
import glob
import json
import os

import cv2
import numpy as np
import torch

from . import data, frozen
from .evaluate import auc, found, heat, near, share
from .net import CLASSES, load

ALARMS, ENOUGH = 0.05, 100
WANT = {"auc": 0.985, "detection": 0.95, "worst": 0.85, "patches": 0.10, "bags": 0.70}


def bootstrap(pos, neg, rounds=400, seed=5):
    """90 % interval of the AUC, whole bags drawn anew."""
    rng = np.random.default_rng(seed)
    names = sorted(set(pos) & set(neg))
    out = []
    for _ in range(rounds):
        drawn = [names[i] for i in rng.integers(0, len(names), len(names))]
        out.append(auc(np.concatenate([pos[n] for n in drawn]), np.array([neg[n] for n in drawn])))
    return np.quantile(out, [0.05, 0.95])


class Net:
    """A trained network and the maxima of the benign bags that it has not seen."""

    def __init__(self, weights, maker, unseen):
        self.name, self.model = weights, load(weights)
        b = frozen.bags()
        self.maker = maker
        spare = [f for f in b["calibration"] if unseen(f)]
        self.heats = {f: heat(self.model, frozen.noisy(maker.bag(f), i)) for i, f in enumerate(b["targets"])}
        self.top = {f: float(h.max()) for f, h in self.heats.items()}
        self.spare = {f: float(heat(self.model, frozen.noisy(maker.bag(f), 500 + i)).max()) for i, f in enumerate(spare)}

    def threshold(self, without=None):
        """That of 5 % false alarms on benign bags other than one; and how many they are."""
        tops = sorted(v for f, v in {**self.top, **self.spare}.items() if f != without)
        return float(np.quantile(tops, 1 - ALARMS, method="higher")), len(tops)


def measure_object(net, rows):
    """Scores by bag, alarms, objects marked, objects marked where nothing was marked before, and as what they were marked."""
    scores, alarmed, marked, fresh, told = {}, 0, 0, 0, collections.Counter()
    for c in rows:
        g, mask = net.maker.composite(c)
        t, _ = net.threshold(c["bag"])
        (h, kinds), at = found(net.model, g), near(mask)
        scores.setdefault(c["bag"], []).append(float(h.max()))
        alarmed += h.max() > t
        hit = bool((h[at] > t).any())
        marked += hit
        if hit:
            told[CLASSES[kinds[np.unravel_index(np.where(at, h, -1).argmax(), h.shape)]]] += 1
        fresh += hit and not bool((net.heats[c["bag"]][at] > t).any())
    return scores, int(alarmed), marked, fresh, told


def peaks(value, on):
    """The strongest place of each connected region of on, strongest first."""
    count, labels = cv2.connectedComponents(on.astype(np.uint8))
    found = []
    for k in range(1, count):
        v = np.where(labels == k, value, -np.inf)
        i, j = np.unravel_index(v.argmax(), v.shape)
        found.append((float(v[i, j]), i, j))
    return sorted(found, reverse=True)


def darkest(g, n):
    """The n darkest blobs: minima of the smoothed picture, a blob's width apart."""
    s, out = cv2.GaussianBlur(g, (0, 0), 8), []
    for _ in range(n):
        i, j = np.unravel_index(s.argmin(), s.shape)
        out.append((i, j))
        s[max(0, i - 24):i + 25, max(0, j - 24):j + 25] = 2
    return out


def real_bags(net, rows):
    """Real threat bags: alarms; where boxes cover under half, objects hit by findings, beside the darkest blobs."""
    t, _ = net.threshold()
    alarmed, hit, dark, objects, sources, findings = 0, 0, 0, 0, 0, 0
    for r in rows:
        g, s = data.scan(r["path"])
        h = heat(net.model, g)
        alarmed += h.max() > t
        boxes = [np.array(x["box"]) * s for x in r["labels"] if x["box"]]
        inside = np.zeros(g.shape, bool)
        for x, y, w, k in boxes:
            inside[int(y):int(y + k) + 1, int(x):int(x + w) + 1] = True
        if not boxes or inside[g < 0.95].mean() > 0.5:
            continue
        places = [(i * 8 + 4, j * 8 + 4) for _, i, j in peaks(h, h > t)]
        blobs = darkest(g, max(1, len(places)))
        sources, findings, objects = sources + 1, findings + len(places), objects + len(boxes)
        within = lambda b, p: b[1] <= p[0] <= b[1] + b[3] and b[0] <= p[1] <= b[0] + b[2]
        hit += sum(any(within(b, p) for p in places) for b in boxes)
        dark += sum(any(within(b, p) for p in blobs) for b in boxes)
    print(f"  bags above threshold {share(int(alarmed), len(rows))} (want >= {100 * WANT['bags']:.0f} %)")
    print(f"  boxes under half of the bag: {sources} bags, {objects} objects, {findings} findings: "
          f"objects hit {share(hit, objects)}, by as many darkest blobs {share(dark, objects)}")
    return alarmed / max(1, len(rows))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data")
    p.add_argument("--weights", default="runs")
    p.add_argument("--hold-out", nargs="*", default=["gun"], help="sprites that --weights was trained without")
    p.add_argument("--net", action="append", default=[], metavar="OBJECT=WEIGHTS", help="a network trained without OBJECT")
    p.add_argument("--first", action="store_true", help="the weights are the first ones (0.1.0), trained on 6 of the frozen bags")
    p.add_argument("--json", help="also write the figures here")
    args = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    folder = data.root(args.data)
    maker = frozen.Maker(folder)
    unseen = data.every_fourth if args.first else (lambda f: True)
    main_net = Net(args.weights, maker, unseen)
    nets = {o: main_net for o in args.hold_out}
    for found in sorted(glob.glob(os.path.join(args.weights, "hold-*"))):
        args.net.append(f"{os.path.basename(found)[5:]}={found}")
    for pair in args.net:
        name, where = pair.split("=", 1)
        known = next((n for n in nets.values() if n.name == where), None)
        nets[name] = known or Net(where, maker, unseen)
    t, n = main_net.threshold()
    figures = {"threshold": t, "bags": n}
    print(f"threshold {t:.4f} from {n} benign bags never trained on, for {100 * ALARMS:.0f} % false alarms")
    if n - 1 < ENOUGH:
        print(f"  NOTE: {n - 1} other bags for each bag, fewer than the {ENOUGH} wanted")
    alarms = sum(v > main_net.threshold(f)[0] for f, v in main_net.top.items())
    print(f"benign bags, threshold from the others: alarmed {share(alarms, len(main_net.top))}")
    rows, held = frozen.lines(), []
    for name in sorted({c["object"] for c in rows}, key=lambda o: (o not in frozen.SPRITES, o)):
        net, own = nets.get(name, main_net), [c for c in rows if c["object"] == name]
        scores, alarmed, marked, fresh, told = measure_object(net, own)
        pos, neg = np.concatenate(list(scores.values())), np.array(list(net.top.values()))
        lo, hi = bootstrap(scores, net.top)
        threat = own[0]["role"] == "threat"
        how = "held out" if name in nets else ("drawn, same family as trained" if name.startswith("drawn-") else "TRAINED ON") if threat else "benign"
        figures[name] = {"held_out": name in nets, "auc": auc(pos, neg), "alarmed": alarmed / len(own), "marked": marked / len(own), "fresh": fresh / len(own), "told": dict(told), "n": len(own)}
        print(f"{name} ({how}): AUC {auc(pos, neg):.3f} ({lo:.3f}-{hi:.3f}), bags alarmed {share(alarmed, len(own))}, "
              f"object marked {share(marked, len(own))}" + ("" if threat else f", new marks {share(fresh, len(own))}")
              + (", told as " + ", ".join(f"{k} {n}" for k, n in told.most_common()) if len(told) > 1 else ""))
        if threat and name in nets:
            held.append((name, auc(pos, neg), alarmed / len(own)))
    if held:
        print(f"held-out objects: mean AUC {np.mean([h[1] for h in held]):.3f} (want >= {WANT['auc']}), mean detection "
              f"{100 * np.mean([h[2] for h in held]):.0f} % (want >= 95), worst {min(held, key=lambda h: h[2])[0]} {100 * min(h[2] for h in held):.0f} % (want >= 85)")
    for energy in ("pseudocolor", "grey"):
        found = data.lines(folder, split="dev", kind="baggage", energy=energy, threat=True)
        print(f"real threat scans, {energy} ({len(found)})" + (", another scanner: the threshold is not its own:" if energy == "grey" else ":"))
        figures["real-" + energy] = real_bags(main_net, found)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(figures, f, indent=1)


if __name__ == "__main__":
    main()
