"""More procedural threats beside those of shapes.py: thin blades at every roll, tools, rounds, pipes with fittings.

As in shapes.py every function returns thickness on a square of n pixels and an attenuation for the whole.
"""
import cv2
import numpy as np

from . import shapes
from .shapes import _blank, _disc, _poly, _rect


def _ring(t, x, y, r, width, value, ry=None):
    """Adds an ellipse's outline, where nothing thicker stands yet."""
    n, m = t.shape[0], np.zeros_like(t)
    cv2.ellipse(m, (int(x * n), int(y * n)), (max(1, int(r * n)), max(1, int((ry or r) * n))), 0, 0, 360, 1.0,
                max(1, round(width * n)), cv2.LINE_AA)
    np.maximum(t, m * value, out=t)


def _curve(t, pts, width, value):
    """Adds a line through points (0..1), where nothing thicker stands yet."""
    n, m = t.shape[0], np.zeros_like(t)
    cv2.polylines(m, [np.round(np.asarray(pts) * n * 16).astype(np.int32)], False, 1.0, max(1, round(width * n)), cv2.LINE_AA, 4)
    np.maximum(t, m * value, out=t)


def _bent(rng, pts, y=0.5):
    """Bends points along x into an arc, as a sabre, a kukri or a pruning blade is."""
    p, k = np.array(pts, np.float64), rng.uniform(-0.5, 0.5)
    p[:, 1] += k * (p[:, 0] - y) ** 2 - k * 0.08
    return np.clip(p, 0.02, 0.98)


def rolled_knife(rng, n):
    """A knife turned about its long axis: up to edge on, where the blade is a thin dark line."""
    t = _blank(n)
    roll = rng.uniform(0, np.pi / 2)
    w = rng.uniform(0.04, 0.12)
    half = max(w * np.cos(roll), 0.006)
    deep = np.clip(rng.uniform(0.2, 0.5) * w / half, 0.2, 2.2)  # what is narrower is as much thicker
    joint, tip = rng.uniform(0.3, 0.5), rng.uniform(0.88, 0.97)
    belly = np.linspace(joint, tip, 9)
    u = (belly - joint) / (tip - joint)
    top, low = 0.5 - half * (1 - rng.uniform(0, 1) * u ** 4), 0.5 + half * (1 - u ** rng.uniform(2, 6))
    pts = np.concatenate([np.stack([belly, top], 1), np.stack([belly, low], 1)[::-1]])
    if rng.random() < 0.4:
        pts = _bent(rng, pts)
    _poly(t, pts, deep)
    if rng.random() < 0.4:  # serrations or a fuller
        _curve(t, [(joint + 0.03, 0.5), (tip - 0.15, 0.5)], 0.008, deep * 0.5)
    grip = max(half, 0.02) * rng.uniform(0.7, 1.3)
    _rect(t, 0.04, 0.5 - grip, joint, 0.5 + grip, rng.uniform(0.1, 0.6))
    if rng.random() < 0.6:
        _rect(t, 0.06, 0.5 - grip * 0.4, joint, 0.5 + grip * 0.4, deep * 0.7)
    if rng.random() < 0.3:
        _rect(t, joint - 0.015, 0.5 - grip * 1.8, joint + 0.015, 0.5 + grip * 1.8, 0.7)
    return t, rng.uniform(1.0, 3.5)


def folding_knife(rng, n):
    """A pocket knife, closed, half open, or open, with liners, spring and pivot."""
    t = _blank(n)
    h, blade = rng.uniform(0.05, 0.09), rng.uniform(0.3, 0.7)
    _rect(t, 0.05, 0.5 - h, 0.55, 0.5 + h, rng.uniform(0.2, 0.5))
    for y in (0.5 - h * 0.7, 0.5 + h * 0.7):
        _rect(t, 0.06, y - 0.012, 0.54, y + 0.012, 0.5)
    a, length = rng.uniform(-np.pi, 0.2), rng.uniform(0.36, 0.44)
    d, e = np.array([np.cos(a), np.sin(a)]), np.array([-np.sin(a), np.cos(a)])
    p, k = np.array([0.52, 0.5]), h * 0.8
    _poly(t, np.clip([p - e * k, p + d * length * 0.8 - e * k, p + d * length, p + d * length * 0.8 + e * k, p + e * k], 0.01, 0.99), blade)
    for x in (0.09, 0.52):
        _disc(t, x, 0.5, 0.016, 0.8)
    return t, rng.uniform(1.2, 3.5)


def cutter(rng, n):
    """A snap-off cutter, a scalpel or a trapezoid blade."""
    t, r = _blank(n), rng.random()
    v = rng.uniform(0.25, 0.7)
    if r < 0.4:
        h = rng.uniform(0.03, 0.06)
        _poly(t, [(0.35, 0.5 - h * 0.6), (0.93, 0.5 - h * 0.6), (0.97, 0.5 + h * 0.6), (0.35, 0.5 + h * 0.6)], v)
        for x in np.linspace(0.45, 0.9, int(rng.integers(4, 9))):
            _curve(t, [(x, 0.5 - h * 0.6), (x + 0.02, 0.5 + h * 0.6)], 0.006, v * 1.3)
        _rect(t, 0.04, 0.5 - h, 0.65, 0.5 + h, rng.uniform(0.1, 0.3))
        _rect(t, 0.2, 0.5 - h * 1.3, 0.28, 0.5 - h * 0.6, 0.4)
    elif r < 0.6:
        _rect(t, 0.04, 0.475, 0.7, 0.525, rng.uniform(0.3, 0.7))
        _poly(t, [(0.66, 0.47), (0.9, 0.48), (0.96, 0.52), (0.7, 0.545)], v)
    else:
        h, cut = rng.uniform(0.14, 0.2), rng.uniform(0.1, 0.22)
        _poly(t, [(0.05 + cut, 0.5 - h), (0.95 - cut, 0.5 - h), (0.95, 0.5 + h), (0.05, 0.5 + h)], v)
        _disc(t, 0.5, 0.5 - h * 0.3, 0.035, -v)
        for x in (0.4, 0.6):
            _rect(t, x - 0.02, 0.5 - h, x + 0.02, 0.5 - h * 0.7, -v)
    return np.maximum(t, 0), rng.uniform(0.7, 2.5)


def thin_razor(rng, n):
    """Safety and single-edge razor blades: almost transparent, with slots, holes or a spine; now and then several."""
    t, v = _blank(n), rng.uniform(0.25, 0.6)
    h = rng.uniform(0.18, 0.3)
    if rng.random() < 0.6:
        body = [(0.1, 0.5 - h), (0.9, 0.5 - h), (0.9, 0.5 - h * 0.75), (0.96, 0.5 - h * 0.75), (0.96, 0.5 + h * 0.75),
                (0.9, 0.5 + h * 0.75), (0.9, 0.5 + h), (0.1, 0.5 + h), (0.1, 0.5 + h * 0.75), (0.04, 0.5 + h * 0.75),
                (0.04, 0.5 - h * 0.75), (0.1, 0.5 - h * 0.75)]
        _poly(t, body, v)
        s, m = rng.uniform(0.012, 0.03), _blank(n)
        _rect(m, rng.uniform(0.14, 0.25), 0.5 - s, rng.uniform(0.75, 0.86), 0.5 + s, 1)
        for x in (0.27, 0.5, 0.73)[:int(rng.integers(1, 4))]:
            _disc(m, x, 0.5, rng.uniform(0.03, 0.06), 1)
        t *= 1 - np.clip(m, 0, 1)
    else:
        _rect(t, 0.05, 0.5 - h, 0.95, 0.5 + h, v)
        _rect(t, 0.05, 0.5 - h, 0.95, 0.5 - h * 0.7, v * rng.uniform(1, 2.5))
        for x in (0.12, 0.88):
            _rect(t, x - 0.03, 0.5 - 0.03, x + 0.03, 0.5 + 0.03, -v)
    return np.maximum(t, 0), rng.uniform(0.6, 2.0)


def scissors(rng, n):
    """Two blades about a pivot, two eyes; open or shut."""
    t, a, v = _blank(n), rng.uniform(0.02, 0.35), rng.uniform(0.4, 0.9)
    w = rng.uniform(0.02, 0.045)
    for s in (-1, 1):
        d, e = np.array([np.cos(s * a), np.sin(s * a)]), np.array([-np.sin(s * a), np.cos(s * a)])
        p = np.array([0.48, 0.5])
        _poly(t, [p - e * w, p + d * 0.47, p + e * w], v)
        q = p - d * 0.2
        _curve(t, [p, q], w * 1.6, v)
        eye = q - d * 0.1 - e * s * 0.05
        _ring(t, eye[0], eye[1], rng.uniform(0.08, 0.11), 0.035, rng.uniform(0.2, 0.8), rng.uniform(0.06, 0.09))
    _disc(t, 0.48, 0.5, 0.025, 0.6)
    return t, rng.uniform(1.2, 3.5)


def pliers(rng, n):
    """Pliers and side cutters: short jaws, long bent handles, some sheathed."""
    t, v = _blank(n), rng.uniform(0.7, 1.2)
    gap, p = rng.uniform(0.03, 0.2), np.array([0.66, 0.5])
    w, jaw = rng.uniform(0.03, 0.05), rng.uniform(0.15, 0.3)
    for s in (-1, 1):
        _poly(t, [p + (0, s * w * 1.6), p + (jaw * 0.6, s * w * 1.3), p + (jaw, s * 0.012), p + (jaw * 0.4, s * 0.005), p], v)
        k = [p, p + (-0.12, s * (0.05 + gap * 0.3)), p + (-0.35, s * (0.07 + gap * 0.7)), p + (-0.6, s * (0.05 + gap))]
        _curve(t, k, w * 1.2, v * rng.uniform(0.7, 1))
        if rng.random() < 0.6:
            _curve(t, k[1:], w * 2, rng.uniform(0.2, 0.4))
    _disc(t, p[0], p[1], w * 1.7, v * 0.5)
    return t, rng.uniform(1.5, 4)


def wrench(rng, n):
    """Open, ring and adjustable wrenches."""
    t, v = _blank(n), rng.uniform(0.6, 1.2)
    w = rng.uniform(0.025, 0.05)
    _rect(t, 0.15, 0.5 - w, 0.85, 0.5 + w, v)
    for x, s in ((0.14, -1), (0.86, 1)):
        r, m = rng.uniform(0.07, 0.12), _blank(n)
        _disc(m, x, 0.5, r, 1)
        if rng.random() < 0.6:
            a = rng.uniform(-0.4, 0.4)
            d, e = np.array([s * np.cos(a), np.sin(a)]), np.array([-np.sin(a), s * np.cos(a)])
            g, q = r * rng.uniform(0.4, 0.6), np.array([x, 0.5])
            _poly(m, np.clip([q - e * g, q + d * 0.2 - e * g, q + d * 0.2 + e * g, q + e * g], 0, 1), -1)
        elif rng.random() < 0.7:
            _disc(m, x, 0.5, r * 0.6, -1)
        np.maximum(t, np.clip(m, 0, 1) * v, out=t)
        if rng.random() < 0.3:
            break
    return t, rng.uniform(1.5, 4)


def hammer(rng, n):
    """Hammers and hatchets."""
    t, y = _blank(n), rng.uniform(0.02, 0.04)
    _rect(t, 0.05, 0.5 - y, 0.85, 0.5 + y, rng.uniform(0.15, 0.9))
    h, w = rng.uniform(0.13, 0.22), rng.uniform(0.04, 0.07)
    if rng.random() < 0.5:
        _poly(t, [(0.85 - w, 0.5 - h), (0.85 + w, 0.5 - h), (0.85 + w, 0.5 + h * 0.4), (0.85, 0.5 + h), (0.85 - w, 0.5 + h * 0.4)], rng.uniform(0.9, 1.5))
    else:
        _poly(t, [(0.85 - w, 0.46), (0.85 - 2.2 * w, 0.5 - h), (0.85 + 2 * w, 0.5 - h), (0.85 + w, 0.46), (0.85 + w, 0.55), (0.85 - w, 0.55)], rng.uniform(0.5, 1.2))
    return t, rng.uniform(1.5, 4)


def rounds(rng, n):
    """Cartridges in a row or loose, or in a magazine."""
    t, k = _blank(n), int(rng.integers(2, 8))
    box, v = rng.random() < 0.35, rng.uniform(0.4, 0.8)
    pitch = 0.9 / max(k, 4)
    for i in range(k):
        x, y = 0.05 + pitch * (i + 0.5), 0.5 + (0 if box else rng.uniform(-0.06, 0.06))
        w, length = pitch * 0.38, rng.uniform(0.22, 0.34) if i == 0 or not box else length
        _rect(t, x - w, y - length * 0.2, x + w, y + length, v)
        _rect(t, x - w * 0.6, y - length * 0.1, x + w * 0.6, y + length * 0.8, -v * 0.4)
        _poly(t, [(x - w, y - length * 0.2), (x - w * 0.5, y - length * 0.6), (x, y - length * 0.75), (x + w * 0.5, y - length * 0.6), (x + w, y - length * 0.2)], 1.3)
    if box:
        _rect(t, 0.02, 0.2, 0.98, 0.9, 0.25)
    return np.maximum(t, 0), rng.uniform(1.2, 3.5)


def knuckles(rng, n):
    """A knuckle-duster: four rings and a palm rest."""
    t, v = _blank(n), rng.uniform(0.6, 1.2)
    for i in range(4):
        _ring(t, 0.2 + 0.2 * i, 0.4 + 0.03 * (i in (0, 3)), 0.095, rng.uniform(0.03, 0.05), v)
    _curve(t, [(0.12, 0.46), (0.25, 0.7), (0.75, 0.7), (0.88, 0.46)], 0.06, v)
    return t, rng.uniform(1.5, 4)


def charge(rng, n):
    """A pipe or block with a filling, end caps or tape, and wires to a battery, clock or telephone."""
    t, w = _blank(n), rng.uniform(0.07, 0.18)
    u = np.clip(1 - ((np.arange(n) / n - 0.4) / w) ** 2, 0, 1)[:, None].astype(np.float32)
    x0, x1 = int(rng.uniform(0.05, 0.12) * n), int(rng.uniform(0.8, 0.95) * n)
    inner = np.clip(1 - ((np.arange(n) / n - 0.4) / (w * rng.uniform(0.7, 0.92))) ** 2, 0, 1)[:, None].astype(np.float32)
    wall = np.sqrt(u) - np.sqrt(inner)
    fill = rng.uniform(0.05, 0.35)
    t[:, x0:x1] += np.sqrt(u) * fill + np.clip(wall, 0, 1) * rng.uniform(0.4, 1.4)
    if rng.random() < 0.7:
        for x in (x0 / n, x1 / n - 0.1):
            _rect(t, x, 0.4 - w * 1.15, x + 0.1, 0.4 + w * 1.15, rng.uniform(0.4, 0.9))
            for k in np.linspace(x + 0.01, x + 0.09, 5):
                _curve(t, [(k, 0.4 - w * 1.1), (k, 0.4 + w * 1.1)], 0.006, 1.2)
    if rng.random() < 0.7:
        at = np.array([rng.uniform(0.2, 0.8), 0.8])
        _rect(t, at[0] - 0.1, 0.74, at[0] + 0.1, 0.9, rng.uniform(0.3, 0.8))
        for _ in range(int(rng.integers(2, 5))):
            mid = rng.uniform(0.2, 0.9, 2)
            start = np.array([rng.uniform(0.2, 0.8), 0.4])
            s = np.linspace(0, 1, 20)[:, None]
            _curve(t, start * (1 - s) ** 2 + 2 * mid * s * (1 - s) + at * s ** 2, 0.01, rng.uniform(0.3, 0.6))
    return t, rng.uniform(0.9, 3)


def _rounded(rng, t, n):
    """Takes the corners off what was drawn with straight edges, keeping it sharp."""
    k = rng.uniform(0.006, 0.02) * n
    m = cv2.GaussianBlur((t > 0.05).astype(np.float32), (0, 0), k)
    return np.where(m > 0.5, np.maximum(t, 0), 0).astype(np.float32) if rng.random() < 0.8 else np.maximum(t, 0)


def handgun(rng, n):
    """An automatic as a scanner shows it: dense, rounded, with barrel, spring, port, magazine and rounds within; from the
    side, or turned about its barrel until it is a bar."""
    t, steel = _blank(n), rng.uniform(0.7, 1.3)
    x0, x1, top = 0.06, rng.uniform(0.86, 0.95), rng.uniform(0.22, 0.34)
    high = rng.uniform(0.08, 0.13)
    nose = rng.uniform(0, 0.06)
    _poly(t, [(x0, top + rng.uniform(0, 0.02)), (x1 - nose, top), (x1, top + nose), (x1, top + high), (x0, top + high)], steel)
    _rect(t, x0 + 0.3, top + high * 0.35, x1, top + high * 0.65, -rng.uniform(0.1, 0.5) * steel)  # bore
    if rng.random() < 0.5:
        for k in np.linspace(x0 + 0.02, x0 + 0.13, int(rng.integers(3, 8))):
            _curve(t, [(k, top), (k + 0.01, top + high)], 0.006, steel * 1.25)
    if rng.random() < 0.6:
        _rect(t, x0 + 0.38, top, x0 + rng.uniform(0.44, 0.52), top + high * 0.4, -0.4 * steel)  # port
    end, deep = x1 - rng.uniform(0, 0.3), rng.uniform(0.04, 0.08)
    frame = rng.uniform(0.2, 1.0) * steel  # polymer to steel
    _rect(t, x0 + 0.03, top + high, end, top + high + deep, frame)
    if rng.random() < 0.5:
        y = top + high + deep * 0.5
        x = np.linspace(x0 + 0.35, end - 0.02, 60)
        _curve(t, np.stack([x, y + deep * 0.25 * np.sin(np.arange(60) * 1.6)], 1), 0.008, frame + 0.3)
    gy, wide, long, lean = top + high, rng.uniform(0.15, 0.21), rng.uniform(0.34, 0.46), rng.uniform(0.03, 0.16)
    gx, low = x0 + rng.uniform(0.02, 0.06), min(gy + long, 0.97)
    swell = rng.uniform(-0.02, 0.03)
    _poly(t, [(gx, gy), (gx + wide, gy), (gx + wide - lean * 0.4 + swell, gy + long * 0.5), (gx + wide - lean, low),
              (gx - lean, low), (gx - lean * 0.45 - swell, gy + long * 0.45)], rng.uniform(0.15, 0.8) * steel)
    if rng.random() < 0.75:  # magazine, with rounds lying across it
        k = wide * rng.uniform(0.14, 0.28)
        _poly(t, [(gx + k, gy), (gx + wide - k, gy), (gx + wide - k - lean, low), (gx + k - lean, low)], rng.uniform(0.2, 0.6))
        for u in np.arange(0.05, rng.uniform(0.2, 0.95), 0.11) if rng.random() < 0.6 else ():
            c = gx + wide / 2 - lean * u, gy + (low - gy) * u
            _curve(t, [(c[0] - wide / 2 + k, c[1] + 0.01), (c[0] + wide / 2 - k, c[1])], 0.03, t.max() * rng.uniform(0.8, 1))
    x = gx + wide + rng.uniform(0.07, 0.1)
    _ring(t, x, gy + deep + 0.04, 0.085, rng.uniform(0.018, 0.035), rng.uniform(0.4, 0.9), rng.uniform(0.055, 0.085))
    _curve(t, [(x - 0.01, gy + deep), (x - 0.02, gy + deep + 0.04), (x + 0.01, gy + deep + 0.08)], 0.02, 0.8)
    if rng.random() < 0.5:
        _poly(t, [(x0, top), (x0 - 0.04, top - 0.04), (x0 + 0.03, top - 0.03), (x0 + 0.05, top)], 0.8)  # hammer
    if rng.random() < 0.3:
        _rect(t, x1 - 0.05, top - 0.025, x1 - 0.03, top, 0.8)
    return _rolled(rng, _rounded(rng, t, n)), rng.uniform(1.6, 5)


def wheelgun(rng, n):
    """A revolver with a fluted cylinder and rounds in it, rib and rod under the barrel, curved grip, spur hammer."""
    t, steel = _blank(n), rng.uniform(0.7, 1.3)
    y, bore, length = rng.uniform(0.24, 0.32), rng.uniform(0.022, 0.04), rng.uniform(0.18, 0.52)
    cx = 0.94 - length
    _rect(t, cx, y - bore, cx + length, y + bore, steel)
    if rng.random() < 0.6:
        _rect(t, cx, y + bore, cx + length * rng.uniform(0.4, 1), y + bore * rng.uniform(1.5, 2.6), steel * rng.uniform(0.4, 1))
    wide, tall = rng.uniform(0.13, 0.18), rng.uniform(0.13, 0.18)
    _poly(t, [(cx - wide - 0.06, y - bore * 1.4), (cx + 0.03, y - bore * 1.4), (cx + 0.03, y + tall + 0.02), (cx - wide, y + tall + 0.04)], steel * rng.uniform(0.2, 0.6))
    _rect(t, cx - wide, y - bore, cx, y - bore + tall, steel * rng.uniform(0.4, 0.9))
    for u in np.linspace(0.15, 0.85, 3):  # chambers
        _rect(t, cx - wide * 0.9, y - bore + tall * u - 0.012, cx - 0.01, y - bore + tall * u + 0.012, rng.uniform(-0.3, 0.5))
    lean, low = rng.uniform(0.04, 0.16), min(y + rng.uniform(0.42, 0.6), 0.96)
    s = np.linspace(0, 1, 8)
    mid = np.stack([cx - wide - 0.02 - lean * s ** rng.uniform(0.7, 2.2), y + 0.03 + (low - y) * s], 1)
    half = 0.055 + rng.uniform(0, 0.05) * s ** 2
    _poly(t, np.clip(np.concatenate([mid - np.stack([half, 0 * s], 1), (mid + np.stack([half, 0 * s], 1))[::-1]]), 0.01, 0.99), rng.uniform(0.15, 0.9))
    if rng.random() < 0.7:
        _curve(t, mid, 0.03, steel * rng.uniform(0.5, 1))
    _ring(t, cx - wide * 0.35, y + tall + 0.04, 0.075, rng.uniform(0.018, 0.03), rng.uniform(0.5, 0.9), rng.uniform(0.05, 0.075))
    _curve(t, [(cx - wide * 0.4, y + tall), (cx - wide * 0.5, y + tall + 0.06)], 0.018, 0.8)
    if rng.random() < 0.8:
        _poly(t, [(cx - wide - 0.02, y), (cx - wide - 0.1, y - 0.06), (cx - wide - 0.05, y - 0.075), (cx - wide + 0.02, y - 0.02)], 0.8)
    _poly(t, [(0.92, y - bore), (0.9, y - bore - 0.03), (0.87, y - bore)], 0.7)
    return _rolled(rng, _rounded(rng, t, n)), rng.uniform(1.6, 5)


def _rolled(rng, t):
    """Turned about its long axis now and then: narrower, and as much thicker."""
    if rng.random() < 0.7:
        return t
    k, n = rng.uniform(0.25, 0.8), t.shape[0]
    out = cv2.warpAffine(t, np.array([[1, 0, 0], [0, k, n * (1 - k) / 2]], np.float32), (n, n), flags=cv2.INTER_AREA)
    return out * min(1 / k, 2)


# Kinds with their share of what is drawn. Two kinds that are hardest to see, blades and pipes, are drawn most.
KINDS = {
    "knife": (shapes.knife, 0.12), "rolled_knife": (rolled_knife, 0.11), "folding_knife": (folding_knife, 0.04),
    "cutter": (cutter, 0.05), "razor": (shapes.razor, 0.08), "thin_razor": (thin_razor, 0.08), "scissors": (scissors, 0.04),
    "pistol": (shapes.pistol, 0.06), "revolver": (shapes.revolver, 0.05), "handgun": (handgun, 0.12), "wheelgun": (wheelgun, 0.09), "grenade": (shapes.grenade, 0.05),
    "blade_star": (shapes.blade_star, 0.04), "pipe": (shapes.pipe, 0.09), "charge": (charge, 0.06), "pliers": (pliers, 0.04),
    "wrench": (wrench, 0.04), "hammer": (hammer, 0.03), "rounds": (rounds, 0.03), "knuckles": (knuckles, 0.02),
}
# The class that a kind or sprite is told as: its place in net.CLASSES, less one.
CLASS = {
    **dict.fromkeys(("gun", "pistol", "revolver", "handgun", "wheelgun"), 0),
    **dict.fromkeys(("knife", "rolled_knife", "folding_knife", "cutter", "razor", "thin_razor", "razor_blade", "scissors",
                     "blade_star", "shuriken"), 1),
    **dict.fromkeys(("grenade", "pipe", "charge"), 2), "rounds": 3,
    **dict.fromkeys(("pliers", "wrench", "hammer", "knuckles"), 4),
}
# What a network never sees when a kind is held out: the kind, and drawings that are the same thing by another name.
FAMILIES = {
    "gun": ("gun",), "sprites": ("gun", "shuriken", "razor_blade"),
    "knife": ("knife", "rolled_knife", "folding_knife", "cutter", "scissors"),
    "razor": ("razor", "thin_razor", "razor_blade", "cutter"),
    "pipe": ("pipe", "charge"),
}


def without(names):
    """The kinds and sprites that holding these names out leaves out."""
    return {k for n in names for k in FAMILIES.get(n, (n,))}


def threat(rng, left_out=(), n=160):
    """Transmission of one random procedural threat, with its kind."""
    names = [k for k in KINDS if k not in left_out]
    w = np.array([KINDS[k][1] for k in names])
    name = names[int(rng.choice(len(names), p=w / w.sum()))]
    t, mu = KINDS[name][0](rng, n)
    return np.exp(-mu * np.clip(t, 0, 3)).astype(np.float32), name
