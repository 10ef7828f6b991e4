"""A closer look at the places that the baggage network's heat points to: python3 -m xray.closer --data DIR --heat WEIGHTS --out runs

The heat says where something is that does not belong; this network sees such a place at full resolution and tells what it
is. It learns most from what the heat takes for a threat and is none.
"""
import cv2
import numpy as np
import torch
from common import loop
from torch.nn import functional as F

from . import data
from .evaluate import heat
from .net import APART, PLACES, SIDE, Closer, load, structure

RIM = 3  # cells of a crop's border about which no window is trained on, since most of it would be made up
# Blades are drawn most and rounds least; without these a gun is told as a blade wherever it is unsure.
WORTH = torch.tensor([1, 1.6, 0.8, 2, 3, 2])


def places(h, most=PLACES):
    """The hottest cells (row, column) of a heat map, hottest first, none within APART cells of a hotter one."""
    top = cv2.dilate(h, np.ones((2 * APART + 1,) * 2, np.uint8))
    rows, columns = np.where(h >= top)
    order = np.argsort(-h[rows, columns], kind="stable")[:most]
    return list(zip(rows[order].tolist(), columns[order].tolist()))


def window(g, place):
    """The window of a scan about a cell; beyond the border its last pixels go on."""
    half = SIDE // 2
    y, x = (min(int(v) * data.STRIDE + data.STRIDE // 2, n - 1) for v, n in zip(place, g.shape))
    return cv2.copyMakeBorder(g, half, half, half, half, cv2.BORDER_REPLICATE)[y:y + SIDE, x:x + SIDE]


class Windows:
    """Makes windows to train on: about threats, and about what the heat points to beside them."""

    def __init__(self, projector, finder):
        self.projector, self.finder = projector, finder

    def some(self, rng):
        """The windows of one crop with their classes: 0 is harmless."""
        g, whose, weight, kinds = self.projector.sample(rng)
        h = heat(self.finder, g)
        n = len(h)
        inner = lambda at: min(*at, n - 1 - at[0], n - 1 - at[1]) >= RIM
        for k in np.unique(whose[whose > 0]):
            cells = np.array([at for at in np.argwhere(whose == k) if inner(at)])
            if not len(cells):
                continue
            hottest = cells[h[tuple(cells.T)].argmax()]
            for at in (cells[int(rng.integers(len(cells)))], hottest):
                yield window(g, at), int(kinds[k]) + 1
        about = cv2.dilate(((whose > 0) | (weight == 0)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        clear = lambda at: inner(at) and not about[at]
        for at in [p for p in places(np.ascontiguousarray(h)) if clear(p)][:3]:
            yield window(g, at), 0
        at = tuple(rng.integers(0, n, 2))
        if rng.random() < 0.5 and clear(at):
            yield window(g, at), 0

    def batch(self, rng, n):
        """Tensors: windows as structure gives them, and classes."""
        x, y = [], []
        while len(x) < n:
            for w, k in self.some(rng):
                x.append(structure(w))
                y.append(k)
        return torch.from_numpy(np.stack(x[:n])), torch.tensor(y[:n])


def loss_of(model, b):
    """Cross entropy of the class."""
    x, y = b
    with loop.autocast():
        z = model.of(x.contiguous(memory_format=torch.channels_last)).float()
    ce, threat = F.cross_entropy(z, y, weight=WORTH), (z[:, 1:].logsumexp(1) - z[:, 0])
    right = ((threat > 0) == (y > 0)).float().mean()
    named = (z[:, 1:].argmax(1) + 1 == y)[y > 0].float().mean()
    return ce, {"ce": ce, "right": right, "named": named}


def main():
    p = loop.arguments(__doc__, minutes=60, batch=64, lr=2e-3)
    p.add_argument("--heat", default="../models/xray-baggage", help="weights of the network that finds the places")
    p.add_argument("--hold-out", nargs="*", default=["gun"], help="sprites, kinds or families never trained on (empty: none)")
    p.add_argument("--site", help="folder of a site's own benign scans, learned beside the others")
    args = p.parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    projector = data.Projector(data.root(args.data), tuple(args.hold_out), site=args.site, own=0.6)
    source, model = Windows(projector, load(args.heat)), Closer()
    print(f"closer: {loop.parameters_m(model):.2f} M weights, {len(projector.bags)} bags, sprites {sorted(projector.sprites)}, without {sorted(projector.left_out)}")
    loop.train("closer", model, lambda rng: source.batch(rng, args.batch), loss_of, args, every=100)


if __name__ == "__main__":
    main()
