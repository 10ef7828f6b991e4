"""Trains the net that moves a plate's corners from about right to right: python3 -m plates.corners --data DIR --out runs

It sees the plate straightened by the detector's corners, with half a plate's height around it, and says where the true
corners lie in that view.
"""
import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from common import loop
from common.blocks import Conv, Residual

from . import data, degrade
from .scene import SIDE, Scenes

VIEW_W, VIEW_H = 192, 64
AROUND = 0.5  # of the plate's height, on each side
ALONG = 0.05  # of its width besides, left and right
FREE = 0.08  # boxes are loose: an error below this share of the height costs nothing


class Corners(nn.Module):
    """A colour view of a plate to its four corners, 0..1 of the view: TL, TR, BR, BL."""

    def __init__(self):
        super().__init__()
        self.s4 = nn.Sequential(Conv(3, 16, 2), Conv(16, 32, 2), Residual(32))
        self.s8 = nn.Sequential(Conv(32, 64, 2), Residual(64), Residual(64, 2), Residual(64))
        self.up, self.skip, self.fuse = nn.Conv2d(64, 32, 1), nn.Conv2d(32, 32, 1), Residual(32)
        self.head = nn.Conv2d(32, 12, 3, 1, 1)
        ys, xs = torch.meshgrid(torch.arange(VIEW_H // 4) + 0.5, torch.arange(VIEW_W // 4) + 0.5, indexing="ij")
        grid = torch.stack([xs / (VIEW_W // 4), ys / (VIEW_H // 4)]).reshape(2, -1)
        self.register_buffer("grid", grid.float(), persistent=False)

    def forward(self, x):
        """Corners (n, 4, 2) and the logits of where each lies."""
        mean = x.mean((1, 2, 3), keepdim=True)
        x = (x - mean) * (0.22 / (((x - mean) ** 2).mean((1, 2, 3), keepdim=True).sqrt() + 0.01))
        y = self.s4(x)
        z = F.interpolate(self.up(self.s8(y)), scale_factor=2, mode="nearest")
        h = self.head(self.fuse(F.relu(z + self.skip(y)))).float().flatten(2)
        a = torch.softmax(h[:, :4], -1)
        x = (a * (self.grid[0] + 0.02 * h[:, 4:8])).sum(-1)
        y = (a * (self.grid[1] + 0.06 * h[:, 8:12])).sum(-1)
        return torch.stack([x, y], -1), h[:, :4]


def size(q):
    """Mean width and height of a quad."""
    w = (np.linalg.norm(q[1] - q[0]) + np.linalg.norm(q[2] - q[3])) / 2
    h = (np.linalg.norm(q[3] - q[0]) + np.linalg.norm(q[2] - q[1])) / 2
    return max(w, 1.0), max(h, 1.0)


def view(img, quad):
    """The straightened view of a quad and the homography into it."""
    w, h = size(quad)
    mx, my = AROUND * h / w + ALONG, AROUND
    x0, y0 = VIEW_W * mx / (1 + 2 * mx), VIEW_H * my / (1 + 2 * my)
    dst = np.array([[x0, y0], [VIEW_W - x0, y0], [VIEW_W - x0, VIEW_H - y0], [x0, VIEW_H - y0]], np.float32)
    f = min((VIEW_W - 2 * x0) / w, (VIEW_H - 2 * y0) / h)
    k = 1.0
    if f < 1 / 1.5:  # a large plate must not alias
        k = f
        img = cv2.resize(img, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
    m = cv2.getPerspectiveTransform((np.asarray(quad) * k).astype(np.float32), dst)
    out = cv2.warpPerspective(img, m, (VIEW_W, VIEW_H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out, m @ np.diag([k, k, 1.0])


def disturbed(rng, q):
    """Corners as a detector gives them: near, often less tilted than the plate is."""
    w, h = size(q)
    c = q.mean(0)
    q = q.astype(np.float64)
    if rng.random() < 0.35:
        lo, hi = q.min(0), q.max(0)
        box = np.array([lo, (hi[0], lo[1]), hi, (lo[0], hi[1])])
        q += (box - q) * rng.uniform(0, 0.9)
    strong = 0.35 if rng.random() < 0.35 else 1.0
    a = np.radians(rng.normal(0, 3.5 * strong))
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    q = (q - c) @ turn * np.exp(rng.normal(0, 0.07 * strong, 2)) + c
    return q + rng.normal(0, 0.11 * strong, 2) * h + rng.normal(0, 0.09 * strong, (4, 2)) * h


class Source:
    """Views of plates on rendered scenes, exchanged plates, and photographs with boxes alone."""

    def __init__(self, folder):
        self.scenes = Scenes(folder)

    def picture(self, rng):
        """A degraded picture, its quads, and whether they are exact."""
        r = rng.random()
        if r < 0.5:
            own = rng.random() < 0.75
            img, quads, exact = self.scenes.photo(rng, exchange=own)
            exact[:] = own  # the boxes of the photographs are too loose for corners
        else:
            img, quads, exact, _ = self.scenes.rendered(rng)
        if len(quads) and rng.random() < 0.3:
            img = degrade.weather(rng, img, size(quads[0])[1] * 0.5)
            return degrade.sensor(rng, degrade.light(rng, img, 0.3), 0.4), quads, exact
        return degrade.sensor(rng, degrade.optics(rng, degrade.light(rng, img, 0.8), 0.8), 0.8), quads, exact

    def batch(self, rng, n):
        """Views, corners in them, height of the plate in them, and whether the corners are true."""
        x, y = np.empty((n, 3, VIEW_H, VIEW_W), np.float32), np.empty((n, 4, 2), np.float32)
        tall, true = np.empty(n, np.float32), np.empty(n, np.float32)
        i = 0
        while i < n:
            img, quads, exact = self.picture(rng)
            for q, ex in zip(quads, exact):
                if q.min() < -8 or q.max() > SIDE + 8 or size(q)[1] < 8 or size(q)[0] < 24:
                    continue
                for _ in range(2):
                    if i == n:
                        break
                    v, m = view(img, disturbed(rng, q))
                    at = cv2.perspectiveTransform(q[None].astype(np.float64), m)[0]
                    if at.min() < -4 or (at > (VIEW_W + 4, VIEW_H + 4)).any():
                        continue
                    x[i], y[i] = v[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255, at / (VIEW_W, VIEW_H)
                    tall[i], true[i] = size(at)[1] / VIEW_H, ex
                    i += 1
        return tuple(torch.from_numpy(t) for t in (x, y, tall, true))


def loss_of(model, b):
    """Distance in shares of the plate's height; boxes bound where corners are not known."""
    x, y, tall, true = b
    with loop.autocast():
        got, heat = model(x.contiguous(memory_format=torch.channels_last))
    got = got.float()
    shape = torch.tensor([VIEW_W / VIEW_H, 1.0])
    err = (got - y) * shape / tall[:, None, None]
    exact = F.smooth_l1_loss(err, torch.zeros_like(err), beta=0.03, reduction="none").sum((1, 2))
    box = 0
    for pick in (torch.amin, torch.amax):
        d = (pick(got, 1) - pick(y, 1)) * shape / tall[:, None]
        box = box + F.relu(d.abs() - FREE).sum(1)
    grid = model.grid[:, None, None] - y.clamp(0, 1).permute(2, 0, 1)[..., None]  # 2, n, 4, cells
    near = torch.exp(-((grid[0] * VIEW_W / 6) ** 2 + (grid[1] * VIEW_H / 6) ** 2))
    guide = -(near / near.sum(-1, keepdim=True).clamp(min=1e-6) * torch.log_softmax(heat.float(), -1)).sum(-1).mean(1)
    far = err.detach().norm(dim=2).mean(1)
    count = true.sum().clamp(min=1)
    loss = (exact * true).sum() / count + 0.3 * (box * (1 - true)).sum() / (1 - true).sum().clamp(min=1) + 0.1 * (guide * true).sum() / count
    middle = far[true > 0].median() if true.any() else far.sum() * 0
    return loss, {"exact": (exact * true).sum() / count, "median": middle, "box": (box * (1 - true)).sum() / (1 - true).sum().clamp(min=1)}


@torch.no_grad()
def refine(model, img, quad, times=2):
    """Better corners for a quad of a BGR picture; mirrors the Go side."""
    for _ in range(times):
        v, m = view(img, quad)
        got, _ = model(torch.from_numpy(v[..., ::-1].transpose(2, 0, 1).astype(np.float32)[None] / 255))
        at = got[0].numpy().astype(np.float64) * (VIEW_W, VIEW_H)
        quad = cv2.perspectiveTransform(at[None], np.linalg.inv(m))[0].astype(np.float32)
    return quad


def main():
    args = loop.arguments(__doc__, minutes=30, batch=48, lr=2.5e-3).parse_args()
    cv2.setNumThreads(0)
    cv2.setRNGSeed(args.seed)
    source, model = Source(data.root(args.data)), Corners()
    print(f"corners: {loop.parameters_m(model):.2f} M weights")
    loop.train("corners", model, lambda rng: source.batch(rng, args.batch), loss_of, args, every=100)


if __name__ == "__main__":
    main()
