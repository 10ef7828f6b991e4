"""Convolution blocks of all networks."""
from torch import nn
from torch.nn import functional as F


class Conv(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, cin, cout, stride=1, dilation=1, k=3):
        super().__init__(nn.Conv2d(cin, cout, k, stride, dilation * (k // 2), dilation, bias=False),
                         nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Two convolutions around a shortcut."""

    def __init__(self, c, dilation=1):
        super().__init__()
        self.a = Conv(c, c, dilation=dilation)
        self.b = nn.Conv2d(c, c, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(c)

    def forward(self, x):
        return F.relu(x + self.norm(self.b(self.a(x))))
