"""The net that finds characters and names them, at any place of a grey picture."""
import torch
from common.blocks import Conv, Residual
from torch import nn
from torch.nn import functional as F

from .render import ALPHABET

STRIDE = 4


class Characters(nn.Module):
    """Grey picture to cells of 4 pixels: heat of a character's centre, its class, its place and size."""

    def __init__(self):
        super().__init__()
        self.s4 = nn.Sequential(Conv(1, 16, 2), Conv(16, 32, 2), Residual(32))
        self.s8 = nn.Sequential(Conv(32, 80, 2), Residual(80), Residual(80, 2), Residual(80))
        self.up, self.skip, self.fuse = nn.Conv2d(80, 48, 1), nn.Conv2d(32, 48, 1), Residual(48)
        self.mid = Conv(48, 64)
        self.heat, self.kind, self.size = nn.Conv2d(64, 1, 1), nn.Conv2d(64, len(ALPHABET), 1), nn.Conv2d(64, 4, 1)
        nn.init.constant_(self.heat.bias, -4.0)

    def forward(self, x):
        """Logits of heat and class; offset x, y and logarithm of width, height, in cells."""
        y = self.s4(x - 0.45)
        z = F.interpolate(self.up(self.s8(y)), scale_factor=2, mode="nearest")
        f = self.mid(self.fuse(F.relu(z + self.skip(y))))
        return self.heat(f), self.kind(f), self.size(f)
