"""A dilated residual network on log attenuation and its fine structure, stride 8."""
import os

import cv2
import numpy as np
import torch
from common import loop
from common.blocks import Conv, Residual
from torch import nn
from torch.nn import functional as F

# What a find may be told to be; the first is said where none of the others is likely enough.
CLASSES = ("anomaly", "firearm", "blade", "explosive", "ammunition", "tool")


def around(x, n):
    """Mean over the n x n neighbourhood; the border's pixels go on beyond it."""
    k, h = x.new_full((1, 1, 1, n), 1 / n), n // 2
    x = F.conv2d(F.pad(x, (h, h, h, h), mode="replicate"), k)
    return F.conv2d(x, k.transpose(2, 3))


class Structure(nn.Module):
    """Log attenuation, what it is above its neighbourhood at two scales, and that against what is usual there.

    A blade adds a few hundredths to what lies about it: worked out here in full precision, since the halves that
    convolutions are trained in would round it away.
    """

    def forward(self, x):
        a = -torch.log(x.clamp(0.02, 1.0))
        fine, coarse = a - around(a, 5), a - around(a, 17)
        usual = around(fine * fine, 17).add(1e-4).sqrt()
        return torch.cat([0.5 * a, 5 * fine, 2.5 * coarse, 0.5 * fine / usual], 1)


def structure(x):
    """What Structure makes of one picture (height, width), many times faster."""
    mean = lambda v, n: cv2.blur(v, (n, n), borderType=cv2.BORDER_REPLICATE)
    a = -np.log(np.clip(x, 0.02, 1.0))
    fine, coarse = a - mean(a, 5), a - mean(a, 17)
    usual = np.sqrt(mean(fine * fine, 17) + 1e-4)
    return np.stack([0.5 * a, 5 * fine, 2.5 * coarse, 0.5 * fine / usual]).astype(np.float32)


class Baggage(nn.Module):
    """Transmission in (1 is air); heat logits and class logits out."""

    def __init__(self, c=64):
        super().__init__()
        self.structure = Structure()
        self.stem = nn.Sequential(Conv(4, 24, 2), Conv(24, 40, 2), Residual(40), Residual(40), Conv(40, c, 2))
        self.body = nn.Sequential(*(Residual(c, d) for d in (1, 2, 4, 8, 2, 1)))
        self.heat = nn.Sequential(Conv(c, 40), nn.Conv2d(40, 1, 1))
        self.kind = nn.Sequential(Conv(c, 40), nn.Conv2d(40, len(CLASSES) - 1, 1))
        nn.init.constant_(self.heat[1].bias, -3.0)

    def both(self, x):
        """Heat logits and class logits from what structure gives."""
        f = self.body(self.stem(x))
        return self.heat(f), self.kind(f)

    def forward(self, x):
        """Heat logits of transmissions."""
        return self.both(self.structure(x))[0]


class First(nn.Module):
    """The network of version 0.1.0: smaller, on log attenuation alone."""

    def __init__(self, c=64):
        super().__init__()
        self.stem = nn.Sequential(Conv(1, 16, 2), Conv(16, 32, 2), Residual(32), Conv(32, c, 2))
        self.body = nn.Sequential(*(Residual(c, d) for d in (1, 2, 4, 8, 1)))
        self.heat = nn.Sequential(Conv(c, 32), nn.Conv2d(32, 1, 1))

    def forward(self, x):
        return self.both(-torch.log(x.clamp(0.02, 1.0)) * 0.5)[0]

    def both(self, x):
        """Heat logits from what structure gives; it tells no classes."""
        return self.heat(self.body(self.stem(x[:, :1]))), None


def of(path):
    """The network, untrained, that the weights at path belong to."""
    return Baggage() if "kind.1.weight" in loop.weights(path) else First()


def load(path):
    """The averaged weights of a file, or of a folder of a run or of a shipped model, in the network that they belong to."""
    if os.path.isdir(path):
        path = next((f for f in (os.path.join(path, n) for n in ("xray.pt", "weights.npz")) if os.path.exists(f)), path)
    if not os.path.isfile(path):
        raise SystemExit(f"no weights at {path}")
    return loop.load(of(path), path)
