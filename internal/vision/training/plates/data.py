"""Labels, images, folds by vehicle, and the geometry that training and the Go side share."""
import json
import os
import zlib

import cv2
import numpy as np

PLATE_W, PLATE_H = 160, 64
STRIDE = 8
LONG_SIDE = 640
MAX_UPSCALE = 1.5
PAD = 114


def root(path=None):
    """The data folder; ends the program with a clear word when it is absent."""
    path = path or os.environ.get("GATEHOUSE_DATA") or "../../../../shared/data"
    if not os.path.exists(os.path.join(path, "plates", "labels.jsonl")):
        raise SystemExit(f"no data at {path}: set GATEHOUSE_DATA or pass --data")
    return path


def labels(data, split):
    """Label lines of one split, with the absolute path added."""
    base = os.path.join(data, "plates")
    with open(os.path.join(base, "labels.jsonl"), encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    out = [dict(line, path=os.path.join(base, line["file"])) for line in lines if line["split"] == split]
    if not out:
        raise SystemExit(f"no images of split {split} in {base}")
    return out


def fold(text, folds=10):
    """Fold of a vehicle: the same plate text always falls into the same fold."""
    return zlib.crc32(text.encode()) % folds


def letterbox(img, long_side=LONG_SIDE):
    """Scales the long side (up by at most 1.5) and pads to multiples of 32. Returns image, scale."""
    h, w = img.shape[:2]
    s = min(long_side / max(h, w), MAX_UPSCALE)
    nw, nh = max(1, round(w * s)), max(1, round(h * s))
    small = cv2.resize(img, (nw, nh), interpolation=cv2.INTER_AREA if s < 1 else cv2.INTER_LINEAR)
    out = np.full(((nh + 31) // 32 * 32, (nw + 31) // 32 * 32, 3), PAD, np.uint8)
    out[:nh, :nw] = small
    return out, s


def box_quad(box):
    """Corners TL, TR, BR, BL of [x, y, w, h]."""
    x, y, w, h = box
    return np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)


def rectify(img, quad, margin):
    """The plate quad with a margin (fraction of width and height on each side) as 160x64 grey.

    The crop is first brought near its final size by the mean of pixels, as the Go side does, so
    that large plates do not alias.
    """
    q = np.asarray(quad, np.float32)
    w = max(np.linalg.norm(q[1] - q[0]), np.linalg.norm(q[2] - q[3]), 1)
    h = max(np.linalg.norm(q[3] - q[0]), np.linalg.norm(q[2] - q[1]), 1)
    if img.ndim == 3:
        x0, y0 = np.floor(q.min(0) - 0.4 * max(w, h)).astype(int)
        x1, y1 = np.ceil(q.max(0) + 0.4 * max(w, h)).astype(int) + 1
        x0, y0 = max(0, min(x0, img.shape[1] - 2)), max(0, min(y0, img.shape[0] - 2))
        part = img[y0:max(y1, y0 + 2), x0:max(x1, x0 + 2)]
        img, q = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), q - (x0, y0)
    f = min(w / PLATE_W, h / PLATE_H)
    if f > 1.5:
        size = (max(1, int(img.shape[1] / f)), max(1, int(img.shape[0] / f)))
        q = q * (size[0] / img.shape[1], size[1] / img.shape[0])
        img = cv2.resize(img, size, interpolation=cv2.INTER_AREA)
    k = 1 + 2 * margin
    mx, my = PLATE_W * margin / k, PLATE_H * margin / k
    dst = np.array([[mx, my], [PLATE_W - mx, my], [PLATE_W - mx, PLATE_H - my], [mx, PLATE_H - my]], np.float32)
    m = cv2.getPerspectiveTransform(q.astype(np.float32), dst)
    return cv2.warpPerspective(img, m, (PLATE_W, PLATE_H), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
