"""Flat plates: draws a Layout with frame, bolts and dirt, and knows where each character lies."""
from dataclasses import dataclass

import cv2
import numpy as np

from . import grammar
from .glyphs import HEIGHT, Glyphs

SHAPES = {"long": (400, 86), "short": (260, 130), "moto": (220, 160)}


@dataclass
class Plate:
    """A flat plate. centres: (slot, x, y) in pixels of image for the characters of text."""
    image: np.ndarray
    text: str
    rows: int
    country: str
    kind: str
    centres: list


class Renderer:
    """Draws random plates; every choice comes from the given generator."""

    def __init__(self, data):
        self.glyphs = Glyphs(data)

    def layout(self, rng):
        """Mostly Vietnamese; more than one in four foreign."""
        r = rng.random()
        if r < 0.72:
            return grammar.vietnamese(rng)
        return grammar.chinese(rng) if r < 0.88 else grammar.neighbour(rng)

    def plate(self, rng, layout=None):
        """One flat plate."""
        lay = layout or self.layout(rng)
        w, h = SHAPES[lay.shape]
        w = int(w * rng.uniform(0.9, 1.12))
        ground, ink = self._colours(rng, lay.colours)
        img = np.empty((h, w, 3), np.float32)
        img[:] = ground
        self._texture(rng, img)
        border = rng.random()
        pad = int(h * rng.uniform(0.03, 0.07))
        if border < 0.75:
            colour = ink if rng.random() < 0.8 else (40, 40, 40)
            cv2.rectangle(img, (pad, pad), (w - 1 - pad, h - 1 - pad), tuple(map(float, colour)),
                          int(rng.integers(1, max(2, h // 30) + 1)), cv2.LINE_AA)
        alpha, centres, thin = self._text(rng, lay, w, h)
        if rng.random() < (0.75 if thin else 0.35):
            k = int(rng.integers(2, 7 if thin else 6))
            op = cv2.dilate if thin or rng.random() < 0.6 else cv2.erode
            alpha = op(alpha, np.ones((k, k), np.uint8))
        a = alpha.astype(np.float32)[..., None] / 255
        if rng.random() < 0.4:  # pressed letters throw a light edge
            edge = np.roll(a, (-2, -2), (0, 1)) * rng.uniform(0.05, 0.3)
            img += edge * (255 - img) * (1 - a)
        img = img * (1 - a) + np.asarray(ink, np.float32) * a
        self._fittings(rng, img)
        return Plate(np.clip(img, 0, 255).astype(np.uint8), lay.text, max(1, min(2, len(lay.rows))), lay.country,
                     lay.kind, centres)

    @staticmethod
    def _colours(rng, colours):
        ground, ink = (np.array(c, np.float32) for c in colours)
        ground = np.clip(ground * rng.uniform(0.72, 1.06) + rng.normal(0, 8, 3), 0, 255)
        ink = np.clip(ink + rng.normal(0, 14, 3) + (rng.uniform(0, 60) if ink.mean() < 90 else 0), 0, 255)
        return ground, ink

    @staticmethod
    def _texture(rng, img):
        h, w = img.shape[:2]
        if rng.random() < 0.5:
            gx = np.linspace(-1, 1, w)[None, :, None] * rng.normal(0, 14)
            gy = np.linspace(-1, 1, h)[:, None, None] * rng.normal(0, 14)
            img += gx + gy
        if rng.random() < 0.3:
            spots = rng.normal(0, rng.uniform(5, 40), (int(rng.integers(3, 12)), int(rng.integers(3, 20)), 1))
            img += cv2.resize(spots.astype(np.float32), (w, h), interpolation=cv2.INTER_CUBIC)[..., None]

    def _fittings(self, rng, img):
        """Bolts, a seal sticker, dirt over the letters."""
        h, w = img.shape[:2]
        if rng.random() < 0.5:
            y, r = int(h * rng.uniform(0.1, 0.5)), int(max(2, h * rng.uniform(0.02, 0.05)))
            shade = float(rng.uniform(30, 230))
            for x in (int(w * rng.uniform(0.06, 0.25)), int(w * rng.uniform(0.75, 0.94))):
                cv2.circle(img, (x, y), r, (shade, shade, shade), -1, cv2.LINE_AA)
        if rng.random() < 0.15:
            n = int(rng.integers(1, 5))
            for _ in range(n):
                c = (int(rng.uniform(0, w)), int(rng.uniform(0, h)))
                axes = (int(rng.uniform(2, w * 0.07)), int(rng.uniform(2, h * 0.12)))
                over = img.copy()
                cv2.ellipse(over, c, axes, float(rng.uniform(0, 180)), 0, 360,
                            tuple(float(v) for v in rng.uniform(30, 170, 3)), -1, cv2.LINE_AA)
                img += (over - img) * rng.uniform(0.2, 0.7)
        if rng.random() < 0.22:
            self._mud(rng, img)
        if rng.random() < 0.12:
            y = int(h * rng.uniform(0.6, 0.95))
            fade = np.clip((np.arange(h) - y) / (h - y + 1), 0, 1)[:, None, None] * rng.uniform(0.2, 0.6)
            img += (np.array([60, 80, 100], np.float32) - img) * fade

    @staticmethod
    def _mud(rng, img):
        """A film of dust and patches of dried mud, fine ones and broad ones."""
        h, w = img.shape[:2]
        field = np.zeros((h, w), np.float32)
        n = float(rng.uniform(2, 8))
        for _ in range(4):
            grid = rng.standard_normal((max(2, int(n * h / w) + 1), max(2, int(n)))).astype(np.float32)
            field += cv2.resize(grid, (w, h), interpolation=cv2.INTER_CUBIC) / n ** 0.8
            n *= 2.2
        share = rng.uniform(0.02, 0.3)
        patch = np.clip((field - np.quantile(field, 1 - share)) * rng.uniform(2, 12), 0, 1) * rng.uniform(0.25, 0.8)
        film = rng.uniform(0, 0.35) * (0.6 + 0.4 * np.clip(field, -1, 1))
        earth = np.array([55, 75, 95], np.float32) * rng.uniform(0.4, 1.9) + rng.normal(0, 10, 3)
        for cover, colour in ((film, np.clip(earth * 1.5, 0, 235)), (patch, np.clip(earth, 0, 235))):
            img += (colour.astype(np.float32) - img) * np.clip(cover, 0, 0.9)[..., None]

    def _text(self, rng, lay, w, h):
        """Alpha mask of all rows and the centres of the characters in reading order of text."""
        alpha = np.zeros((h, w), np.uint8)
        face, stretch = self.glyphs.face(rng), self._stretch(rng)
        mouth = rng.uniform(0.1, 0.26) if rng.random() < 0.3 else None  # of C and G, share of the height
        n = len(lay.rows)
        top, bottom = h * rng.uniform(0.08, 0.15), h * rng.uniform(0.85, 0.93)
        gap = h * rng.uniform(0.03, 0.09) if n > 1 else 0
        shares = self._shares(rng, lay, n)
        centres, slot, y = [], 0, top
        for row, share in zip(lay.rows, shares):
            rh = (bottom - top - gap * (n - 1)) * share
            for c, cx in self._row(rng, alpha, lay, row, face, y, rh, w, stretch, mouth):
                centres.append((slot, cx, y + rh / 2))
                slot += 1
            y += rh + gap
        return alpha, centres, "DIN" in face or "RG2014B" in face

    @staticmethod
    def _stretch(rng):
        """Gives a character's width from its face's: as it is, condensed, or all nearly alike as on pressed plates (1 is heights)."""
        r, by, one = rng.random(), rng.uniform(0.52, 0.9), rng.uniform(0.38, 0.6)
        if r < 0.3:
            return lambda width: width * by
        return (lambda width: width if width < 0.35 else one) if r < 0.42 else lambda width: width

    @staticmethod
    def _shares(rng, lay, n):
        if n == 1:
            return [1.0]
        if n == 3:
            return [0.36, 0.2, 0.44]
        if lay.rows[0] == "@":
            return [0.3, 0.7]
        if lay.rows[-1] == "@":
            return [0.72, 0.28]
        first = rng.uniform(0.38, 0.52)
        return [first, 1 - first]

    def _row(self, rng, alpha, lay, row, face, y, rh, w, stretch, mouth):
        """Draws one row scaled into its area; yields the Latin characters with their x centres."""
        pieces, tight = [], rng.uniform(0.06, 0.22)
        for c in row:
            if c in "-.":
                pieces.append((c, None, 0.30 if c == "-" else 0.16))
            elif c == " ":
                pieces.append((c, None, rng.uniform(0.15, 0.35)))
            elif c in "#@":
                text = lay.script[0] if c == "#" else lay.script[-1]
                m = self.glyphs.script(rng, lay.country, text)
                pieces.append((c, m, m.shape[1] / HEIGHT))
            else:
                m = self.glyphs.char(rng, face, c)
                if mouth and c in "CG":
                    m = self.glyphs.narrowed(m, c, mouth)
                pieces.append((c, m, np.clip(stretch(m.shape[1] / HEIGHT), 0.12, 0.95)))
        total = sum(p[2] for p in pieces) + tight * (len(pieces) - 1)
        most = w * rng.uniform(0.80, 0.93)
        unit = rh * rng.uniform(0.75, 1.15)
        unit = min(unit, most / total)
        if rng.random() < 0.4 and len(pieces) > 4 and lay.shape != "long":
            unit = min(most / total, unit * 1.25)
        x = (w - total * unit) / 2 + rng.normal(0, w * 0.012)
        out = []
        for c, m, width in pieces:
            pw = width * unit
            self._put(alpha, c, m, x, y, pw, rh)
            if c not in "-. #@":
                out.append((c, x + pw / 2))
            x += pw + tight * unit
        return out

    @staticmethod
    def _put(alpha, c, mask, x, y, pw, rh):
        h, w = alpha.shape
        if c == "-":
            cv2.rectangle(alpha, (int(x), int(y + rh * 0.46)), (int(x + pw), int(y + rh * 0.56)), 255, -1)
        elif c == ".":
            cv2.circle(alpha, (int(x + pw / 2), int(y + rh * 0.55)), max(1, int(rh * 0.055)), 255, -1, cv2.LINE_AA)
        elif mask is not None:
            x0, y0 = max(0, int(round(x))), max(0, int(round(y)))
            m = cv2.resize(mask, (max(2, int(round(pw))), max(2, int(round(rh)))), interpolation=cv2.INTER_AREA)
            m = m[:max(0, h - y0), :max(0, w - x0)]
            if m.size:
                part = alpha[y0:y0 + m.shape[0], x0:x0 + m.shape[1]]
                np.maximum(part, m, out=part)


def homography(src_size, quad):
    """Maps a flat plate of (w, h) pixels onto quad (TL, TR, BR, BL)."""
    w, h = src_size
    src = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    return cv2.getPerspectiveTransform(src, np.asarray(quad, np.float32))


def shrink(image, width):
    """Area-resizes the flat plate near its final width, so that warping does not alias."""
    f = image.shape[1] / max(width, 4)
    if f <= 1.4:
        return image
    return cv2.resize(image, None, fx=1.2 / f, fy=1.2 / f, interpolation=cv2.INTER_AREA)
