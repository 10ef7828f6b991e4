"""Writes xray-baggage: python3 -m xray.export --weights runs/a --models ../models (after xray.evaluate)"""
import argparse
import json
import os

import torch
from common import export, loop
from torch import nn

from . import data
from .net import CLASSES, SURE, First, Looked, load

VERSION = {"First": "0.1.0", "Looked": "0.2.0", "Baggage": "0.3.0"}  # of what is shipped with each network


class Heat(nn.Module):
    """A network without classes, with its probability."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, scan):
        return torch.sigmoid(self.net(scan))


class Told(Heat):
    """A network with its probability, and classes beside an unknown that is likelier than any unsure one."""

    def forward(self, scan):
        net = self.net
        heat, kind = net.both(scan) if isinstance(net, Looked) else net.both(net.structure(scan))
        told = torch.softmax(kind[:, 1 - len(CLASSES):], 1)  # a closer look also tells harmless, which the heat says
        return torch.sigmoid(heat), torch.cat([torch.zeros_like(heat) + SURE, told], 1)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", default="runs")
    p.add_argument("--models", default="../models")
    p.add_argument("--site", action="store_true", help="the weights are a site's own: their version says so")
    args = p.parse_args()
    with open(os.path.join(args.weights, "xray.json"), encoding="utf-8") as f:
        found = json.load(f)
    net = load(args.weights)
    plain = isinstance(net, First)
    graph = (Heat if plain else Told)(net).eval()
    outputs = {"heat": "[1,1,H/8,W/8] probability of a threat"}
    if not plain:
        outputs["class"] = f"[1,{len(CLASSES)},H/8,W/8] probability of each class; {SURE} for the first, which is unknown"
    manifest = {
        "name": "xray-baggage", "version": VERSION[type(net).__name__] + ("-site" if args.site else ""), "task": "xray-anomaly",
        "input": {"name": "scan", "width": data.LONG_SIDE, "height": data.LONG_SIDE, "channels": 1,
                  "order": "transmission, 1 is air", "mean": [0], "std": [1], "multiple": 32, "pad": 1.0},
        "outputs": outputs, "grey": "luma", "stride": data.STRIDE, "threshold": found["threshold"],
        "classes": list(CLASSES[:1] if plain else CLASSES),
        "calibration": {"false_alarms_per_bag": 0.05, "benign_bags": found["bags"]},
    }
    axes = {"scan": {2: "height", 3: "width"}, **{o: {2: "rows", 3: "columns"} for o in outputs}}
    folder = os.path.join(args.models, "xray-baggage")
    path = export.write(graph, torch.rand(1, 1, 384, 512), folder, manifest, ["scan"], list(outputs), axes)
    if isinstance(net, Looked):
        loop.keep(net.closer, os.path.join(folder, "closer.npz"))
        net = net.finder
    loop.keep(net, os.path.join(folder, "weights.npz"))
    for size in ((384, 512), (512, 320)):
        export.compare(path, graph, torch.rand(1, 1, *size), list(outputs))


if __name__ == "__main__":
    main()
