"""Puts the weights of a shipped model.onnx back into its network, where no checkpoint is left.

python3 -m common.restore --data DIR --models ../models --out runs   writes detector.pt, corners.pt and reader.pt of the plate models

An exported convolution holds its batch norm; here the norm becomes the identity and a shift, so that the network says what the
file says. The reader, which is trained on most, gets the statistics of its training crops again without saying anything else.
"""
import argparse
import os

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn


def called(model, example, kinds):
    """The modules of these kinds in the order in which they are first called."""
    order, hooks = [], []
    for m in model.modules():
        if isinstance(m, kinds):
            hooks.append(m.register_forward_hook(lambda m, *_: order.append(m) if all(m is not o for o in order) else None))
    with torch.no_grad():
        model.eval()(example)
    for h in hooks:
        h.remove()
    return order


@torch.no_grad()
def restore(model, path, example, prefix="net."):
    """model with the weights of the ONNX file at path; example is an input of it."""
    graph = onnx.load(path).graph
    held = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    named = {k[len(prefix):]: v for k, v in held.items() if k.startswith(prefix)}
    lacking = model.load_state_dict(named, strict=False)
    if lacking.unexpected_keys:
        raise SystemExit(f"{path} is not of this network: {lacking.unexpected_keys}")
    folded = [n for n in graph.node if n.op_type == "Conv" and not n.input[1].startswith(prefix)]
    pairs = called(model, example, (nn.Conv2d, nn.BatchNorm2d))
    convolved = [(c, b) for c, b in zip(pairs, pairs[1:]) if isinstance(c, nn.Conv2d) and isinstance(b, nn.BatchNorm2d)]
    for node, (conv, norm) in zip(folded, convolved, strict=True):
        conv.weight.copy_(held[node.input[1]])
        norm.bias.copy_(held[node.input[2]])
        norm.weight.fill_(1)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
    products = [n for n in graph.node if n.op_type == "MatMul" and n.input[1] in held]
    linear = [m for m in called(model, example, nn.Linear) if f"{name_of(model, m)}.weight" not in named]
    for node, m in zip(products, linear, strict=True):
        m.weight.copy_(held[node.input[1]].t())
    return model.eval()


def name_of(model, module):
    """The name of a part of a network."""
    return next(n for n, m in model.named_modules() if m is module)


@torch.no_grad()
def settle(model, batches):
    """Gives every batch norm the statistics of these batches without changing what the network says."""
    seen = {}

    def note(m, inputs, _):
        x = inputs[0].transpose(0, 1).flatten(1).double()
        n, s, q = seen.get(m, (0, 0, 0))
        seen[m] = n + x.shape[1], s + x.sum(1), q + (x * x).sum(1)

    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for b in batches:
        model.eval()(b)
    for h in hooks:
        h.remove()
    for m, (n, s, q) in seen.items():
        mean, var = (s / n).float(), (q / n - (s / n) ** 2).clamp(min=1e-8).float()
        scale = m.weight / (m.running_var + m.eps).sqrt()
        m.bias.copy_(m.bias + scale * (mean - m.running_mean))
        m.weight.copy_(scale * (var + m.eps).sqrt())
        m.running_mean.copy_(mean)
        m.running_var.copy_(var)
    return model


def main():
    from plates import corners, data, net, reader
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data")
    p.add_argument("--models", default="../models")
    p.add_argument("--out", default="runs")
    args = p.parse_args()
    os.makedirs(args.out, exist_ok=True)
    for name, model, example in (
        ("detector", net.Detector(), torch.rand(1, 3, 64, 64)),
        ("corners", corners.Corners(), torch.rand(1, 3, corners.VIEW_H, corners.VIEW_W)),
        ("reader", net.Reader(), torch.rand(1, 1, data.PLATE_H, data.PLATE_W)),
    ):
        restore(model, os.path.join(args.models, f"plate-{name}", "model.onnx"), example)
        if name == "reader":
            source, rng = reader.Source(data.root(args.data)), np.random.default_rng(1)
            settle(model, (source.batch(rng, 48)[0] for _ in range(40)))
        torch.save({"ema": model.state_dict()}, os.path.join(args.out, name + ".pt"))
        print(f"{args.out}/{name}.pt")


if __name__ == "__main__":
    main()
