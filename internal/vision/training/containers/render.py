"""Crops of container sides, doors and roofs with their lettering, and where each character lies."""
from dataclasses import dataclass, field

import cv2
import numpy as np

from plates import data, degrade
from plates.glyphs import HEIGHT, Glyphs

from . import iso

SIDE = 160  # training crops, pixels
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORDS = ["MAX GROSS", "TARE", "NET", "CUB CAP", "KGS", "LBS", "CU M", "CU FT", "CAUTION", "HIGH", "MADE IN CHINA", "LINES", "SHIPPING",
         "LOGISTICS", "CARGO", "REEFER", "CONTAINER", "MAX WT", "PAYLOAD", "DANGER", "HEAVY", "SUPER"]


@dataclass
class Sheet:
    """What is painted: alpha of the ink and the characters (class, centre x, y, width, height) on it."""
    alpha: np.ndarray
    chars: list = field(default_factory=list)


class Renderer:
    """Draws random crops; every choice comes from the given generator."""

    def __init__(self, folder):
        self.glyphs = Glyphs(folder)
        self.photos, self.gap, self.mono, self.pen = [], 0.5, 0, 0
        for line in data.labels(folder, "train"):
            if line["scene"] == "gate-fixed" or any(p["box"] is None for p in line["plates"]):
                continue
            img = cv2.imread(line["path"])
            for p in line["plates"]:
                x, y, w, h = p["box"]
                img[max(0, int(y)):int(y + h), max(0, int(x)):int(x + w)] = 90
            self.photos.append(img)

    def put(self, rng, sheet, face, c, x, y, w, h):
        """One character into the box at x, y."""
        m = self.glyphs.char(rng, face, c)
        if self.pen:  # thinner or bolder than the face is cut
            op = cv2.erode if self.pen < 0 else cv2.dilate
            m = op(m, np.ones((abs(self.pen),) * 2, np.uint8))
        x0, y0 = int(round(x)), int(round(y))
        if x0 < 0 or y0 < 0:
            return
        g = cv2.resize(m, (max(2, int(round(w))), max(2, int(round(h)))), interpolation=cv2.INTER_AREA)
        part = sheet.alpha[y0:y0 + g.shape[0], x0:x0 + g.shape[1]]
        if part.shape != g.shape:
            return
        np.maximum(part, g, out=part)
        sheet.chars.append((ALPHABET.index(c), x + w / 2, y + h / 2, w, h))

    def width(self, rng, face, c, h, stretch):
        if self.mono and c not in "1I":  # stencils give all characters one width
            return self.mono * h
        m = self.glyphs.char(rng, face, c)
        return float(np.clip(m.shape[1] / HEIGHT, 0.13, 1.0)) * h * stretch

    def line(self, rng, sheet, face, text, x, y, h, stretch, space, down=False, box_last=False):
        """Text from x, y on to the right, or downwards; blanks are gaps. Returns where it ends."""
        last = len(text) - 1
        wide = h * 0.62 * stretch
        for i, c in enumerate(text):
            if c == " ":
                if down:
                    y += h * self.gap
                else:
                    x += h * self.gap
                continue
            w = self.width(rng, face, c, h, stretch)
            at = (x + (wide - w) / 2, y) if down else (x, y)
            self.put(rng, sheet, face, c, *at, w, h)
            if i == last and box_last:
                e = h * rng.uniform(0.12, 0.28)
                a, b = (int(at[0] - e), int(at[1] - e)), (int(at[0] + w + e), int(at[1] + h + e))
                cv2.rectangle(sheet.alpha, a, b, 255, max(1, int(h * rng.uniform(0.04, 0.1))), cv2.LINE_AA)
            if down:
                y += h * (1 + space)
            else:
                x += w + h * space
        return x, y

    def sheet(self, rng, h):
        """One code in some layout, with size and type, other lettering around it. h is the height of its characters."""
        s = Sheet(np.zeros((SIDE * 3, SIDE * 3), np.uint8))
        face = self.glyphs.names[int(rng.choice(len(self.glyphs.names), p=self.glyphs.weights))]
        stretch, space = rng.uniform(0.7, 1.15), rng.uniform(0.08, 0.35)
        self.mono = rng.uniform(0.4, 0.62) if rng.random() < 0.55 else 0
        self.pen = int(rng.integers(-7, 5)) if rng.random() < 0.6 else 0
        if self.mono:
            stretch = 1.0
        owner, serial, digit = iso.code(rng)
        size, boxed = iso.size_type(rng), rng.random() < 0.75
        self.gap = rng.uniform(0.25, 1.6)
        x, y = SIDE * 1.5 - h * rng.uniform(0, 8), SIDE * 1.5 - h * rng.uniform(0, 3)
        r = rng.random()
        under = y + h * rng.uniform(1.3, 1.9)
        if r < 0.4:
            mid, _ = self.line(rng, s, face, owner + " ", x, y, h, stretch, space)
            self.line(rng, s, face, serial + " " + digit, mid, y, h, stretch, space, box_last=boxed)
            self.line(rng, s, face, size, mid if rng.random() < 0.6 else x, under, h, stretch, space)
        elif r < 0.6:
            self.line(rng, s, face, owner, x, y, h, stretch, space)
            self.line(rng, s, face, serial + " " + digit, x + (h * rng.uniform(-2, 2) if rng.random() < 0.3 else 0), under, h, stretch, space, box_last=boxed)
            self.line(rng, s, face, size, x, 2 * under - y, h, stretch, space)
        elif r < 0.85:
            y = SIDE * 1.5 - h * rng.uniform(0, 11)
            down = rng.uniform(0.08, 0.45)
            self.gap *= 0.7
            self.line(rng, s, face, owner + " " + serial + " " + digit, x, y, h, stretch, down, True, boxed)
            self.line(rng, s, face, size, x + h * rng.uniform(1.2, 2.5) * rng.choice([-1, 1]), y, h, stretch, down, True)
        for _ in range(int(rng.integers(0, 5))):
            self.other(rng, s, h)
        return s

    def other(self, rng, s, h):
        """Weights, warnings, names of lines: lettering that is no code."""
        face = self.glyphs.names[int(rng.integers(len(self.glyphs.names)))]
        k = h * float(np.exp(rng.uniform(np.log(0.5), np.log(2.2))))
        x, y = rng.uniform(SIDE * 0.9, SIDE * 2), rng.uniform(SIDE * 0.9, SIDE * 2)
        if rng.random() < 0.5:
            text = "".join(str(d) for d in rng.integers(0, 10, int(rng.integers(2, 7)))) + rng.choice(["", " KGS", " LBS"])
        else:
            text = WORDS[int(rng.integers(len(WORDS)))]
        room = s.alpha[int(y):int(y + k) + 1, int(x):int(x + k * len(text))]
        if room.size and room.max() > 0:
            return
        self.gap = 0.4
        self.line(rng, s, face, text, x, y, k, rng.uniform(0.8, 1.2), rng.uniform(0.05, 0.3))

    def ground(self, rng):
        """Painted steel, flat or corrugated, with rods, rust and stickers; or a stretch of a photograph."""
        n = SIDE
        if rng.random() < 0.15:
            img = self.photos[int(rng.integers(len(self.photos)))]
            s = rng.uniform(0.5, 1.6)
            img = cv2.resize(img, None, fx=s, fy=s) if min(img.shape[:2]) * s > n + 4 else cv2.resize(img, (2 * n, 3 * n))
            y, x = int(rng.integers(0, img.shape[0] - n)), int(rng.integers(0, img.shape[1] - n))
            return cv2.cvtColor(img[y:y + n, x:x + n], cv2.COLOR_BGR2GRAY).astype(np.float32)
        img = np.full((n, n), rng.uniform(15, 235), np.float32)
        if rng.random() < 0.75:  # corrugation across, lit from one side
            period, phase = rng.uniform(14, 90), rng.uniform(0, 100)
            t = ((np.arange(n) + phase) % period) / period
            edge = rng.uniform(0.04, 0.2)
            shade = np.where(t < edge, 1, np.where((t > 0.5) & (t < 0.5 + edge), -1, 0)) * rng.uniform(-45, 45)
            shade = shade + np.where((t > edge) & (t < 0.5), rng.uniform(-12, 12), 0)
            img += cv2.GaussianBlur(shade.astype(np.float32)[None], (0, 0), float(rng.uniform(0.5, 2.5)))
        img += cv2.resize(rng.normal(0, rng.uniform(1, 14), (6, 6)).astype(np.float32), (n, n), interpolation=cv2.INTER_CUBIC)
        return img

    def things(self, rng, img, h):
        """Door rods, hinges, stickers and rust over or beside the lettering."""
        n = SIDE
        for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.5 else 0):
            x, w, v = rng.uniform(0, n), max(2, h * rng.uniform(0.15, 0.6)), float(rng.uniform(40, 240))
            a, b = (int(x), -5), (int(x + rng.normal(0, 4)), n + 5)
            cv2.line(img, a, b, v, int(w), cv2.LINE_AA)
            cv2.line(img, (int(x + w / 2), -5), (b[0] + int(w / 2), n + 5), v * 0.5, max(1, int(w / 4)), cv2.LINE_AA)
        for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):
            x, y, w, k = rng.uniform(-10, n), rng.uniform(-10, n), rng.uniform(0.5, 3) * h, rng.uniform(0.3, 3) * h
            if rng.random() < 0.7:
                cv2.rectangle(img, (int(x), int(y)), (int(x + w), int(y + k)), float(rng.uniform(20, 240)), -1 if rng.random() < 0.6 else 1)
            else:
                cv2.circle(img, (int(x), int(y)), int(w / 3), float(rng.uniform(20, 240)), -1 if rng.random() < 0.6 else 2, cv2.LINE_AA)
        return img

    def sample(self, rng):
        """A grey crop (uint8) and its characters: class, centre x, y, width, height in pixels of the crop."""
        n = SIDE
        h = float(np.exp(rng.uniform(np.log(11), np.log(40))))
        img = self.ground(rng)
        if rng.random() < 0.4:
            img = self.things(rng, img, h)
        if rng.random() < 0.06:
            return degrade.sensor(rng, degrade.optics(rng, np.clip(self.things(rng, img, h), 0, 255).astype(np.uint8))), []
        s = self.sheet(rng, h)
        m = self.pose(rng)
        alpha = cv2.warpPerspective(s.alpha, m, (n, n), flags=cv2.INTER_AREA)
        level = float(img.mean())
        ink = rng.uniform(level + 50, 275) if level < 120 or (level < 185 and rng.random() < 0.5) else rng.uniform(-10, level - 50)
        a = alpha.astype(np.float32) / 255 * rng.uniform(0.7, 1)
        if rng.random() < 0.3:  # worn paint
            a *= cv2.resize(rng.uniform(0.4, 1.25, (int(rng.integers(6, 40)),) * 2).astype(np.float32), (n, n)).clip(0, 1)
        shade = img - level
        img = img * (1 - a) + (ink + shade * rng.uniform(0.5, 1)) * a
        chars = self.moved(s.chars, m)
        if rng.random() < 0.12:
            img = self.things(rng, img, h * 0.5)
        out = np.clip(img, 0, 255).astype(np.uint8)
        if rng.random() < 0.15:
            out = degrade.weather(rng, out, h * 0.7)
        else:
            out = degrade.optics(rng, degrade.light(rng, out, 0.6), 0.8 if h > 14 else 0.4)
        return degrade.sensor(rng, out, 0.8), chars

    @staticmethod
    def pose(rng):
        """Homography of the sheet's middle into the crop: turned, sheared, in perspective."""
        c = SIDE * 1.5
        a = np.radians(rng.normal(0, 4) if rng.random() < 0.8 else rng.uniform(-15, 15))
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        shear = np.array([[rng.uniform(0.75, 1.1), rng.normal(0, 0.05), 0], [rng.normal(0, 0.12), 1, 0], [0, 0, 1]])
        far = np.array([[1, 0, 0], [0, 1, 0], [rng.normal(0, 0.0006), rng.normal(0, 0.0004), 1]])
        shift = rng.uniform(-0.35, 0.35, 2) * SIDE + SIDE / 2
        return np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]]) @ far @ turn @ shear @ np.array([[1, 0, -c], [0, 1, -c], [0, 0, 1]])

    @staticmethod
    def moved(chars, m):
        """Characters through the homography: the bounding box of each."""
        out = []
        for c, x, y, w, h in chars:
            q = np.array([[[x - w / 2, y - h / 2], [x + w / 2, y - h / 2], [x + w / 2, y + h / 2], [x - w / 2, y + h / 2]]])
            p = cv2.perspectiveTransform(q, m)[0]
            lo, hi = p.min(0), p.max(0)
            out.append((c, *((lo + hi) / 2), *(hi - lo)))
        return out
