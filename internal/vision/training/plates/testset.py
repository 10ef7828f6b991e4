"""The rendered test set: plates that no photograph at hand shows, drawn by code that training shares nothing with.

python3 -m plates.testset --out DIR writes DIR/img/*.jpg and DIR/labels.jsonl. Kinds, effects, severities and seeds are
frozen: figures are comparable only while they stay. Fonts come from glyphs.RESERVED, which training refuses.
"""
import argparse
import hashlib
import json
import os

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import grammar, testscene
from .glyphs import RESERVED, RESERVED_SCRIPTS, ROOT

SEED = 79
EACH = 4  # pictures of a kind under one effect at one severity
EFFECTS = ("tilt", "night", "rain", "dirt", "blur", "jpeg")
SEVERITIES = (1, 2, 3)

WHITE, YELLOW, BLUE, RED = (238, 238, 235), (245, 195, 30), (20, 70, 160), (190, 25, 35)  # RGB
BLACK, PAPER, INK, GREEN, NAVY = (20, 20, 24), (245, 245, 245), (195, 20, 25), (130, 215, 150), (15, 40, 130)
SIZES = {"long": (520, 110), "short": (330, 165), "moto": (190, 140), "cn": (440, 140), "cn2": (440, 220),
         "cngreen": (480, 140), "th": (340, 150), "kh": (400, 130), "la": (375, 150)}  # millimetres


def pick(rng, seq):
    return seq[int(rng.integers(len(seq)))]


def digits(rng, n):
    return "".join(str(d) for d in rng.integers(0, 10, n))


def running(rng, n=None):
    """A running number: plain, and with its dot when it has five digits."""
    d = digits(rng, n or (4 if rng.random() < 0.3 else 5))
    return d, d[:3] + "." + d[3:] if len(d) == 5 else d


def vietnamese(rng, series, colours, shapes=("long", "short")):
    """Province and series over or before a running number."""
    p, shape = str(pick(rng, grammar.PROVINCES)), pick(rng, shapes)
    plain, shown = running(rng)
    s = series(rng)
    head = p + ("-" if shape == "moto" else "") + s
    rows = [p + s + "-" + shown] if shape == "long" else [head, shown]
    return rows, p + s + plain, shape, colours


def letter(alphabet):
    return lambda rng: pick(rng, alphabet)


def fixed(text):
    return lambda rng: text


def diplomatic(series, ink):
    def make(rng):
        p, mission, own = str(pick(rng, [80, 29, 41, 50, 80])), digits(rng, 3), digits(rng, 2)
        if rng.random() < 0.5:
            return [f"{p}-{mission}-{series}-{own}"], p + mission + series + own, "long", (WHITE, ink)
        return [f"{p}-{series}", f"{mission}-{own}"], p + series + mission + own, "short", (WHITE, ink)
    return make


def military(rng):
    a, b, n = pick(rng, grammar.MILITARY_FIRST), pick(rng, grammar.MILITARY_SECOND.replace("I", "")), digits(rng, 4)
    if rng.random() < 0.5:
        return [f"{a}{b}-{n[:2]}-{n[2:]}"], a + b + n, "long", (RED, PAPER)
    return [a + b, f"{n[:2]}-{n[2:]}"], a + b + n, "short", (RED, PAPER)


def temporary(rng):
    p, n = str(pick(rng, grammar.PROVINCES)), digits(rng, 5)
    if rng.random() < 0.5:
        return [f"T{p}-{n[:3]}.{n[3:]}"], "T" + p + n, "long", (WHITE, BLACK)
    return ["T" + p, f"{n[:3]}.{n[3:]}"], "T" + p + n, "short", (WHITE, BLACK)


def chinese(shape, colours, tail):
    def make(rng):
        prov, a = pick(rng, "桂云粤琼桂云湘贵"), pick(rng, grammar.CN_LETTERS)
        n = "".join(pick(rng, grammar.CN_LETTERS) if rng.random() < 0.2 else str(rng.integers(10)) for _ in range(5))
        if tail == "green":
            n = pick(rng, "DF") + digits(rng, 5)
        elif tail:
            n = n[:4] + tail
        rows = [prov + a, n] if shape == "cn2" else [prov + a + "·" + n]
        return rows, "".join(c for c in a + n if c.isascii()), shape, colours
    return make


def lao(rng):
    head = pick(rng, "ກຂຄງຈສຍດຕຖທນບ") + pick(rng, "ກຂຄງຈສຍດຕຖທນບ")
    d = digits(rng, 4)
    return [pick(rng, ["ກຳແພງນະຄອນ", "ສະຫວັນນະເຂດ", "ຄຳມ່ວນ", "ຈຳປາສັກ"]), head + " " + d], d, "la", \
        pick(rng, [(YELLOW, BLACK), (WHITE, NAVY), (YELLOW, INK)])


def khmer(rng):
    head = str(pick(rng, [2, 2, 3, 7])) + "".join(pick(rng, "ABCDEFGHKLMNPRSTUVXYZ") for _ in range(int(rng.integers(1, 3))))
    d = digits(rng, 4)
    return [pick(rng, ["ភ្នំពេញ", "បាត់ដំបង", "ស្វាយរៀង"]), f"{head}-{d}"], head + d, "kh", (WHITE, NAVY)


def thai(lorry):
    def make(rng):
        province = pick(rng, ["กรุงเทพมหานคร", "มุกดาหาร", "นครพนม", "อุบลราชธานี"])
        if lorry:
            n = f"{rng.integers(60, 90)}-{digits(rng, 4)}"
            return [n, province], n.replace("-", ""), "th", (WHITE, BLACK)
        lead, d = pick(rng, ["", "1", "2", "3"]), digits(rng, int(rng.integers(3, 5)))
        return [lead + pick(rng, "กขคฆงจฉชฌญ") + pick(rng, "กขจชตถทนบพ") + " " + d, province], lead + d, "th", (WHITE, BLACK)
    return make


CAR, MOTO2 = letter(grammar.CAR), lambda rng: pick(rng, grammar.CAR) + str(rng.integers(1, 10))
# kind: (country, maker, vehicles)
KINDS = {
    "private": ("VN", lambda r: vietnamese(r, CAR, (WHITE, BLACK)), ("car", "front", "rear")),
    "transport": ("VN", lambda r: vietnamese(r, letter("CHEFBKGD"), (YELLOW, BLACK)), ("front", "rear")),
    "state": ("VN", lambda r: vietnamese(r, letter(grammar.STATE), (BLUE, PAPER)), ("car", "front")),
    "military": ("VN", military, ("front", "rear", "car")),
    "diplomatic-NG": ("VN", diplomatic("NG", INK), ("car",)),
    "diplomatic-QT": ("VN", diplomatic("QT", INK), ("car",)),
    "diplomatic-NN": ("VN", diplomatic("NN", BLACK), ("car", "front")),
    "diplomatic-CV": ("VN", diplomatic("CV", BLACK), ("car",)),
    "temporary": ("VN", temporary, ("car", "front", "rear")),
    "zone": ("VN", lambda r: vietnamese(r, letter(["LB", "CT"]), (YELLOW, INK)), ("car", "front", "rear")),
    "trailer-R": ("VN", lambda r: vietnamese(r, fixed("R"), pick(r, [(WHITE, BLACK), (YELLOW, BLACK)])), ("trailer",)),
    "trailer-RM": ("VN", lambda r: vietnamese(r, fixed("RM"), (WHITE, BLACK)), ("trailer",)),
    "series-LD": ("VN", lambda r: vietnamese(r, letter(["LD", "DA"]), (WHITE, BLACK)), ("car", "front", "rear")),
    "series-TĐ": ("VN", lambda r: vietnamese(r, fixed("TĐ"), (WHITE, BLACK)), ("car", "front")),
    "series-MK": ("VN", lambda r: vietnamese(r, letter(["MK", "KT", "HC"]), (WHITE, BLACK)), ("front", "rear")),
    "motorbike": ("VN", lambda r: vietnamese(r, MOTO2, (WHITE, BLACK), ("moto",)), ("bike",)),
    "motorbike-MĐ": ("VN", lambda r: vietnamese(r, lambda s: "MĐ" + str(s.integers(1, 10)), (WHITE, BLACK), ("moto",)), ("bike",)),
    "cn-blue": ("CN", chinese("cn", ((15, 60, 165), PAPER), ""), ("car",)),
    "cn-yellow": ("CN", chinese("cn", (YELLOW, BLACK), ""), ("front",)),
    "cn-trailer": ("CN", chinese("cn2", (YELLOW, BLACK), "挂"), ("trailer", "rear")),
    "cn-green": ("CN", chinese("cngreen", (GREEN, BLACK), "green"), ("car",)),
    "lao": ("LA", lao, ("car", "front", "rear")),
    "cambodian": ("KH", khmer, ("car", "front", "rear")),
    "thai": ("TH", thai(False), ("car",)),
    "thai-lorry": ("TH", thai(True), ("front", "rear")),
}


class Fonts:
    """The reserved faces. A set without all of them would be another set, so a missing one is an error."""

    def __init__(self):
        missing = [f for f in list(RESERVED) + sum(RESERVED_SCRIPTS.values(), []) if not os.path.exists(os.path.join(ROOT, f))]
        if missing:
            raise SystemExit("fonts missing, see README.md: " + ", ".join(missing))
        self.cache = {}

    def mask(self, path, text):
        """Alpha of a text, trimmed, at 160 pixels of font size."""
        key = (path, text)
        if key not in self.cache:
            font = ImageFont.truetype(os.path.join(ROOT, path), 160)
            box = font.getbbox(text)
            im = Image.new("L", (box[2] + 20, box[3] + 20))
            ImageDraw.Draw(im).text((8, 8), text, 255, font=font)
            a = np.asarray(im)
            ys, xs = np.where(a > 40)
            self.cache[key] = a[ys.min():ys.max() + 1, xs.min():xs.max() + 1] if len(ys) else np.zeros((8, 8), np.uint8)
        return self.cache[key]

    def char(self, path, c):
        """One character; Đ is D with a bar, so that every face has it."""
        m = self.mask(path, "D" if c == "Đ" else c)
        if RESERVED[path]:  # hairline faces are drawn bolder
            m = cv2.dilate(np.pad(m, RESERVED[path]), np.ones((RESERVED[path],) * 2, np.uint8))
        if c == "Đ":
            h, w = m.shape
            m = np.pad(m, ((0, 0), (w // 5, 0)))
            m[int(h * 0.45):int(h * 0.56), :int(w * 0.7)] = 255
        return m


def draw(rng, fonts, rows, shape, colours, country):
    """The flat plate as RGB float, 2 pixels a millimetre."""
    w, h = (2 * v for v in SIZES[shape])
    ground = np.clip(np.array(colours[0]) * rng.uniform(0.85, 1.0), 0, 255)
    img = np.empty((h, w, 3), np.float32)
    img[:] = ground
    ink = np.array(colours[1], np.float32)
    edge = int(rng.integers(5, 9))
    cv2.rectangle(img, (edge, edge), (w - edge, h - edge), tuple(map(float, ink)), int(rng.integers(3, 6)), cv2.LINE_AA)
    face = pick(rng, list(RESERVED))
    shares = [1.0] if len(rows) == 1 else {"la": [.3, .7], "kh": [.32, .68], "th": [.7, .3], "cn2": [.4, .6]}.get(shape, [.45, .55])
    alpha = np.zeros((h, w), np.float32)
    top, room, gap = 0.13 * h, 0.76 * h, 0.05 * h * (len(rows) - 1)
    for row, share in zip(rows, shares):
        rh = (room - gap) * share
        line(rng, fonts, alpha, row, face, country, top, rh, w)
        top += rh + gap
    img += (ink - img) * alpha[..., None]
    for x in (0.12, 0.88):  # screws
        if rng.random() < 0.6:
            cv2.circle(img, (int(x * w), int(h * rng.uniform(.06, .12))), 7, (120.0, 120.0, 115.0), -1, cv2.LINE_AA)
    return img


def line(rng, fonts, alpha, row, face, country, top, rh, w):
    """One row: characters side by side at equal height, native script by its own face."""
    parts, script = [], None
    for c in row:
        if c in "-.· ":
            parts.append((c, None, {"-": .32, ".": .18, "·": .18, " ": .25}[c]))
        elif c.isascii() or c == "Đ":
            m = fonts.char(face, c)
            parts.append((c, m, float(np.clip(m.shape[1] / m.shape[0], .18, .85))))
        elif country in ("TH", "LA", "KH") and script:  # a word is drawn whole
            continue
        else:
            word = row if all(not x.isascii() for x in row) else "".join(x for x in row if not x.isascii())
            if country in ("TH", "LA", "KH"):
                script = word
            m = fonts.mask(pick(rng, RESERVED_SCRIPTS[country]), word if country != "CN" else c)
            parts.append((c, m, m.shape[1] / m.shape[0]))
    space = rng.uniform(.09, .16)
    total = sum(p[2] for p in parts) + space * (len(parts) - 1)
    unit = min(rh * rng.uniform(.9, 1.05), .9 * w / total)
    x = (w - total * unit) / 2
    for c, m, width in parts:
        pw, y, ph = width * unit, top, rh
        if c == "-":
            alpha[int(y + .46 * ph):int(y + .55 * ph), int(x):int(x + pw)] = 1
        elif c in ".·":
            cv2.circle(alpha, (int(x + pw / 2), int(y + .52 * ph)), int(.06 * ph), 1.0, -1, cv2.LINE_AA)
        elif m is not None:
            g = cv2.resize(m, (max(2, int(pw)), max(2, int(ph))), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
            part = alpha[int(y):int(y) + g.shape[0], int(x):int(x) + g.shape[1]]
            np.maximum(part, g[:part.shape[0], :part.shape[1]], out=part)
        x += pw + space * unit


def picture(fonts, kind, effect, severity, number):
    """One picture and its label; everything follows from the four arguments and SEED."""
    key = f"{SEED}/{kind}/{effect}/{severity}/{number}".encode()
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest()[:8], "big"))
    country, make, vehicles = KINDS[kind]
    rows, text, shape, colours = make(rng)
    flat = draw(rng, fonts, rows, shape, colours, country)
    scene = testscene.shoot(rng, flat, SIZES[shape], pick(rng, vehicles), effect, severity)
    corners = scene.corners
    lo, hi = corners.min(0), corners.max(0)
    plate = {"text": text, "rows": len(rows) if country == "VN" else 0, "country": country,
             "box": [round(float(v), 1) for v in (*lo, *(hi - lo))],
             "corners": [[round(float(v), 1) for v in c] for c in corners]}
    name = f"img/{kind}-{effect}-{severity}-{number}.jpg".replace("Đ", "D")
    return scene.jpeg, {"file": name, "split": "rendered", "scene": kind, "effect": effect, "severity": severity, "plates": [plate]}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("--each", type=int, default=EACH, help="fewer for a quick look; figures are quoted for the default")
    args = p.parse_args()
    cv2.setNumThreads(0)
    fonts, labels, digest = Fonts(), [], hashlib.sha256()
    os.makedirs(os.path.join(args.out, "img"), exist_ok=True)
    for kind in KINDS:
        for effect in EFFECTS:
            for severity in SEVERITIES:
                for number in range(args.each):
                    jpeg, label = picture(fonts, kind, effect, severity, number)
                    with open(os.path.join(args.out, label["file"]), "wb") as f:
                        f.write(jpeg)
                    labels.append(json.dumps(label, ensure_ascii=False))
                    digest.update(jpeg)
    with open(os.path.join(args.out, "labels.jsonl"), "w", encoding="utf-8") as f:
        f.write("\n".join(labels) + "\n")
    print(f"{len(labels)} pictures of {len(KINDS)} kinds in {args.out}, digest {digest.hexdigest()[:16]}")


if __name__ == "__main__":
    main()
