"""A dilated residual network on log attenuation, stride 8."""
import torch
from common.blocks import Conv, Residual
from torch import nn


class Baggage(nn.Module):
    """Transmission in (1 is air), heat logits out."""

    def __init__(self, c=64):
        super().__init__()
        self.stem = nn.Sequential(Conv(1, 16, 2), Conv(16, 32, 2), Residual(32), Conv(32, c, 2))
        self.body = nn.Sequential(*(Residual(c, d) for d in (1, 2, 4, 8, 1)))
        self.heat = nn.Sequential(Conv(c, 32), nn.Conv2d(32, 1, 1))
        nn.init.constant_(self.heat[1].bias, -3.0)

    def forward(self, x):
        a = -torch.log(x.clamp(0.02, 1.0)) * 0.5
        return self.heat(self.body(self.stem(a)))
