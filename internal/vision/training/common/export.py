"""ONNX files with manifests, and checks that they say what PyTorch says."""
import hashlib
import json
import os

import cv2
import numpy as np
import onnx
import torch

OPSET = 13


def write(model, example, folder, manifest, inputs, outputs, axes):
    """Exports model into folder/model.onnx, checks the graph, writes manifest.json with the file's hash."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "model.onnx")
    model = model.eval().to(memory_format=torch.contiguous_format)
    torch.onnx.export(model, example, path, opset_version=OPSET, input_names=inputs, output_names=outputs,
                      dynamic_axes=axes, do_constant_folding=True)
    onnx.checker.check_model(onnx.load(path), full_check=True)
    with open(path, "rb") as f:
        blob = f.read()
    manifest = dict(manifest, file="model.onnx", sha256=hashlib.sha256(blob).hexdigest())
    with open(os.path.join(folder, "manifest.json"), "w", encoding="utf-8") as f:
        json.dump(manifest, f, ensure_ascii=False, indent=2)
        f.write("\n")
    print(f"{path}: {len(blob) / 1e6:.2f} MB, opset {OPSET}, graph checked")
    return path


@torch.no_grad()
def compare(path, model, x, outputs):
    """Largest difference between OpenCV's ONNX reader and PyTorch on x; None where OpenCV cannot run the graph."""
    try:
        net = cv2.dnn.readNetFromONNX(path)
        net.setInput(x.numpy())
        got = net.forward(outputs)
    except cv2.error as err:
        print(f"{path}: OpenCV cannot run it ({str(err).splitlines()[0][:120]})")
        return None
    want = model(x)
    want = want if isinstance(want, tuple) else (want,)
    worst = max(float(np.abs(g.reshape(w.shape) - w.numpy()).max()) for g, w in zip(got, want))
    print(f"{path}: largest difference to PyTorch {worst:.2e}")
    return worst
