"""Harmless things beside those of shapes.py, and rendered bags full of them."""
import cv2
import numpy as np

from . import shapes
from .arms import _curve, _ring
from .shapes import _blank, _disc, _poly, _rect


def _glasses(rng, t):
    for x in (0.25, 0.6):
        _ring(t, x, 0.5, 0.14, 0.015, 0.6, 0.11)
    _curve(t, [(0.74, 0.47), (0.96, 0.5), (0.97, 0.6)], 0.015, 0.6)
    _curve(t, [(0.11, 0.47), (0.04, 0.6)], 0.015, 0.6)


def _belt(rng, t):
    y = rng.uniform(0.44, 0.56)
    _rect(t, 0.3, y - 0.06, 0.98, y + 0.06, 0.15)
    _ring(t, 0.2, y, 0.14, 0.03, 0.9)
    _curve(t, [(0.2, y), (0.36, y)], 0.02, 0.8)


def _pen(rng, t):
    for _ in range(int(rng.integers(1, 4))):
        y, w = rng.uniform(0.2, 0.8), rng.uniform(0.012, 0.03)
        _rect(t, 0.08, y - w, 0.9, y + w, rng.uniform(0.1, 0.3))
        _poly(t, [(0.9, y - w), (0.97, y), (0.9, y + w)], 0.6)
        _rect(t, 0.1, y - w * 1.5, 0.3, y - w, 0.5)


def _plug(rng, t):
    _rect(t, 0.2, 0.3, 0.6, 0.7, 0.3)
    _disc(t, 0.4, 0.5, 0.12, 0.5, 0.15)
    for y in (0.4, 0.6):
        _rect(t, 0.6, y - 0.015, 0.8, y + 0.015, 0.8)
    _curve(t, [(0.2, 0.5), (0.1, 0.6), (0.03, 0.4)], 0.03, 0.4)


def _can(rng, t):
    w, n = rng.uniform(0.16, 0.3), t.shape[0]
    u = np.clip(1 - ((np.arange(n) / n - 0.5) / w) ** 2, 0, 1)[:, None].astype(np.float32)
    t[:, int(0.1 * n):int(0.9 * n)] += np.sqrt(u) * rng.uniform(0.2, 0.7)
    for x in (0.1, 0.88):
        _rect(t, x, 0.5 - w, x + 0.02, 0.5 + w, 0.5)


def _zip(rng, t):
    x = np.linspace(0.03, 0.97, 90)
    y = 0.5 + 0.2 * np.sin(x * rng.uniform(1, 7) + rng.uniform(0, 6))
    for a, b in zip(x[::2], y[::2]):
        _disc(t, a, b, 0.012, 0.6)


def _strip(rng, t):
    """A ruler, a corset bone, a hinge, a metal label: a plain strip as thin as a blade, without edge or slots."""
    h = rng.uniform(0.02, 0.3)
    v = rng.uniform(0.1, 0.8)
    _rect(t, 0.05, 0.5 - h, 0.95, 0.5 + h, v)
    if rng.random() < 0.4:
        for x in np.linspace(0.12, 0.88, int(rng.integers(2, 9))):
            _disc(t, x, 0.5, min(h * 0.5, 0.03), -v)


def _phones(rng, t):
    _ring(t, 0.5, 0.5, 0.38, 0.03, 0.5)
    for x in (0.13, 0.87):
        _disc(t, x, 0.6, 0.1, rng.uniform(0.3, 0.7), 0.14)
        _disc(t, x, 0.6, 0.05, 0.6)


def _lens(rng, t):
    for r in sorted(rng.uniform(0.1, 0.45, int(rng.integers(2, 6))), reverse=True):
        _ring(t, 0.5, 0.5, r, rng.uniform(0.01, 0.06), rng.uniform(0.3, 1))
    _disc(t, 0.5, 0.5, 0.3, rng.uniform(0.1, 0.4))


def _tube(rng, t):
    """Tubes, umbrella shafts, flutes: hollow and open, with nothing in them."""
    w, n = rng.uniform(0.02, 0.15), t.shape[0]
    y = np.abs(np.arange(n) / n - 0.5)
    outer, inner = np.clip(1 - (y / w) ** 2, 0, 1), np.clip(1 - (y / (w * 0.85)) ** 2, 0, 1)
    t[:, int(0.04 * n):int(0.96 * n)] += (np.sqrt(outer) - np.sqrt(inner))[:, None].astype(np.float32) * rng.uniform(0.6, 1.5)


def _bolts(rng, t):
    for _ in range(int(rng.integers(1, 9))):
        x, y, r = rng.uniform(0.1, 0.7), rng.uniform(0.1, 0.9), rng.uniform(0.02, 0.05)
        _rect(t, x, y - r, x + 2 * r, y + r, 1.2)
        _rect(t, x, y - r * 0.5, x + r * rng.uniform(3, 7), y + r * 0.5, 1.0)


def _frame(rng, t):
    x0, y0 = rng.uniform(0.02, 0.2, 2)
    m, k = _blank(t.shape[0]), rng.uniform(0.01, 0.08)
    _rect(m, x0, y0, 1 - x0, 1 - y0, 1)
    _rect(m, x0 + k, y0 + k, 1 - x0 - k, 1 - y0 - k, -1)
    t += np.clip(m, 0, 1) * rng.uniform(0.2, 1)


def _clump(rng, t):
    """What is small, ragged and nearly black in a real bag: motors, magnets, padlocks, locks' works, coins in a heap."""
    m, n = _blank(t.shape[0]), t.shape[0]
    x, y = 0.5, 0.5
    for _ in range(int(rng.integers(3, 12))):
        r = rng.uniform(0.05, 0.2)
        if rng.random() < 0.5:
            _disc(m, x, y, r, rng.uniform(0.4, 1.6))
        else:
            a, b = rng.uniform(0.04, 0.2, 2)
            _rect(m, x - a, y - b, x + a, y + b, rng.uniform(0.4, 1.6))
        x, y = np.clip((x, y) + rng.normal(0, 0.11, 2), 0.2, 0.8)
    if rng.random() < 0.5:
        m = m * cv2.resize(rng.uniform(0.3, 1.3, (int(rng.integers(6, 20)),) * 2).astype(np.float32), (n, n), interpolation=cv2.INTER_LINEAR)
    for _ in range(int(rng.integers(0, 4))):  # leads, tabs, a shaft
        d = rng.uniform(-0.45, 0.45, 2)
        _curve(m, [(0.5, 0.5), (0.5 + d[0] * 0.6, 0.5 + d[1]), (0.5 + d[0], 0.5 + d[1])], rng.uniform(0.008, 0.04), rng.uniform(0.3, 1.2))
    np.maximum(t, m * rng.uniform(0.8, 2), out=t)


def _motor(rng, t):
    """An electric motor or a transformer: a dark body with a lighter gap or windings, in a round or square housing."""
    r = rng.uniform(0.15, 0.3)
    if rng.random() < 0.5:
        _disc(t, 0.5, 0.5, rng.uniform(0.32, 0.46), rng.uniform(0.05, 0.3))
        _disc(t, 0.5, 0.5, r, rng.uniform(0.8, 2))
        _ring(t, 0.5, 0.5, r * 1.25, 0.03, rng.uniform(0.6, 1.6))
        for a in np.arange(0, 2 * np.pi, np.pi / int(rng.integers(2, 6))):
            _disc(t, 0.5 + r * 0.6 * np.cos(a), 0.5 + r * 0.6 * np.sin(a), r * 0.18, -rng.uniform(0, 0.8))
    else:
        k = r * rng.uniform(0.6, 1)
        _rect(t, 0.5 - r, 0.5 - k, 0.5 + r, 0.5 + k, rng.uniform(0.8, 2))
        for x in (0.5 - r * 0.5, 0.5 + r * 0.5):
            _rect(t, x - r * 0.2, 0.5 - k * 0.7, x + r * 0.2, 0.5 + k * 0.7, -rng.uniform(0, 0.7))
        _rect(t, 0.2, 0.5 - k * 1.6, 0.8, 0.5 + k * 1.6, rng.uniform(0.03, 0.2))
    w = rng.uniform(0.01, 0.03)
    _rect(t, 0.5, 0.5 - w, 0.97, 0.5 + w, rng.uniform(0.3, 1.2))
    np.maximum(t, 0, out=t)


MORE = (_clump, _clump, _clump, _clump, _motor, _motor, _glasses, _belt, _pen, _plug, _can, _zip, _strip, _strip, _phones,
        _lens, _tube, _bolts, _frame)


def harmless(rng, n=160):
    """Transmission of a harmless thing."""
    if rng.random() < 0.5:
        return shapes.benign(rng, n)
    t = _blank(n)
    MORE[int(rng.integers(len(MORE)))](rng, t)
    return np.exp(-rng.uniform(0.4, 3.5) * np.clip(t, 0, 3)).astype(np.float32)


def _shell(rng, g):
    """The rails, seams and studs of a suitcase, or the folds of a soft bag, drawn into transmission g."""
    n = g.shape[0]
    t = _blank(n)
    for _ in range(int(rng.integers(0, 4))):  # rails and seams, along the bag or bent round a corner
        y, w, v = rng.uniform(0, 1), rng.uniform(0.003, 0.03), rng.uniform(0.1, 0.7)
        bend = rng.uniform(-0.15, 0.15)
        _curve(t, [(0, y), (0.3, y + bend * rng.random()), (0.7, y + bend), (1, y + bend * rng.uniform(0.5, 2))], w, v)
        if rng.random() < 0.4:
            _curve(t, [(0, y + w * 1.5), (0.5, y + bend * 0.6 + w * 1.5), (1, y + bend + w * 1.5)], w * 0.4, v * 1.5)
    for _ in range(int(rng.integers(0, 12))):  # studs, screws, zip pullers
        x, y, r = *rng.uniform(0.02, 0.98, 2), rng.uniform(0.006, 0.02)
        _disc(t, x, y, r, rng.uniform(0.4, 2))
        if rng.random() < 0.4:
            d = rng.uniform(-0.06, 0.06, 2)
            _curve(t, [(x, y), (x + d[0], y + d[1])], r * 1.2, rng.uniform(0.4, 1.5))
    t = np.rot90(t, int(rng.integers(4)))
    return g * np.exp(-t * rng.uniform(0.6, 2.5))


def bag(rng, side, turn, cut=lambda: None):
    """A rendered bag: shell, cloth, and things turned at random, lying over one another; cut gives things of real bags."""
    cells = int(rng.integers(4, 24))
    f = cv2.resize(np.abs(rng.normal(0, 1, (cells, cells))).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    g = np.exp(-np.clip(f, 0, 3) * rng.uniform(0.05, 0.6)).astype(np.float32)
    if rng.random() < 0.7:
        g = _shell(rng, g)
    if rng.random() < 0.4:  # the bag ends within the picture
        m = np.zeros((side, side), np.float32)
        k = side * rng.uniform(0.03, 0.3, 4)
        cv2.rectangle(m, (int(k[0]), int(k[1])), (int(side - k[2]), int(side - k[3])), 1.0, -1)
        m = cv2.GaussianBlur(m, (0, 0), rng.uniform(0.7, 6))
        g = g ** m * np.exp(-rng.uniform(0, 0.8) * 4 * m * (1 - m))
    for _ in range(int(rng.integers(3, 16))):
        t = cut() if rng.random() < 0.5 else None
        t = turn(rng, harmless(rng) if t is None else t, float(np.exp(rng.uniform(np.log(20), np.log(180)))))
        t = t[:side, :side]
        y, x = int(rng.integers(0, side - t.shape[0] + 1)), int(rng.integers(0, side - t.shape[1] + 1))
        g[y:y + t.shape[0], x:x + t.shape[1]] *= t ** rng.uniform(0.3, 1)
    return np.clip(g, 0.02, 1).astype(np.float32)
