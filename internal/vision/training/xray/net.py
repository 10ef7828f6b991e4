"""Dilated residual networks on log attenuation, stride 8, and the closer look at the places that they find."""
import os

import cv2
import numpy as np
import torch
from common import loop
from common.blocks import Conv, Residual
from torch import nn
from torch.nn import functional as F

from . import data

# What a find may be told to be; the first is said where none of the others is likely enough.
CLASSES = ("anomaly", "firearm", "blade", "explosive", "ammunition", "tool")
SIDE = 128  # of the window of a closer look, pixels of the scan as the heat sees it
SURE = 0.8  # a class less likely than this is told as the first, unknown; from 0.8, nine in ten told on validation were right
PLACES = 4  # looked at in one scan
APART = 3  # cells within which a hotter cell speaks for a place


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

    @staticmethod
    def structure(x):
        """The first of what Structure gives, which is all that this network looks at."""
        return -torch.log(x.clamp(0.02, 1.0)) * 0.5

    def forward(self, x):
        return self.both(self.structure(x))[0]

    def both(self, x):
        """Heat logits from what structure gives; it tells no classes."""
        return self.heat(self.body(self.stem(x[:, :1]))), None


class Closer(nn.Module):
    """Windows of transmission in; logits of harmless and of each class out."""

    def __init__(self):
        super().__init__()
        self.structure = Structure()
        self.body = nn.Sequential(Conv(4, 16, 2), Conv(16, 32, 2), Residual(32), Conv(32, 64, 2), Residual(64), Residual(64),
                                  Conv(64, 128, 2), Residual(128))
        self.told = nn.Linear(256, len(CLASSES))

    def of(self, x):
        """Logits of what structure gives: from the middle, where the place is, and from all of the window."""
        f = self.body(x)
        k = f.shape[-1] // 4
        return self.told(torch.cat([f[..., k:-k, k:-k].mean((2, 3)), f.mean((2, 3))], 1))

    def forward(self, x):
        """Logits of transmissions."""
        return self.of(self.structure(x))


class Looked(nn.Module):
    """The heat of one network as it is, and what a closer look at its hottest places takes them for; one scan at a time.

    A cell shows what the nearest place within REACH cells shows. What no place reaches is told as none of the classes.
    """

    REACH = 6.0

    def __init__(self, finder, closer):
        super().__init__()
        self.finder, self.closer = finder, closer

    def both(self, x):
        """Heat logits, and logits of harmless and of each class by cell: all alike where no place is near."""
        z = self.finder(x)
        h = z[0, 0]
        top = F.max_pool2d(z, 2 * APART + 1, 1, APART)[0, 0]
        _, flat = torch.where(h >= top, h, torch.full_like(h, -1e4)).flatten().topk(PLACES)
        rows, columns = torch.div(flat, h.shape[1], rounding_mode="floor"), flat % h.shape[1]
        half = SIDE // 2
        wide = F.pad(x, (half, half, half, half), mode="replicate")[0, 0]
        reach, middle = torch.arange(SIDE, device=x.device), data.STRIDE // 2
        ys, xs = rows[:, None] * data.STRIDE + middle + reach, columns[:, None] * data.STRIDE + middle + reach
        told = self.closer(wide[ys[:, :, None], xs[:, None, :]][:, None])
        down = torch.arange(h.shape[0], device=x.device).float()[None, :, None] - rows.float()[:, None, None]
        along = torch.arange(h.shape[1], device=x.device).float()[None, None] - columns.float()[:, None, None]
        far, whose = (down * down + along * along).min(0)
        near = (far <= self.REACH ** 2).to(x.dtype)
        return z, (told[whose] * near[:, :, None]).permute(2, 0, 1)[None]

    def forward(self, x):
        """Heat logits."""
        return self.both(x)[0]


def of(path):
    """The network that finds places, untrained, that the weights at path belong to."""
    return Baggage() if "kind.1.weight" in loop.weights(path) else First()


def load(path):
    """The averaged weights of a file, in the network that they belong to; or those of a folder of a run or of a shipped
    model, with the closer look that lies beside them."""
    beside = None
    if os.path.isdir(path):
        first = lambda *names: next((f for f in (os.path.join(path, n) for n in names) if os.path.exists(f)), None)
        path, beside = first("xray.pt", "weights.npz") or path, first("closer.pt", "closer.npz")
    if not os.path.isfile(path):
        raise SystemExit(f"no weights at {path}")
    finder = loop.load(of(path), path)
    return Looked(finder, loop.load(Closer(), beside)).eval() if beside else finder
