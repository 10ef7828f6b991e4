"""The net that names a character, or says that a patch holds none."""
from common.blocks import Conv, Residual
from torch import nn

from .render import ALPHABET

SIDE = 32
NAMES = [""] + list(ALPHABET)  # the first is "no character"


class Character(nn.Module):
    """32x32 grey patch around a character to logits of its names."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(Conv(1, 16, 2), Conv(16, 32), Conv(32, 64, 2), Residual(64), Conv(64, 96, 2))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(96 * 16, 128), nn.ReLU(), nn.Linear(128, len(NAMES)))

    def forward(self, x):
        """Logits; contrast is brought to one measure first, dark on light or light on dark as it is."""
        mean = x.mean((2, 3), keepdim=True)
        x = (x - mean) * (0.25 / (((x - mean) ** 2).mean((2, 3), keepdim=True).sqrt() + 0.01))
        return self.head(self.body(x))
