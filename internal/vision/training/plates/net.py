"""The two plate networks, small enough for two CPU cores."""
import torch
from torch import nn
from torch.nn import functional as F

from common.blocks import Conv, Residual

from . import grammar


class Mixer(nn.Module):
    """Self-attention over the grid of tokens, then an MLP."""

    def __init__(self, d, tokens, heads=4, hidden=192):
        super().__init__()
        self.heads, self.d, self.tokens = heads, d, tokens
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.mlp = nn.Sequential(nn.Linear(d, hidden), nn.ReLU(), nn.Linear(hidden, d))

    def forward(self, x):
        n, size = self.tokens, self.d // self.heads
        q, k, v = (t.reshape(-1, n, self.heads, size).transpose(1, 2) for t in self.qkv(self.n1(x)).chunk(3, -1))
        a = torch.softmax(q @ k.transpose(-1, -2) * size ** -0.5, -1)
        x = x + self.out((a @ v).transpose(1, 2).reshape(-1, n, self.d))
        return x + self.mlp(self.n2(x))


class Reader(nn.Module):
    """160x64 grey plate to slots of characters; no segmentation, one or two rows in one pass."""

    GRID_H, GRID_W, D = 8, 20, 96
    CONTRAST = 0.22  # standard deviation that a crop is brought to, share of the range

    def __init__(self):
        super().__init__()
        d = self.D
        self.body = nn.Sequential(Conv(1, 24, 2), Residual(24), Conv(24, 48, 2), Residual(48), Conv(48, d, 2),
                                  Residual(d), Residual(d), Residual(d))
        self.place = nn.Parameter(torch.randn(1, self.GRID_H * self.GRID_W, d) * 0.02)
        self.mix = Mixer(d, self.GRID_H * self.GRID_W)
        # Put into trained weights, which they leave as they were until they have learnt something.
        self.fine, self.deep = Residual(48), Residual(d)
        for late in (self.fine, self.deep):
            nn.init.zeros_(late.norm.weight)
        self.norm = nn.LayerNorm(d)
        self.query = nn.Parameter(torch.randn(grammar.SLOTS, d) * 0.1)
        self.key, self.value = nn.Linear(d, d), nn.Linear(d, d)
        self.char = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, len(grammar.ALPHABET)))
        self.slot = nn.Parameter(torch.randn(1, grammar.SLOTS, d) * 0.02)
        self.glob = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 2 + len(grammar.COUNTRIES)))

    def load_state_dict(self, state_dict, strict=True):
        """Weights of 0.5.0 and before have no fine and deep parts, which then change nothing."""
        own = {k: v for k, v in self.state_dict().items() if k.startswith(("fine.", "deep."))}
        return super().load_state_dict({**own, **state_dict}, strict)

    def forward(self, x):
        """Returns logits: slots, rows, country; and the attention over the grid."""
        mean = x.mean((2, 3), keepdim=True)  # night and glare come with a contrast that says nothing
        x = (x - mean) * (self.CONTRAST / (((x - mean) ** 2).mean((2, 3), keepdim=True).sqrt() + 0.01))
        y = self.deep(self.body[4:](self.fine(self.body[:4](x))))
        t = y.reshape(-1, self.D, self.GRID_H * self.GRID_W).transpose(1, 2) + self.place
        t = self.norm(self.mix(t))
        a = torch.softmax(self.query @ self.key(t).transpose(1, 2) * self.D ** -0.5 * 4, -1)
        s = a @ self.value(t) + self.slot
        g = self.glob(t.mean(1))
        return self.char(s), g[:, :2], g[:, 2:], a


class Detector(nn.Module):
    """Stride-8 heat map of plate centres and offsets of the four corners in input pixels."""

    SCALE = 32.0  # the corner head's unit, pixels

    def __init__(self):
        super().__init__()
        self.s4 = nn.Sequential(Conv(3, 16, 2), Conv(16, 24, 2), Residual(24))
        self.s8 = nn.Sequential(Conv(24, 48, 2), Residual(48))
        self.s16 = nn.Sequential(Conv(48, 72, 2), Residual(72), Residual(72, 2), Residual(72, 3))
        self.up, self.skip = nn.Conv2d(72, 48, 1), nn.Conv2d(48, 48, 1)
        self.fuse = Residual(48)
        self.heat = nn.Sequential(Conv(48, 32), nn.Conv2d(32, 1, 1))
        self.corners = nn.Sequential(Conv(48, 48), nn.Conv2d(48, 8, 1))
        nn.init.constant_(self.heat[1].bias, -4.0)

    def forward(self, x):
        """Returns the heat logits and corner offsets in pixels."""
        y = self.s8(self.s4(x * 2 - 1))
        z = F.interpolate(self.up(self.s16(y)), scale_factor=2, mode="nearest")
        f = self.fuse(F.relu(z + self.skip(y)))
        return self.heat(f), self.corners(f) * self.SCALE
