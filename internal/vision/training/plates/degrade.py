"""What cameras, weather and compression do to a picture. All functions take and return uint8."""
import cv2
import numpy as np


def _field(h, w):
    """Coarse coordinates 0..1 (y, x) for smooth fields, and the function that brings a field to full size."""
    n = 8 if min(h, w) >= 160 else 2
    yy, xx = np.mgrid[0:max(2, h // n), 0:max(2, w // n)].astype(np.float32)
    return yy / yy.shape[0], xx / xx.shape[1], lambda f: cv2.resize(f, (w, h), interpolation=cv2.INTER_LINEAR)


def light(rng, img, strong=1.0):
    """Exposure, gamma, colour cast, shadow edge, glare spots, fog."""
    levels = np.arange(256, dtype=np.float32)
    r = rng.random()
    if r < 0.22 * strong:  # dark: dusk, night
        levels = 255 * (levels / 255) ** rng.uniform(1.0, 1.6) * rng.uniform(0.12, 0.6)
    elif r < 0.36 * strong:  # over-exposed
        levels = levels * rng.uniform(1.1, 1.7) + rng.uniform(0, 40)
    else:
        levels = levels * rng.uniform(0.65, 1.2) + rng.uniform(-25, 35)
    table = levels[:, None].repeat(img.shape[2] if img.ndim == 3 else 1, 1)
    if img.ndim == 3 and rng.random() < 0.5:
        table = table * rng.uniform(0.82, 1.18, 3)
    x = cv2.LUT(img, np.clip(table, 0, 255).astype(np.uint8).reshape(256, 1, -1))
    h, w = x.shape[:2]
    if rng.random() < 0.25:  # shadow edge across
        a, b = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
        yy, xx, full = _field(h, w)
        d = (xx - 0.5) * np.cos(a) + (yy - 0.5) * np.sin(a) - b
        k = full(1 - rng.uniform(0.2, 0.7) / (1 + np.exp(-d * rng.uniform(8, 90))))
        x = cv2.multiply(x, cv2.merge([k] * 3) if x.ndim == 3 else k, dtype=cv2.CV_8U)
    if rng.random() < 0.25 * strong:  # glare or a lamp
        for _ in range(int(rng.integers(1, 3))):
            cy, cx, s = rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), rng.uniform(0.08, 0.5)
            yy, xx, full = _field(h, w)
            k = min(h, w)
            g = np.exp(-(((xx - cx) * w / k) ** 2 + ((yy - cy) * h / k) ** 2) / (2 * s * s)) * rng.uniform(60, 240)
            g = full(g)
            x = cv2.add(x, cv2.merge([g * v for v in rng.uniform(0.5, 1, 3)]) if x.ndim == 3 else g, dtype=cv2.CV_8U)
    if rng.random() < 0.08:  # fog
        f = rng.uniform(0.2, 0.6)
        x = cv2.convertScaleAbs(x, alpha=1 - f, beta=rng.uniform(120, 210) * f)
    return x


def optics(rng, img, strong=1.0):
    """Defocus, motion, rain streaks."""
    if rng.random() < 0.35 * strong:
        s = rng.uniform(0.3, 1.3)
        img = cv2.GaussianBlur(img, (0, 0), s)
    if rng.random() < 0.15 * strong:
        n = int(rng.integers(2, 8))
        k = np.zeros((n, n), np.float32)
        a = rng.uniform(0, np.pi)
        c = (n - 1) / 2
        cv2.line(k, (int(c - np.cos(a) * c), int(c - np.sin(a) * c)), (int(c + np.cos(a) * c), int(c + np.sin(a) * c)), 1.0)
        img = cv2.filter2D(img, -1, k / max(k.sum(), 1e-6))
    if rng.random() < 0.06 * strong:
        over = img.copy()
        h, w = img.shape[:2]
        slant = rng.uniform(-0.3, 0.3)
        for _ in range(int(rng.integers(5, 40))):
            x, y, n = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(0.03, 0.15) * h
            cv2.line(over, (int(x), int(y)), (int(x + slant * n), int(y + n)), (220, 220, 220), 1, cv2.LINE_AA)
        img = cv2.addWeighted(img, 0.55, over, 0.45, 0)
    return img


def sensor(rng, img, strong=1.0):
    """Noise, sharpening, grey (infra-red) and JPEG."""
    if rng.random() < 0.5:
        noise = np.empty(img.shape, np.int16)
        cv2.randn(noise, 0, float(rng.uniform(1, 12) * strong))
        img = cv2.add(img, noise, dtype=cv2.CV_8U)
    if img.ndim == 3 and rng.random() < 0.12:
        img = cv2.cvtColor(cv2.cvtColor(img, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15:
        img = cv2.addWeighted(img, 1.6, cv2.GaussianBlur(img, (0, 0), 1.2), -0.6, 0)
    if rng.random() < 0.45:
        ok, buf = cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))])
        img = cv2.imdecode(buf, cv2.IMREAD_UNCHANGED)
    return img


def smear(rng, img, height):
    """Out of focus or moving, in shares of a character's height (pixels): up to where people begin to guess."""
    share = rng.uniform(0.03, 0.115 if rng.random() < 0.8 else 0.15)
    sigma = share * height
    if rng.random() < 0.5:
        return cv2.GaussianBlur(img, (0, 0), max(sigma, 0.3))
    n = max(2, int(round(sigma * rng.uniform(2.5, 3.6)))) | 1
    k, c = np.zeros((n, n), np.float32), n // 2
    a = rng.normal(0, 0.4) if rng.random() < 0.75 else rng.uniform(0, np.pi)
    dx, dy = np.cos(a) * c, np.sin(a) * c
    cv2.line(k, (round(c - dx), round(c - dy)), (round(c + dx), round(c + dy)), 1.0, 1, cv2.LINE_AA)
    return cv2.filter2D(img, -1, k / max(k.sum(), 1e-6))


def dusk(rng, img):
    """Too little light and then the sensor's noise, as colour or as infra-red with a bright plate."""
    gain = float(np.exp(rng.uniform(np.log(0.1), np.log(0.6))))
    x = cv2.convertScaleAbs(img, alpha=gain, beta=float(rng.uniform(0, 12)))
    noise = np.empty(img.shape[:2], np.int16)
    cv2.randn(noise, 0, float(rng.uniform(1, 9)))
    if img.ndim == 3:
        noise = cv2.merge([noise] * 3)
    return cv2.add(x, noise, dtype=cv2.CV_8U)


def downpour(rng, img):
    """Washed-out contrast, streaks and drops on the glass."""
    h, w = img.shape[:2]
    veil = rng.uniform(0.05, 0.4)
    x = cv2.convertScaleAbs(img, alpha=1 - veil, beta=float(rng.uniform(110, 200)) * veil)
    streaks, slant = np.zeros((h, w), np.float32), rng.uniform(-0.3, 0.3)
    for _ in range(int(rng.integers(2, 40))):
        px, py, n = rng.uniform(0, w), rng.uniform(-0.2 * h, h), rng.uniform(0.1, 0.6) * h
        cv2.line(streaks, (int(px), int(py)), (int(px + slant * n), int(py + n)), float(rng.uniform(20, 130)), 1, cv2.LINE_AA)
    streaks = cv2.GaussianBlur(streaks, (0, 0), float(rng.uniform(0.4, 1.0)))
    x = cv2.add(x, cv2.merge([streaks] * 3) if x.ndim == 3 else streaks, dtype=cv2.CV_8U)
    if rng.random() < 0.5:
        drops = np.zeros((h, w), np.float32)
        for _ in range(int(rng.integers(1, 5))):
            cv2.circle(drops, (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.uniform(0.08, 0.4) * h), 0.8, -1, cv2.LINE_AA)
        soft = cv2.convertScaleAbs(cv2.GaussianBlur(x, (0, 0), float(rng.uniform(1.5, 4))), beta=float(rng.uniform(0, 20)))
        m = cv2.merge([drops] * 3) if x.ndim == 3 else drops
        x = cv2.add(cv2.multiply(x, 1 - m, dtype=cv2.CV_8U), cv2.multiply(soft, m, dtype=cv2.CV_8U))
    return x


def weather(rng, img, height):
    """One hard condition, as a camera meets it, for characters of a height in pixels."""
    r = rng.random()
    if r < 0.5:
        return smear(rng, img, height)
    if r < 0.7:
        return dusk(rng, img)
    if r < 0.88:
        return downpour(rng, img)
    ok, buf = cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(7, 30))])
    return cv2.imdecode(buf, cv2.IMREAD_UNCHANGED)
