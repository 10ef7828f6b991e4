"""Pictures of the rendered test set: a plate on a vehicle in a yard, through a real camera projection, in bad conditions.

Nothing here is used in training, and nothing of training is used here.
"""
from dataclasses import dataclass

import cv2
import numpy as np

TILT = {1: (20, 8, 3), 2: (35, 15, 6), 3: (50, 22, 11)}  # largest yaw, pitch, roll in degrees
PLAIN = (12, 8, 2)
GAIN = {1: 0.45, 2: 0.26, 3: 0.14}  # exposure at night
BLUR = {1: 0.055, 2: 0.09, 3: 0.13}  # sigma, share of a character's height
QUALITY = {1: 32, 2: 18, 3: 10}
MUD = {1: 0.06, 2: 0.14, 3: 0.26}  # share of the plate that is spattered
RAIN = {1: 90, 2: 220, 3: 450}  # streaks


@dataclass
class Shot:
    jpeg: bytes
    corners: np.ndarray  # (4, 2): TL, TR, BR, BL


def camera(rng, size, mm, effect, severity):
    """Homography from millimetres on the vehicle's face (plate centre at 0, 0) to pixels."""
    w, h = size
    yaw, pitch, roll = TILT[severity] if effect == "tilt" else PLAIN
    least = 0.7 if effect == "tilt" else 0
    a = np.radians([v * rng.uniform(least, 1) * rng.choice([-1, 1]) for v in (yaw, pitch, roll)])
    cy, sy, cp, sp, cr, sr = np.cos(a[0]), np.sin(a[0]), np.cos(a[1]), np.sin(a[1]), np.cos(a[2]), np.sin(a[2])
    turn = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]]) @ \
        np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    long = {520: (130, 225), 190: (64, 110)}.get(mm[0], (92, 165))
    px = rng.uniform(*long) * {640: 0.68, 1280: 1.0, 1920: 1.25}[w]
    f = 1.3 * w
    at = np.array([rng.uniform(0.25, 0.75) * w, rng.uniform(0.4, 0.8) * h])
    depth = f * mm[0] / px
    t = np.array([(at[0] - w / 2) * depth / f, (at[1] - h / 2) * depth / f, depth])
    k = np.array([[f, 0, w / 2], [0, f, h / 2], [0, 0, 1]])
    return k @ np.column_stack([turn[:, 0], turn[:, 1], t])


def cloud(rng, h, w, octaves=5, first=4):
    """Smooth noise of many scales, about -1..1."""
    out = np.zeros((h, w), np.float32)
    for o in range(octaves):
        n = first * 2 ** o
        g = rng.normal(0, 1, (max(2, n * h // w), n)).astype(np.float32)
        out += cv2.resize(g, (w, h), interpolation=cv2.INTER_CUBIC) / 2 ** o
    return out / 2


def tone(rng, lo=20, hi=230, tint=18):
    v = rng.uniform(lo, hi)
    return np.clip(v + rng.normal(0, tint, 3), 0, 255)


def yard(rng, w, h):
    """Sky or wall above, asphalt or concrete below, posts and a building: RGB float."""
    img = np.empty((h, w, 3), np.float32)
    horizon = int(h * rng.uniform(0.2, 0.5))
    img[:horizon] = tone(rng, 120, 235)
    img[horizon:] = tone(rng, 60, 150, 6)
    img[:horizon] += 12 * cloud(rng, horizon, w, 4, 3)[..., None]
    img[horizon:] += 16 * cloud(rng, h - horizon, w, 7, 6)[..., None]
    for _ in range(int(rng.integers(1, 5))):  # buildings with rows of windows
        x, bw, bh = int(rng.uniform(0, w)), int(rng.uniform(.08, .35) * w), int(rng.uniform(.2, .9) * horizon)
        c = tone(rng, 60, 220)
        img[horizon - bh:horizon, x:x + bw] = c
        for wy in range(horizon - bh + 8, horizon - 12, 28):
            for wx in range(x + 8, min(x + bw - 16, w - 16), 34):
                img[wy:wy + 14, wx:wx + 18] = c * 0.5
    for _ in range(int(rng.integers(0, 4))):  # kerb lines
        y0, y1 = (int(rng.uniform(horizon, h)) for _ in range(2))
        cv2.line(img, (0, y0), (w, y1), tuple(map(float, tone(rng, 150, 240))), int(rng.integers(2, 9)), cv2.LINE_AA)
    return img


class Face:
    """A vehicle's face on a canvas of 0.4 pixels a millimetre, the plate's centre at its origin."""

    SCALE = 0.4

    def __init__(self, rng, width, height, below):
        self.rng, self.w, self.h, self.below = rng, width, height, below
        s = self.SCALE
        self.img = np.zeros((int(height * s), int(width * s), 3), np.float32)
        self.mask = np.zeros(self.img.shape[:2], np.float32)

    def at(self, x, y):
        s = self.SCALE
        return int((x + self.w / 2) * s), int((y + self.h - self.below) * s)

    def box(self, x, y, w, h, colour, radius=0, mask=True):
        a, b = self.at(x - w / 2, y - h / 2), self.at(x + w / 2, y + h / 2)
        c = tuple(map(float, colour))
        cv2.rectangle(self.img, a, b, c, -1)
        if mask:
            cv2.rectangle(self.mask, a, b, 1.0, -1)

    def disc(self, x, y, r, colour):
        cv2.circle(self.img, self.at(x, y), max(1, int(r * self.SCALE)), tuple(map(float, colour)), -1, cv2.LINE_AA)
        cv2.circle(self.mask, self.at(x, y), max(1, int(r * self.SCALE)), 1.0, -1)

    def words(self, x, y, size, colour):
        text = pick(self.rng, ["HINO 500", "VIETTRANS", "THACO", "0912 345 678", "MAX 18T", "HOWO 371", "LOGISTICS", "CONG TY TNHH", "KL 24000"])
        cv2.putText(self.img, text, self.at(x, y), cv2.FONT_HERSHEY_DUPLEX, size, tuple(map(float, colour)), 2, cv2.LINE_AA)

    def projection(self):
        s = self.SCALE
        return np.array([[1 / s, 0, -self.w / 2], [0, 1 / s, -(self.h - self.below)], [0, 0, 1]])


def pick(rng, seq):
    return seq[int(rng.integers(len(seq)))]


def vehicle(rng, name, plate):
    """Draws the face that carries the plate."""
    body, dark = tone(rng, 25, 230, 40), tone(rng, 15, 45, 4)
    pw, ph = plate
    if name == "bike":
        f = Face(rng, 700, 1200, 500)
        f.box(0, -330, 320, 560, body)
        f.box(0, -200, 200, 110, (190, 20, 25))  # tail lamp
        f.disc(0, 300, 230, dark)
        for x in (-230, 230):
            f.box(x, -180, 70, 60, (235, 140, 30))
    elif name == "car":
        f = Face(rng, 1850, 1500, 450)
        f.box(0, -300, 1800, 900, body)
        f.box(0, -800, 1300, 420, tone(rng, 30, 70, 8))  # window
        lamp = (210, 30, 30) if rng.random() < 0.5 else (225, 235, 240)
        for x in (-720, 720):
            f.box(x, -330, 330, 150, lamp)
        for y in np.linspace(-330, -190, 6):
            f.box(0, y, rng.uniform(500, 900), 10, dark)
        f.box(0, 260, 1800, 140, dark)
        for x in (-700, 700):
            f.box(x, 360, 230, 170, (18, 18, 18))
    elif name == "front":
        f = Face(rng, 2500, 3300, 700)
        f.box(0, -1000, 2450, 2500, body)
        f.box(0, -1650, 2150, 900, tone(rng, 25, 60, 6))  # windscreen
        f.box(rng.uniform(-500, 500), -1500, 24, 700, dark)
        for y in np.linspace(-900, -380, int(rng.integers(4, 9))):
            f.box(0, y, 1500, rng.uniform(15, 50), tone(rng, 60, 220))
        f.box(0, 60, 2450, 460, tone(rng, 30, 200, 10))  # bumper
        for x in (-950, 950):
            f.box(x, 20, 330, 190, (225, 232, 238))
            f.box(x, 430, 320, 330, (20, 20, 20))
        f.words(-400, -1060, 1.6, tone(rng, 20, 240))
    else:  # rear of a lorry or a trailer
        f = Face(rng, 2500, 3900, 700)
        f.box(0, -1500, 2450, 2700, body)
        for x in np.linspace(-1150, 1150, int(rng.integers(9, 26))):  # corrugation
            f.box(x, -1500, 22, 2650, body * rng.uniform(.75, .95))
        for x in (-600, -250, 250, 600):
            f.box(x, -1500, 40, 2650, tone(rng, 120, 210, 5))
        f.words(rng.uniform(-900, -100), rng.uniform(-2300, -700), rng.uniform(1.2, 2.4), tone(rng, 10, 245))
        f.box(0, 60, 2450, 330, tone(rng, 20, 90, 6))
        n = 12
        for i in range(n):  # red and white marking
            f.box(-1150 + i * 2300 / (n - 1), -110, 2300 / n, 55, (200, 25, 30) if i % 2 else (235, 235, 230))
        for x in (-980, 980):
            f.box(x, 60, 360, 150, (170, 20, 25))
            f.box(x * .8, 420, 500, 420, (20, 20, 20))
        if name == "trailer":
            f.box(0, 250, 2300, 130, tone(rng, 100, 220))  # under-run bar
    f.img += 7 * cloud(rng, *f.img.shape[:2], 6, 5)[..., None]
    if rng.random() < 0.6:  # a recess
        f.box(0, 0, pw + rng.uniform(30, 200), ph + rng.uniform(20, 110), tone(rng, 15, 120, 4))
    return f


def muddy(rng, flat, severity):
    """Dust over all and spatters over a share of the plate."""
    h, w = flat.shape[:2]
    dust = np.array([150, 130, 105], np.float32)
    veil = np.clip(0.08 * severity + 0.1 * cloud(rng, h, w, 5, 3), 0, 0.6)[..., None]
    flat = flat + (dust - flat) * veil
    n = cloud(rng, h, w, 4, 9)
    spots = np.clip((n - np.quantile(n, 1 - MUD[severity])) * 3, 0, 1)[..., None] * (0.45, 0.6, 0.72)[severity - 1]
    return flat + (np.array([95, 75, 55], np.float32) - flat) * spots


def night(rng, img, plate_mask, severity):
    """Under-exposed colour with lamps, or infra-red with a bright plate."""
    h, w = img.shape[:2]
    if rng.random() < 0.5:
        grey = img.mean(2)
        grey = grey * GAIN[severity] * 0.8 + plate_mask * grey * (0.25, 0.45, 0.75)[severity - 1]
        img = np.repeat(grey[..., None], 3, 2)
    else:
        img = img * GAIN[severity] * np.array([1.0, 0.93, 0.8], np.float32)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    ys, xs = np.where(plate_mask > 0.5)
    for _ in range(severity - 1):
        reach = (xs.max() - xs.min()) * rng.uniform(.6, 1.2)
        cx = xs.mean() + reach * rng.choice([-1, 1]) * rng.uniform(.9, 1.5)
        cy = ys.mean() + reach * rng.uniform(-.6, .6)
        img = img + (200 * np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * (reach * .35) ** 2)))[..., None]
    return img + grain(rng, img, (3, 5, 8)[severity - 1])


def rain(rng, img, severity):
    """Streaks, drops on the glass, washed-out contrast."""
    h, w = img.shape[:2]
    veil = (0.12, 0.22, 0.34)[severity - 1]
    img = img * (1 - veil) + 165 * veil
    layer, slant = np.zeros((h, w), np.float32), rng.uniform(-.25, .25)
    for _ in range(int(RAIN[severity] * w / 1280)):
        x, y, n = rng.uniform(0, w), rng.uniform(0, h), rng.uniform(.02, .09) * h
        cv2.line(layer, (int(x), int(y)), (int(x + slant * n), int(y + n)), float(rng.uniform(.2, .6)), 1, cv2.LINE_AA)
    img = img + (225 - img) * cv2.GaussianBlur(layer, (0, 0), 0.7)[..., None]
    soft, drops = cv2.GaussianBlur(img, (0, 0), 2.0 + severity), np.zeros((h, w), np.float32)
    for _ in range(6 * severity):
        cv2.circle(drops, (int(rng.uniform(0, w)), int(rng.uniform(0, h))), int(rng.uniform(.008, .025) * w), 1.0, -1, cv2.LINE_AA)
    return img + (soft + 12 - img) * drops[..., None] * 0.8


def grain(rng, img, sigma):
    """Sensor noise, mostly of brightness."""
    return rng.standard_normal((*img.shape[:2], 1), dtype=np.float32) * sigma


def blurred(rng, img, character, severity):
    """Out of focus, or moving."""
    s = BLUR[severity] * character
    if rng.random() < 0.5:
        return cv2.GaussianBlur(img, (0, 0), max(s, 0.3))
    n = max(3, int(round(s * 3.4)))
    a, c = rng.uniform(-.5, .5), (n - 1) / 2
    k = np.zeros((n, n), np.float32)
    cv2.line(k, (round(c - np.cos(a) * c), round(c - np.sin(a) * c)), (round(c + np.cos(a) * c), round(c + np.sin(a) * c)), 1.0)
    return cv2.filter2D(img, -1, k / k.sum())


def onto(img, layer, mask, h):
    """Warps layer where mask is, by the homography h."""
    size = img.shape[1::-1]
    m = cv2.warpPerspective(mask, h, size, flags=cv2.INTER_LINEAR)[..., None]
    return img + (cv2.warpPerspective(layer, h, size, flags=cv2.INTER_LINEAR) - img) * m, m[..., 0]


def shoot(rng, flat, mm, name, effect, severity):
    """The picture as JPEG and where the plate's corners are."""
    w, h = [(640, 480), (1280, 720), (1920, 1080)][int(rng.choice(3, p=[.25, .6, .15]))]
    for _ in range(50):
        view = camera(rng, (w, h), mm, effect, severity)
        half = np.array(mm) / 2
        ends = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
        corners = cv2.perspectiveTransform(ends[None].astype(np.float64), view)[0]
        if corners.min() > 4 and (corners < np.array([w, h]) - 4).all():
            break
    face = vehicle(rng, name, mm)
    img, _ = onto(yard(rng, w, h), face.img, face.mask, view @ face.projection())
    if effect == "dirt":
        flat = muddy(rng, flat, severity)
    wide = np.linalg.norm(corners[1] - corners[0])
    shrink = min(1.0, 1.3 * wide / flat.shape[1])
    flat = cv2.resize(flat, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    fh, fw = flat.shape[:2]
    lay = np.array([[mm[0] / fw, 0, -half[0]], [0, mm[1] / fh, -half[1]], [0, 0, 1]])
    img, plate = onto(img, flat, np.ones((fh, fw), np.float32), view @ lay)
    high = np.linalg.norm(corners[3] - corners[0])
    img = img.astype(np.float32) * rng.uniform(.8, 1.1)
    if effect == "night":
        img = night(rng, img, plate, severity)
    elif effect == "rain":
        img = rain(rng, img, severity)
    elif effect == "blur":
        img = blurred(rng, img, high * (0.72 if mm[0] > 2.6 * mm[1] else 0.36), severity)
    img = cv2.GaussianBlur(img, (0, 0), 0.5) + grain(rng, img, 2.0)
    quality = QUALITY[severity] if effect == "jpeg" else 88
    ok, blob = cv2.imencode(".jpg", np.clip(img, 0, 255).astype(np.uint8)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise RuntimeError("cannot encode the picture")
    return Shot(blob.tobytes(), corners)
