"""Writes container-reader: python3 -m containers.export --weights runs --models ../models"""
import argparse
import os

import torch
from common import export, loop
from torch import nn

from .net import NAMES, SIDE, Character
from .patches import AROUND

VERSION = "0.2.0"


class Graph(nn.Module):
    """The net with its probabilities."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, patch):
        return torch.softmax(self.net(patch), -1)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", default="runs")
    p.add_argument("--models", default="../models")
    args = p.parse_args()
    graph = Graph(loop.load(Character(), os.path.join(args.weights, "character.pt"))).eval()
    manifest = {
        "name": "container-reader", "version": VERSION, "task": "container-reading",
        "input": {"name": "patch", "width": SIDE, "height": SIDE, "channels": 1, "order": "grey", "mean": [0], "std": [1],
                  "scale": "1/255", "around": AROUND},
        "outputs": {"names": "[N,C] probabilities over alphabet; the first is that there is no character"},
        "alphabet": NAMES,
    }
    path = export.write(graph, torch.rand(2, 1, SIDE, SIDE), os.path.join(args.models, "container-reader"), manifest, ["patch"],
                        ["names"], {"patch": {0: "patches"}, "names": {0: "patches"}})
    export.compare(path, graph, torch.rand(1, 1, SIDE, SIDE), ["names"])


if __name__ == "__main__":
    main()
