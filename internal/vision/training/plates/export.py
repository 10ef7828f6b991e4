"""Writes plate-detector and plate-reader: python3 -m plates.export --weights runs/a --models ../models"""
import argparse
import json
import os

import torch
from common import export, loop
from torch import nn

from . import corners, data, grammar
from .net import Detector, Reader

VERSION = "0.7.0"
MARGINS = [0.06, 0.14]


class DetectorGraph(nn.Module):
    """The detector with its probability."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        heat, corners = self.net(image)
        return torch.sigmoid(heat), corners


class ReaderGraph(nn.Module):
    """The reader with its probabilities."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, plate):
        chars, rows, country, _ = self.net(plate)
        return torch.softmax(chars, -1), torch.softmax(rows, -1), torch.softmax(country, -1)


def detector(weights, models, threshold):
    """Exports the detector and compares it on two picture sizes."""
    graph = DetectorGraph(loop.load(Detector(), os.path.join(weights, "detector.pt"))).eval()
    manifest = {
        "name": "plate-detector", "version": "0.2.0", "task": "plate-detection",
        "input": {"name": "image", "width": data.LONG_SIDE, "height": data.LONG_SIDE, "channels": 3, "order": "RGB",
                  "mean": [0, 0, 0], "std": [1, 1, 1], "scale": "1/255", "pad": data.PAD, "max_upscale": data.MAX_UPSCALE,
                  "multiple": 32},
        "outputs": {"heat": "[1,1,H/8,W/8] probability of a plate centre",
                    "corners": "[1,8,H/8,W/8] x,y offsets in input pixels of TL,TR,BR,BL from the cell centre"},
        "stride": data.STRIDE, "threshold": threshold,
    }
    axes = {"image": {2: "height", 3: "width"}, "heat": {2: "rows", 3: "columns"}, "corners": {2: "rows", 3: "columns"}}
    path = export.write(graph, torch.rand(1, 3, 448, 640), os.path.join(models, "plate-detector"), manifest, ["image"],
                        ["heat", "corners"], axes)
    for size in ((448, 640), (640, 416)):
        export.compare(path, graph, torch.rand(1, 3, *size), ["heat", "corners"])


def reader(weights, models, calibration):
    """Exports the reader and compares it."""
    graph = ReaderGraph(loop.load(Reader(), os.path.join(weights, "reader.pt"))).eval()
    manifest = {
        "name": "plate-reader", "version": VERSION, "task": "plate-reading",
        "input": {"name": "plate", "width": data.PLATE_W, "height": data.PLATE_H, "channels": 1, "order": "grey",
                  "mean": [0], "std": [1], "scale": "1/255"},
        "outputs": {"slots": "[N,S,C] probabilities over alphabet", "rows": "[N,2] one row, two rows",
                    "country": "[N,K] probabilities over countries"},
        "alphabet": grammar.ALPHABET, "slots": grammar.SLOTS, "countries": grammar.COUNTRIES, "margins": MARGINS,
        "calibration": calibration,
    }
    axes = {"plate": {0: "plates"}, "slots": {0: "plates"}, "rows": {0: "plates"}, "country": {0: "plates"}}
    path = export.write(graph, torch.rand(2, 1, data.PLATE_H, data.PLATE_W), os.path.join(models, "plate-reader"),
                        manifest, ["plate"], ["slots", "rows", "country"], axes)
    export.compare(path, graph, torch.rand(1, 1, data.PLATE_H, data.PLATE_W), ["slots", "rows", "country"])


class CornersGraph(nn.Module):
    """The corners alone."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, view):
        return self.net(view)[0]


def straightener(weights, models):
    """Exports the net for corners and compares it."""
    graph = CornersGraph(loop.load(corners.Corners(), os.path.join(weights, "corners.pt"))).eval()
    manifest = {
        "name": "plate-corners", "version": "0.2.0", "task": "plate-corners",
        "input": {"name": "view", "width": corners.VIEW_W, "height": corners.VIEW_H, "channels": 3, "order": "RGB", "mean": [0, 0, 0],
                  "std": [1, 1, 1], "scale": "1/255", "around": corners.AROUND, "along": corners.ALONG},
        "outputs": {"corners": "[N,4,2] x,y of TL,TR,BR,BL, 0..1 of the view"},
    }
    path = export.write(graph, torch.rand(2, 3, corners.VIEW_H, corners.VIEW_W), os.path.join(models, "plate-corners"), manifest,
                        ["view"], ["corners"], {"view": {0: "plates"}, "corners": {0: "plates"}})
    export.compare(path, graph, torch.rand(1, 3, corners.VIEW_H, corners.VIEW_W), ["corners"])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", default="runs")
    p.add_argument("--models", default="../models")
    p.add_argument("--threshold", type=float, default=0.3, help="of the detector's heat")
    p.add_argument("--only", choices=["detector", "reader", "corners"])
    args = p.parse_args()
    if args.only == "corners" or (not args.only and os.path.exists(os.path.join(args.weights, "corners.pt"))):
        straightener(args.weights, args.models)
    if args.only in (None, "detector"):
        detector(args.weights, args.models, args.threshold)
    if args.only in (None, "reader"):
        with open(os.path.join(args.weights, "calibration.json"), encoding="utf-8") as f:
            reader(args.weights, args.models, json.load(f))


if __name__ == "__main__":
    main()
