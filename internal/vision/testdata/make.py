#!/usr/bin/env python3
"""Makes the tiny models that the tests use in place of trained ones, and the worker's canary picture:
python3 make.py MODELS-DIR [CANARY-PNG]

They have the shapes of the real ones and simple, known answers:
 plate-detector  finds what is nearly white, as a plate of 160x64 input pixels
 plate-reader    reads 12C12345, the surer the brighter the crop
 xray-baggage    finds what is nearly black
"""
import hashlib
import json
import os
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save

ALPHABET = [""] + list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") + ["Đ"]
COUNTRIES = ["VN", "CN", "LA", "KH", "TH", "other"]
SLOTS, TEXT = 10, "12C12345"


def const(name, values):
    return numpy_helper.from_array(np.asarray(values, np.float32), name)


def conv(x, y, weights, bias):
    """A 1x1 convolution and its constants."""
    w = np.asarray(weights, np.float32)[:, :, None, None]
    return helper.make_node("Conv", [x, y + ".w", y + ".b"], [y]), [const(y + ".w", w), const(y + ".b", bias)]


def cells(x, y):
    return helper.make_node("AveragePool", [x], [y], kernel_shape=[8, 8], strides=[8, 8])


def model(nodes, constants, channels, size, outputs, name):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, *size])]
    outs = [helper.make_tensor_value_info(o, TensorProto.FLOAT, [None] * rank) for o, rank in outputs]
    graph = helper.make_graph(nodes, "tiny", inputs, outs, constants)
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="gatehouse tests")
    m.ir_version = 7
    checker.check_model(m)
    return m


def detector():
    pool = cells("image", "pool")
    logit, a = conv("pool", "logit", [[0, 40, 0]], [-31])
    heat = helper.make_node("Sigmoid", ["logit"], ["heat"])
    corners, b = conv("pool", "corners", np.zeros((8, 3)), [-80, -32, 80, -32, 80, 32, -80, 32])
    return model([pool, logit, heat, corners], a + b, 3, ["h", "w"], [("heat", 4), ("corners", 4)], "image")


def reader():
    mean = helper.make_node("GlobalAveragePool", ["plate"], ["mean"])
    weights = np.zeros((SLOTS, len(ALPHABET)))
    for i in range(SLOTS):
        weights[i, ALPHABET.index(TEXT[i] if i < len(TEXT) else "")] = 30
    logits, a = conv("mean", "logits", weights.reshape(-1, 1), np.zeros(weights.size))
    shape = numpy_helper.from_array(np.array([-1, SLOTS, len(ALPHABET)], np.int64), "shape")
    grid = helper.make_node("Reshape", ["logits", "shape"], ["grid"])
    slots = helper.make_node("Softmax", ["grid"], ["slots"], axis=-1)
    nodes, constants = [mean, logits, grid, slots], a + [shape]
    for name, bias in (("rows", [6, 0]), ("country", [8] + [0] * (len(COUNTRIES) - 1))):
        c, k = conv("mean", name + ".4", np.zeros((len(bias), 1)), bias)
        flat = helper.make_node("Flatten", [name + ".4"], [name + ".2"])
        nodes += [c, flat, helper.make_node("Softmax", [name + ".2"], [name], axis=-1)]
        constants += k
    return model(nodes, constants, 1, [64, 160], [("slots", 3), ("rows", 2), ("country", 2)], "plate")


def baggage():
    pool = cells("scan", "pool")
    logit, a = conv("pool", "logit", [[-40]], [6])
    heat = helper.make_node("Sigmoid", ["logit"], ["heat"])
    return model([pool, logit, heat], a, 1, ["h", "w"], [("heat", 4)], "scan")


def write(folder, name, net, task, size, channels, input_name, **more):
    path = os.path.join(folder, name)
    os.makedirs(path, exist_ok=True)
    save(net, os.path.join(path, "model.onnx"))
    with open(os.path.join(path, "model.onnx"), "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    manifest = {"name": name, "version": "test", "file": "model.onnx", "sha256": digest, "task": task,
                "input": {"name": input_name, "width": size[0], "height": size[1], "channels": channels,
                          "mean": [0.0] * channels, "std": [1.0] * channels}, **more}
    with open(os.path.join(path, "manifest.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f, ensure_ascii=False, indent=1)
        f.write("\n")


def canary(path):
    """A lorry's front with the plate 12C-123.45, drawn: nobody's vehicle."""
    from PIL import Image, ImageDraw, ImageFilter, ImageFont
    im = Image.new("RGB", (640, 480), (96, 104, 110))
    d = ImageDraw.Draw(im)
    d.rectangle((0, 400, 640, 480), fill=(70, 70, 72))
    d.rectangle((110, 20, 530, 420), fill=(38, 70, 120))
    d.rectangle((140, 50, 500, 190), fill=(28, 34, 40))
    for y in range(215, 300, 16):
        d.rectangle((190, y, 450, y + 7), fill=(22, 28, 36))
    for x in (130, 460):
        d.ellipse((x, 300, x + 50, 340), fill=(190, 190, 180))
    d.rectangle((110, 345, 530, 420), fill=(52, 54, 58))
    d.rectangle((228, 356, 412, 398), fill=(236, 238, 236), outline=(20, 20, 20))
    d.rectangle((231, 359, 409, 395), outline=(25, 25, 25), width=2)
    font = ImageFont.truetype("/usr/share/fonts/truetype/liberation/LiberationSansNarrow-Bold.ttf", 38)
    d.text((320, 377), "12C-123.45", fill=(22, 22, 24), font=font, anchor="mm")
    im.filter(ImageFilter.GaussianBlur(0.6)).save(path, optimize=True)


def main():
    folder = sys.argv[1]
    if len(sys.argv) > 2:
        canary(sys.argv[2])
    write(folder, "plate-detector", detector(), "plate detection", (640, 0), 3, "image", threshold=0.4)
    write(folder, "plate-reader", reader(), "plate reading", (160, 64), 1, "plate", alphabet=ALPHABET,
          countries=COUNTRIES, margins=[0.06, 0.14], calibration={"temperature": 1.0})
    write(folder, "xray-baggage", baggage(), "baggage anomaly", (640, 0), 1, "scan", threshold=0.5, grey="luma",
          classes=[])


if __name__ == "__main__":
    main()
