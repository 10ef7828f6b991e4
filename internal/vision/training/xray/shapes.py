"""Procedural objects as transmission pictures: threats that no sprite shows, and harmless things.

Every function returns float32 transmission (1 is air) on a square of side n pixels; the caller turns, scales and
multiplies it into a bag. Attenuation follows thickness: exp(-mu * t) with random mu, t from the drawn layers.
"""
import cv2
import numpy as np


def _blank(n):
    return np.zeros((n, n), np.float32)


def _poly(t, pts, value):
    """Adds a polygon (points 0..1) of the given thickness."""
    n = t.shape[0]
    m = np.zeros_like(t)
    cv2.fillPoly(m, [np.round(np.asarray(pts, np.float64) * n * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    t += m * value


def _rect(t, x0, y0, x1, y1, value):
    _poly(t, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], value)


def _disc(t, x, y, r, value, ry=None):
    n = t.shape[0]
    m = np.zeros_like(t)
    cv2.ellipse(m, (int(x * n), int(y * n)), (max(1, int(r * n)), max(1, int((ry or r) * n))), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    t += m * value


def knife(rng, n):
    """Kitchen, dagger, folding and box-cutter blades."""
    t = _blank(n)
    w = rng.uniform(0.03, 0.13)
    joint, tip = rng.uniform(0.3, 0.5), rng.uniform(0.9, 0.97)
    blade = rng.uniform(0.25, 0.7)
    y = 0.5
    kind = rng.random()
    bend = rng.uniform(0.0, 0.9)
    if kind < 0.6:  # one edge
        pts = [(joint, y - w), (tip - rng.uniform(0.05, 0.3), y - w), (tip, y - w + 2 * w * bend), (tip - 0.12, y + w), (joint, y + w)]
    elif kind < 0.85:  # dagger
        pts = [(joint, y - w), (tip - 0.2, y - w * 0.9), (tip, y), (tip - 0.2, y + w * 0.9), (joint, y + w)]
    else:  # cleaver
        w *= 2
        pts = [(joint, y - w), (tip, y - w), (tip, y + w), (joint, y + w)]
    _poly(t, pts, blade)
    grip = rng.uniform(0.5, 1.0) * w + 0.01
    if rng.random() < 0.75:
        _rect(t, rng.uniform(0.03, 0.12), y - grip, joint, y + grip, rng.uniform(0.1, 0.5))
        if rng.random() < 0.7:  # tang and rivets
            _rect(t, 0.1, y - grip * 0.5, joint, y + grip * 0.5, blade * 0.8)
            for x in np.linspace(0.15, joint - 0.05, int(rng.integers(2, 4))):
                _disc(t, x, y, 0.012, 0.8)
    if rng.random() < 0.3:
        _rect(t, joint - 0.02, y - grip * 1.7, joint + 0.02, y + grip * 1.7, 0.8)
    return t, rng.uniform(1.2, 3.5)


def pistol(rng, n):
    """Automatic: slide, frame, grip with a magazine, trigger guard."""
    t = _blank(n)
    top, slide, length = rng.uniform(0.25, 0.35), rng.uniform(0.09, 0.15), rng.uniform(0.7, 0.92)
    x0 = 0.5 - length / 2
    x1 = x0 + length
    _rect(t, x0, top, x1, top + slide, rng.uniform(0.8, 1.3))
    _rect(t, x0 + 0.02, top + slide * 0.35, x1, top + slide * 0.65, -rng.uniform(0.0, 0.5))
    _rect(t, x0 + 0.02, top + slide, x1 - length * rng.uniform(0.1, 0.4), top + slide + 0.05, rng.uniform(0.4, 1.0))
    lean, gw, gl = rng.uniform(0.02, 0.14), rng.uniform(0.13, 0.2), rng.uniform(0.3, 0.42)
    gx, gy = x0 + 0.02, top + slide
    grip = [(gx, gy), (gx + gw, gy), (gx + gw - lean, gy + gl), (gx - lean, gy + gl)]
    _poly(t, grip, rng.uniform(0.2, 0.8))
    if rng.random() < 0.75:
        k = gw * 0.25
        _poly(t, [(gx + k, gy), (gx + gw - k, gy), (gx + gw - k - lean, gy + gl), (gx + k - lean, gy + gl)], rng.uniform(0.4, 0.9))
    _guard(rng, t, gx + gw + 0.08, gy + 0.07)
    return np.maximum(t, 0), rng.uniform(1.5, 4)


def _guard(rng, t, x, y):
    n = t.shape[0]
    m = np.zeros_like(t)
    cv2.ellipse(m, (int(x * n), int(y * n)), (int(0.085 * n), int(0.07 * n)), 0, 0, 360, 1.0, max(1, int(0.02 * n)), cv2.LINE_AA)
    cv2.line(m, (int(x * n), int((y - 0.06) * n)), (int((x - 0.02) * n), int((y + 0.03) * n)), 1.0, max(1, int(0.02 * n)), cv2.LINE_AA)
    np.maximum(t, m * rng.uniform(0.5, 1.0), out=t)


def revolver(rng, n):
    """Barrel, cylinder, curved grip, guard."""
    t = _blank(n)
    y, bl = rng.uniform(0.28, 0.36), rng.uniform(0.25, 0.5)
    bw = rng.uniform(0.03, 0.05)
    cx = 0.95 - bl - 0.12
    _rect(t, cx + 0.08, y - bw, 0.95, y + bw, rng.uniform(0.7, 1.1))
    _rect(t, cx - 0.14, y - bw * 1.3, cx + 0.12, y + 0.16, rng.uniform(0.5, 0.9))
    _rect(t, cx - 0.07, y - 0.03, cx + 0.07, y + 0.13, rng.uniform(0.4, 0.9))
    lean = rng.uniform(0.1, 0.25)
    _poly(t, [(cx - 0.14, y), (cx - 0.02, y + 0.15), (cx - lean + 0.02, y + 0.5), (cx - lean - 0.14, y + 0.47), (cx - 0.2, y + 0.1)], rng.uniform(0.3, 0.8))
    _guard(rng, t, cx + 0.06, y + 0.2)
    if rng.random() < 0.6:
        _poly(t, [(cx - 0.16, y), (cx - 0.22, y - 0.07), (cx - 0.12, y - 0.02)], 0.7)
    return t, rng.uniform(1.5, 4)


def grenade(rng, n):
    """Egg or cylinder body, fuze, lever, ring."""
    t = _blank(n)
    r = rng.uniform(0.18, 0.27)
    _disc(t, 0.5, 0.6, r, rng.uniform(0.5, 0.9), r * rng.uniform(1.0, 1.5))
    _disc(t, 0.5, 0.6, r * 0.8, -rng.uniform(0.1, 0.35), r)
    _rect(t, 0.44, 0.12, 0.56, 0.4, rng.uniform(0.6, 1.0))
    _poly(t, [(0.54, 0.13), (0.62, 0.15), (0.56 + r, 0.45), (0.53 + r, 0.75), (0.5 + r, 0.75), (0.52 + r, 0.45)], 0.5)
    n_ = t.shape[0]
    cv2.circle(t, (int(0.36 * n_), int(0.2 * n_)), int(0.07 * n_), 0.6, max(1, int(0.015 * n_)), cv2.LINE_AA)
    return np.maximum(t, 0), rng.uniform(1.2, 3.5)


def blade_star(rng, n):
    """Throwing stars and blades with holes, none like the sprites in detail."""
    t = _blank(n)
    k = int(rng.integers(3, 9))
    inner, ph = rng.uniform(0.12, 0.25), rng.uniform(0, 2 * np.pi)
    pts = []
    for i in range(2 * k):
        r = 0.47 if i % 2 == 0 else inner
        a = ph + np.pi * i / k
        pts.append((0.5 + r * np.cos(a), 0.5 + r * np.sin(a)))
    _poly(t, pts, rng.uniform(0.4, 1))
    _disc(t, 0.5, 0.5, rng.uniform(0.02, 0.07), -2)
    return np.maximum(t, 0), rng.uniform(1, 3)


def razor(rng, n):
    """A thin rectangle with slots: low attenuation, sharp outline."""
    t = _blank(n)
    h = rng.uniform(0.2, 0.3)
    v = rng.uniform(0.25, 0.6)
    _rect(t, 0.06, 0.5 - h, 0.94, 0.5 + h, v)
    _rect(t, 0.2, 0.48, 0.8, 0.52, -v)
    for x in rng.uniform(0.2, 0.8, 3):
        _disc(t, x, 0.5, rng.uniform(0.03, 0.07), -v)
    for x in (0.03, 0.97):
        _rect(t, x - 0.05, 0.5 - h * 1.1, x + 0.05, 0.5 - h * 0.7, -v)
        _rect(t, x - 0.05, 0.5 + h * 0.7, x + 0.05, 0.5 + h * 1.1, -v)
    return np.maximum(t, 0), rng.uniform(0.6, 1.8)


def pipe(rng, n):
    """A capped pipe with a filling."""
    t = _blank(n)
    w = rng.uniform(0.08, 0.16)
    m = np.sqrt(np.clip(1 - ((np.arange(n) / n - 0.5) / w) ** 2, 0, 1)).astype(np.float32)
    wall = np.where(m > 0, 0.4 + 0.6 * (1 - m), 0)[:, None]
    t[:, int(0.08 * n):int(0.92 * n)] += wall
    for x in (0.05, 0.85):
        _rect(t, x, 0.5 - w * 1.2, x + 0.1, 0.5 + w * 1.2, 0.7)
    if rng.random() < 0.5:
        cv2.line(t, (int(0.5 * n), int(0.5 * n)), (int(0.5 * n), int(0.1 * n)), 0.4, 2, cv2.LINE_AA)
    return t, rng.uniform(1.2, 3)


THREATS = [(knife, 0.28), (pistol, 0.24), (revolver, 0.16), (grenade, 0.1), (blade_star, 0.07), (razor, 0.07), (pipe, 0.08)]


def threat(rng, n=160):
    """Transmission of one random procedural threat, with its kind."""
    w = np.array([p for _, p in THREATS])
    fn = THREATS[int(rng.choice(len(THREATS), p=w / w.sum()))][0]
    t, mu = fn(rng, n)
    return np.exp(-mu * np.clip(t, 0, 3)).astype(np.float32), fn.__name__


def benign(rng, n=160):
    """Transmission of a harmless thing: bottle, box, rod, spring, keys, coins, board, cable, plate, shoe."""
    t = _blank(n)
    r = rng.random()
    mu = rng.uniform(0.4, 3.0)
    if r < 0.14:  # bottle
        w = rng.uniform(0.1, 0.2)
        m = np.sqrt(np.clip(1 - ((np.arange(n) / n - 0.5) / w) ** 2, 0, 1)).astype(np.float32)[:, None]
        t[:, int(0.1 * n):int(0.75 * n)] += m
        t[:, int(0.75 * n):int(0.92 * n)] += np.roll(m, 0) * 0.5 * (m > 0.6)
        mu = rng.uniform(0.3, 1.4)
    elif r < 0.28:  # boxes and plates with holes
        h = rng.uniform(0.08, 0.45)
        _rect(t, 0.05, 0.5 - h, 0.95, 0.5 + h, 1.0)
        for _ in range(int(rng.integers(0, 4))):
            _disc(t, rng.uniform(0.1, 0.9), rng.uniform(0.5 - h, 0.5 + h), rng.uniform(0.02, 0.1), -1)
    elif r < 0.42:  # rods: suitcase handles, tools' shafts, umbrellas
        for _ in range(int(rng.integers(1, 4))):
            y, w = rng.uniform(0.2, 0.8), rng.uniform(0.008, 0.04)
            _rect(t, rng.uniform(0, 0.15), y - w, rng.uniform(0.8, 1), y + w, rng.uniform(0.5, 1))
    elif r < 0.54:  # spring or coil
        k = int(rng.integers(4, 14))
        x = np.linspace(0.08, 0.92, 200)
        pts = np.stack([x, 0.5 + rng.uniform(0.05, 0.2) * np.sin(x * k * 2 * np.pi)], 1) * n
        cv2.polylines(t, [pts.astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA)
    elif r < 0.68:  # coins, buttons, rings, wheels
        for _ in range(int(rng.integers(1, 6))):
            x, y, q = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0.04, 0.28)
            _disc(t, x, y, q, 1.0, q * rng.uniform(0.5, 1))
            if rng.random() < 0.6:
                _disc(t, x, y, q * rng.uniform(0.2, 0.8), -1.0)
    elif r < 0.82:  # circuit board, phone, battery pack
        h = rng.uniform(0.2, 0.45)
        _rect(t, 0.08, 0.5 - h, 0.92, 0.5 + h, 0.3)
        for _ in range(int(rng.integers(5, 30))):
            x, y = rng.uniform(0.1, 0.85), rng.uniform(0.5 - h, 0.45 + h)
            _rect(t, x, y, x + rng.uniform(0.02, 0.15), y + rng.uniform(0.02, 0.12), rng.uniform(0.1, 0.8))
    elif r < 0.92:  # cable
        pts = np.cumsum(rng.normal(0, 0.06, (60, 2)), 0) + 0.5
        cv2.polylines(t, [(np.clip(cv2.GaussianBlur(pts.astype(np.float32), (1, 9), 3), 0, 1) * n).astype(np.int32)], False, 1.0, int(rng.integers(1, 5)), cv2.LINE_AA)
    else:  # soft blobs: cloth, food
        f = cv2.resize(rng.normal(0, 1, (6, 6)).astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC)
        yy, xx = np.mgrid[0:n, 0:n] / n - 0.5
        t += np.clip(f + 1, 0, 2) * np.clip(1 - (xx ** 2 + yy ** 2) * 4.2, 0, 1)
        mu = rng.uniform(0.2, 0.9)
    return np.exp(-mu * np.clip(t, 0, 3)).astype(np.float32)
