"""Writes xray-baggage: python3 -m xray.export --weights runs/a --models ../models (after xray.evaluate)"""
import argparse
import json
import os

import torch
from common import export
from torch import nn

from . import data
from .net import load

VERSION = "0.1.0"


class Graph(nn.Module):
    """The network with its probability."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, scan):
        return torch.sigmoid(self.net(scan))


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", default="runs")
    p.add_argument("--models", default="../models")
    args = p.parse_args()
    with open(os.path.join(args.weights, "xray.json"), encoding="utf-8") as f:
        found = json.load(f)
    graph = Graph(load(os.path.join(args.weights, "xray.pt"))).eval()
    manifest = {
        "name": "xray-baggage", "version": VERSION, "task": "xray-anomaly",
        "input": {"name": "scan", "width": data.LONG_SIDE, "height": data.LONG_SIDE, "channels": 1,
                  "order": "transmission, 1 is air", "mean": [0], "std": [1], "multiple": 32, "pad": 1.0},
        "outputs": {"heat": "[1,1,H/8,W/8] probability of a threat"},
        "grey": "luma", "stride": data.STRIDE, "threshold": found["threshold"], "classes": ["anomaly"],
        "calibration": {"false_alarms_per_bag": 0.05, "benign_bags": found["bags"]},
    }
    axes = {"scan": {2: "height", 3: "width"}, "heat": {2: "rows", 3: "columns"}}
    path = export.write(graph, torch.rand(1, 1, 384, 512), os.path.join(args.models, "xray-baggage"), manifest, ["scan"],
                        ["heat"], axes)
    for size in ((384, 512), (512, 320)):
        export.compare(path, graph, torch.rand(1, 1, *size), ["heat"])


if __name__ == "__main__":
    main()
