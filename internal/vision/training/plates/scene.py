"""Pictures for the detector: real train images, the same with their plate exchanged, and rendered lorries."""
import cv2
import numpy as np

from . import data, degrade
from .render import Renderer, homography, shrink

SIDE = 320  # training crops, pixels


def paste(img, plate, quad):
    """Warps a flat plate onto img in place; quad in pixels of img."""
    width = np.linalg.norm(quad[1] - quad[0])
    flat = shrink(plate.image, width)
    hm = homography(flat.shape[1::-1], quad)
    cv2.warpPerspective(flat, hm, img.shape[1::-1], dst=img, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)


def random_quad(rng, centre, width, height, steep=1.0):
    """A plate seen from anywhere in front: yaw, pitch, roll and perspective."""
    r = rng.random()
    spread = steep * (2.2 if r < 0.35 else 1.0)
    q = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * (width / 2, height / 2)
    q *= (1 - abs(rng.normal(0, 0.10)) * spread, 1)  # yaw narrows
    q[:, 1] *= 1 + q[:, 0] / width * rng.normal(0, 0.12) * spread  # one end nearer
    q[:, 1] += q[:, 0] * rng.normal(0, 0.11) * spread
    q[:, 0] += q[:, 1] * rng.normal(0, 0.06) * spread
    a = np.radians(rng.normal(0, 4.0 * spread))
    rot = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return (q @ rot + centre).astype(np.float32)


class Scenes:
    """Random training crops with the corners of every plate in them."""

    def __init__(self, folder):
        self.render = Renderer(folder)
        self.real = []
        for line in data.labels(folder, "train"):
            if any(p["box"] is None for p in line["plates"]):
                continue
            img = cv2.imread(line["path"])
            self.real.append((img, [data.box_quad(p["box"]) for p in line["plates"]], line["scene"]))
        w = np.array([1.0 if r[2] == "gate-fixed" else 2.6 for r in self.real])
        self.weights = w / w.sum()

    def sample(self, rng):
        """A SIDE x SIDE crop, the quads (n, 4, 2), and whether each has true corners."""
        r = rng.random()
        if r < 0.50:
            img, quads, exact = self.photo(rng, exchange=rng.random() < 0.45)
        else:
            img, quads, exact, _ = self.rendered(rng)
        strength = 0.6 if r < 0.5 else 0.9
        img = degrade.light(rng, img, strength)
        img = degrade.sensor(rng, degrade.optics(rng, img, strength), strength)
        return img, quads, exact

    def photo(self, rng, exchange):
        """A turned, sheared, scaled crop of a train picture.

        The plates of the fixed camera stand upright, so their turned boxes serve as true corners; elsewhere a box
        only bounds the corners.
        """
        img, quads, scene = self.real[int(rng.choice(len(self.real), p=self.weights))]
        base = min(data.LONG_SIDE / max(img.shape[:2]), data.MAX_UPSCALE)
        s = base * np.exp(rng.uniform(np.log(0.45), np.log(1.35)))
        aspect = np.exp(rng.normal(0, 0.06))
        target = quads[int(rng.integers(len(quads)))].mean(0)
        if rng.random() < 0.15:
            target = rng.uniform(0, 1, 2) * img.shape[1::-1]
        m = np.array([[s * aspect, 0, 0], [0, s / aspect, 0]])
        at = target @ m[:, :2].T
        m[:, 2] = rng.uniform(0.15, 0.85, 2) * SIDE - at
        upright = scene == "gate-fixed"
        if rng.random() < (0.7 if upright else 0.35):
            c, wide = SIDE / 2, 9 if upright else 4
            turn = np.vstack([cv2.getRotationMatrix2D((c, c), rng.normal(0, wide), 1), [0, 0, 1]])
            if upright:
                sx, sy = rng.normal(0, 0.12, 2)
                turn = np.array([[1, sx, -sx * c], [sy, 1, -sy * c], [0, 0, 1]]) @ turn
            m = (turn @ np.vstack([m, [0, 0, 1]]))[:2]
        small, k = img, 1.0
        if s < 0.7:
            k = max(s * 1.2, 0.1)
            small = cv2.resize(img, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        warp = m.copy()
        warp[:, :2] /= k
        border = cv2.BORDER_CONSTANT
        out = cv2.warpAffine(small, warp, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=(data.PAD,) * 3)
        quads = [(q @ m[:, :2].T + m[:, 2]).astype(np.float32) for q in quads]
        exact = np.full(len(quads), upright)
        if exchange:
            for i, q in enumerate(quads):
                quads[i] = self.exchange(rng, out, q)
            exact[:] = True
        return out, np.array(quads, np.float32).reshape(-1, 4, 2), exact

    def exchange(self, rng, img, q):
        """Covers a real plate by a rendered one of about its shape."""
        x0, y0 = np.floor(q.min(0)).astype(int)
        x1, y1 = np.ceil(q.max(0)).astype(int)
        w, h = x1 - x0, y1 - y0
        plate = self.render.plate(rng)
        if (w / max(h, 1) > 2.3) != (plate.image.shape[1] / plate.image.shape[0] > 2.6):
            plate = self.render.plate(rng)
        pad = max(1, int(0.06 * h))
        self._hide(rng, img, x0 - pad, y0 - pad, w + 2 * pad, h + 2 * pad)
        ratio = plate.image.shape[1] / plate.image.shape[0]
        width = max(24.0, min(w * 1.1, max(w * 0.9, h * ratio)))
        quad = random_quad(rng, q.mean(0) + rng.normal(0, 0.03, 2) * (w, h), width, width / ratio)
        paste(img, plate, quad)
        return quad

    @staticmethod
    def _hide(rng, img, x, y, w, h):
        """Fills a rectangle from the rows just above and below it."""
        H, W = img.shape[:2]
        x0, y0, x1, y1 = max(0, x), max(0, y), min(W, x + w), min(H, y + h)
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        up, down = img[max(0, y0 - 2), x0:x1].astype(np.float32), img[min(H - 1, y1 + 1), x0:x1].astype(np.float32)
        t = np.linspace(0, 1, y1 - y0)[:, None, None]
        fill = up[None] * (1 - t) + down[None] * t + rng.normal(0, 4, (y1 - y0, x1 - x0, 1))
        img[y0:y1, x0:x1] = np.clip(fill, 0, 255)

    def backdrop(self, rng):
        """A stretch of a real picture with its plates hidden, or a procedural lorry."""
        if rng.random() < 0.35:
            img, quads, _ = self.photo(rng, False)
            for q in quads:
                x0, y0 = np.floor(q.min(0)).astype(int)
                w, h = np.ceil(q.max(0)).astype(int) - (x0, y0)
                self._hide(rng, img, x0 - w // 8, y0 - h // 6, w + w // 4, h + h // 3)
            return cv2.flip(img, 1) if rng.random() < 0.5 else img
        return lorry(rng)

    def rendered(self, rng):
        """A backdrop with distractors and up to three plates: picture, quads, True for each, the plates."""
        img = self.backdrop(rng)
        for _ in range(int(rng.integers(0, 4))):
            lettering(rng, img)
        quads, plates = [], []
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.08, 0.6, 0.22, 0.1]))):
            plate = self.render.plate(rng)
            ratio = plate.image.shape[1] / plate.image.shape[0]
            width = float(np.exp(rng.uniform(np.log(30), np.log(300))))
            if ratio < 2.6:
                width = max(24.0, width * 0.7)
            height = width / ratio
            centre = rng.uniform(0.12, 0.88, 2) * SIDE
            if any(np.abs(q.mean(0) - centre).max() < (np.ptp(q[:, 0]) + width) * 0.6 for q in quads):
                continue
            if rng.random() < 0.45:  # a recess or a frame around the plate
                grow = 1 + rng.uniform(0.05, 0.5)
                a = (centre - np.array([width, height]) * grow / 2).astype(int)
                b = (centre + np.array([width, height]) * grow / 2).astype(int)
                cv2.rectangle(img, tuple(map(int, a)), tuple(map(int, b)), shade(rng), -1)
            quad = random_quad(rng, centre, width, height)
            paste(img, plate, quad)
            quads.append(quad)
            plates.append(plate)
        return img, np.array(quads, np.float32).reshape(-1, 4, 2), np.ones(len(quads), bool), plates


def shade(rng):
    """A colour as lorries and yards have it: often grey, sometimes bright."""
    if rng.random() < 0.5:
        v = float(rng.uniform(5, 245))
        return (v, v * rng.uniform(0.92, 1.05), v * rng.uniform(0.9, 1.08))
    return tuple(float(v) for v in rng.uniform(5, 250, 3))


def lorry(rng):
    """A front or a rear: cab or doors, windscreen, grille, lamps, bumper, wheels, ground; or plain noise."""
    s = SIDE
    img = np.empty((s, s, 3), np.uint8)
    img[:] = np.clip(shade(rng), 0, 255)
    ramp = np.linspace(rng.uniform(-40, 40), rng.uniform(-40, 40), s)[:, None, None]
    img = np.clip(img + ramp, 0, 255).astype(np.uint8)
    if rng.random() < 0.85:
        zoom = rng.uniform(0.8, 2.6)
        w, h = s * zoom * rng.uniform(0.5, 0.8), s * zoom * rng.uniform(0.5, 0.9)
        cx, cy = s * rng.uniform(0.2, 0.8), s * rng.uniform(0.2, 0.7)

        def rect(x, y, rw, rh, colour, t=-1):
            a = (int(cx + (x - rw / 2) * w), int(cy + (y - rh / 2) * h))
            b = (int(cx + (x + rw / 2) * w), int(cy + (y + rh / 2) * h))
            cv2.rectangle(img, a, b, colour, t, cv2.LINE_AA)

        rect(0, 0, 1, 1, shade(rng))
        if rng.random() < 0.6:  # front
            rect(0, -0.22, rng.uniform(0.7, 0.95), rng.uniform(0.25, 0.4), (60, 50, 45))
            gc, n = shade(rng), int(rng.integers(2, 9))
            for i in range(n):
                rect(0, 0.08 + 0.22 * i / n, rng.uniform(0.4, 0.7), 0.1 / n, gc)
        else:  # rear: two doors, rods, under-run bar
            rect(0, -0.1, 0.005, 0.75, shade(rng))
            for x in (-0.35, -0.15, 0.15, 0.35):
                rect(x, -0.1, 0.012, 0.75, shade(rng))
        y, k, round_lamp = rng.uniform(0.2, 0.42), rng.uniform(0.05, 0.09), rng.random() < 0.5
        lamp = (40, 40, 200) if rng.random() < 0.5 else (220, 240, 245)
        for x in (-0.4, 0.4):
            if round_lamp:
                cv2.circle(img, (int(cx + x * w), int(cy + y * h)), int(k * 0.6 * w), lamp, -1, cv2.LINE_AA)
            else:
                rect(x, y, k * 1.6, k, lamp)
        rect(0, rng.uniform(0.38, 0.5), rng.uniform(0.8, 1.1), rng.uniform(0.06, 0.16), shade(rng))
        for x in (-0.38, 0.38):
            cv2.ellipse(img, (int(cx + x * w), int(cy + 0.55 * h)), (int(0.08 * w), int(0.09 * w)), 0, 0, 360, (25, 25, 25), -1)
    for _ in range(int(rng.integers(0, 12))):
        p = tuple(int(v) for v in rng.uniform(0, s, 2))
        q = tuple(int(v) for v in np.array(p) + rng.normal(0, 60, 2))
        kind = rng.random()
        if kind < 0.5:
            cv2.line(img, p, q, shade(rng), int(rng.integers(1, 6)), cv2.LINE_AA)
        elif kind < 0.85:
            cv2.rectangle(img, p, q, shade(rng), int(rng.choice([-1, 1, 2])))
        else:
            cv2.circle(img, p, int(rng.uniform(3, 30)), shade(rng), int(rng.choice([-1, 2])), cv2.LINE_AA)
    return img


def lettering(rng, img):
    """What looks like a plate and is none: date stamps, company names, stickers, hazard stripes."""
    s = SIDE
    x, y = int(rng.uniform(-20, s * 0.8)), int(rng.uniform(10, s))
    size, font = float(rng.uniform(0.3, 1.3)), int(rng.integers(0, 5))
    r = rng.random()
    if r < 0.3:
        text = f"{rng.integers(1, 31):02d}/{rng.integers(1, 13):02d}/{rng.integers(2015, 2027)} {rng.integers(24):02d}:{rng.integers(60):02d}"
        cv2.putText(img, text, (x, y), font, size, (0, 0, 255) if rng.random() < 0.5 else shade(rng), int(rng.integers(1, 3)), cv2.LINE_AA)
    elif r < 0.7:
        text = "".join(chr(int(c)) for c in rng.integers(48, 91, int(rng.integers(2, 12))))
        if rng.random() < 0.35:  # a panel: a sticker or a company sign
            (w, h), _ = cv2.getTextSize(text, font, size, 2)
            cv2.rectangle(img, (x - 8, y - int(h * rng.uniform(1.5, 4))), (x + int(w * rng.uniform(0.8, 2)), y + int(h * rng.uniform(0.5, 4))), shade(rng), -1)
        cv2.putText(img, text, (x, y), font, size, shade(rng), int(rng.integers(1, 5)), cv2.LINE_AA)
    elif r < 0.85:  # blank plate-like rectangles: reflectors, lamps, stickers
        w, h = rng.uniform(20, 140), rng.uniform(8, 60)
        cv2.rectangle(img, (x, y), (int(x + w), int(y + h)), shade(rng), -1)
    else:
        w, h, n = int(rng.uniform(40, 240)), int(rng.uniform(8, 30)), int(rng.integers(4, 12))
        c1, c2 = shade(rng), shade(rng)
        for i in range(n):
            cv2.rectangle(img, (x + w * i // n, y), (x + w * (i + 1) // n, y + h), c1 if i % 2 else c2, -1)
