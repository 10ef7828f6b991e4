"""Where characters may be: connected areas that are lighter or darker than what is around them; and patches of them."""
import cv2
import numpy as np

from .net import SIDE

BLOCKS, OFFSETS = (15, 31, 61), (6, 14)  # of the adaptive threshold: pixels, grey levels
LEAST, MOST = 9, 90  # height of a character, pixels
AROUND = 1.3  # side of a patch over the larger side of the character
RIM = 64  # pixels added around the picture, so that every patch lies inside


def candidates(grey):
    """Boxes (x, y, w, h) of areas that may be characters; mirrors the Go side."""
    found = set()
    for block in BLOCKS:
        for offset in OFFSETS:
            for kind, c in ((cv2.THRESH_BINARY, -offset), (cv2.THRESH_BINARY_INV, offset)):
                mask = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, kind, block, c)
                _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
                x, y, w, h, area = stats[1:].T
                good = (h >= LEAST) & (h <= MOST) & (w <= 1.25 * h) & (w >= 0.1 * h) & (area >= 0.12 * w * h) & (area >= 14)
                found.update(tuple(int(v) for v in r[:4]) for r in stats[1:][good])
    return sorted(found)


def rimmed(grey):
    return cv2.copyMakeBorder(grey, RIM, RIM, RIM, RIM, cv2.BORDER_REPLICATE)


def patch(rim, cx, cy, side):
    """The patch of a side around a middle (pixels of the picture), of the picture with its rim."""
    n = max(4, int(round(side)))
    x, y = int(round(cx - n / 2)) + RIM, int(round(cy - n / 2)) + RIM
    x, y = max(0, min(x, rim.shape[1] - n)), max(0, min(y, rim.shape[0] - n))
    return cv2.resize(rim[y:y + n, x:x + n], (SIDE, SIDE), interpolation=cv2.INTER_AREA if n > SIDE else cv2.INTER_LINEAR)


def overlap(a, b):
    """Intersection over union of boxes a (n, 4) and b (m, 4)."""
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[None]
    w = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    h = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    both = np.clip(w, 0, None) * np.clip(h, 0, None)
    return both / (a[..., 2] * a[..., 3] + b[..., 2] * b[..., 3] - both)
