"""A rendered clip of a convoy for `gatehouse-vision watch`: ten lorries with like plates at 25 frames a second, 1920x1080.

python3 -m plates.convoy --out DIR writes DIR/convoy.mp4 and DIR/convoy.json. Drawn with the faces and vehicles of the
rendered test set, which training never uses; seeded. The fifth lorry tail-gates the fourth, the eighth backs out and
comes again. Results are quoted for the seed that is the default; any other draws other lorries, with other plates that
are as like each other, to develop on.
"""
import argparse
import json
import os

import cv2
import numpy as np

from . import grammar, testscene
from .testset import BLACK, SIZES, WHITE, YELLOW, Fonts, draw

SEED, FPS, W, H = 83, 25, 1920, 1080
FOCAL = 1.3 * W
CAMERA = 900.0  # millimetres above the plates
FAR, NEAR, SPEED = 14000.0, 3600.0, 2200.0  # millimetres from the camera, millimetres a second
GAP = 3300.0  # between the tail-gater and the lorry before it
PLATES = [  # text, rows, colours
    ("12C12345", 1, (WHITE, BLACK)), ("12C12354", 1, (WHITE, BLACK)), ("12C12845", 2, (WHITE, BLACK)),
    ("12G12345", 1, (YELLOW, BLACK)), ("12G12346", 1, (YELLOW, BLACK)), ("12C13345", 2, (YELLOW, BLACK)),
    ("20C12345", 1, (WHITE, BLACK)), ("12C12545", 2, (WHITE, BLACK)), ("12C72345", 1, (YELLOW, BLACK)),
    ("12C12349", 1, (WHITE, BLACK))]


def convoy(rng, seed):
    """The plates: those above, or with another seed other characters in their places."""
    if seed == SEED:
        return PLATES
    digit = rng.permutation(list("0123456789"))
    province = dict(zip(("12", "20"), map(str, rng.choice(grammar.PROVINCES, 2, replace=False))))
    letter = dict(zip("CG", rng.choice(list("CEFGH"), 2, replace=False)))

    def other(text):
        return province[text[:2]] + letter[text[2]] + "".join(digit[int(c)] for c in text[3:])
    return [(other(text), rows, colours) for text, rows, colours in PLATES]


def ways():
    """For each lorry its distance from the camera by time, as a function; and the length of the clip."""
    def straight(start):
        return lambda t: FAR - SPEED * (t - start)

    def backing(start):
        stages = [(2.6, -SPEED), (1.4, SPEED), (0.8, 0), (9, -SPEED)]

        def at(t):
            z, t = FAR + 1, t - start
            for length, speed in stages:
                d = min(t, length)
                if d <= 0:
                    break
                z = min(z, FAR)
                z, t = z + d * speed, t - d
            return z
        return at

    out, start = [], 0.5
    for i in range(len(PLATES)):
        if i == 4:
            out.append((lambda before: lambda t: before(t) + GAP)(out[3]))
            start += GAP / SPEED + 5.2
        elif i == 7:
            out.append(backing(start))
            start += 4.4 + 5.2
        else:
            out.append(straight(start))
            start += 5.2 if i != 3 else 0
    return out, start + 1.5


def lorry(rng, fonts, plate):
    """The face of a lorry with its plate, the projection of its canvas to millimetres, where it stands across."""
    text, rows, colours = plate
    shape = "long" if rows == 1 else "short"
    shown = text[3:6] + "." + text[6:]
    lines = [text[:3] + "-" + shown] if rows == 1 else [text[:3], shown]
    face = testscene.vehicle(rng, "front", SIZES[shape])
    flat = draw(rng, fonts, lines, shape, colours, "VN")
    s = face.SCALE * 4
    big = cv2.resize(face.img, None, fx=4, fy=4, interpolation=cv2.INTER_LINEAR)
    pw, ph = (int(v * s) for v in SIZES[shape])
    x, y = int(face.w / 2 * s) - pw // 2, int((face.h - face.below) * s) - ph // 2
    big[y:y + ph, x:x + pw] = cv2.resize(flat, (pw, ph), interpolation=cv2.INTER_AREA)
    sizes = [np.clip(big, 0, 255).astype(np.uint8)]  # each half the one before, so that none aliases
    for _ in range(4):
        sizes.append(cv2.resize(sizes[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    to_mm = np.linalg.inv(np.array([[s, 0, face.w / 2 * s], [0, s, (face.h - face.below) * s], [0, 0, 1]]))
    return sizes, to_mm, rng.uniform(-500, 100)


def place(img, face, z, t, phase):
    """Draws a lorry at a distance."""
    sizes, to_mm, across = face
    yaw = np.radians(6 + 2 * np.sin(phase))
    x = across - 0.09 * (FAR - z) + 25 * np.sin(0.9 * t + phase)
    y = CAMERA + 6 * np.sin(11 * t + phase)
    turn = np.array([[np.cos(yaw), 0], [0, 1], [-np.sin(yaw), 0]])
    k = np.array([[FOCAL, 0, W / 2], [0, FOCAL, H / 2], [0, 0, 1]])
    m = k @ np.column_stack([turn, [x, y, z]]) @ to_mm
    level = min(4, max(0, int(np.log2(testscene.Face.SCALE * 4 / (FOCAL / z)))))
    m = m @ np.diag([2.0 ** level, 2.0 ** level, 1])
    cv2.warpPerspective(sizes[level], m, (W, H), dst=img, borderMode=cv2.BORDER_TRANSPARENT)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", required=True)
    p.add_argument("--seed", type=int, default=SEED)
    args = p.parse_args()
    cv2.setNumThreads(1)
    rng, fonts = np.random.default_rng(args.seed), Fonts()
    plates = convoy(np.random.default_rng([SEED, args.seed]), args.seed)
    yard = np.clip(testscene.yard(rng, W, H), 0, 255).astype(np.uint8)
    faces = [lorry(rng, fonts, plate) for plate in plates]
    paths, length = ways()
    os.makedirs(args.out, exist_ok=True)
    film = cv2.VideoWriter(os.path.join(args.out, "convoy.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), FPS, (W, H))
    if not film.isOpened():
        raise SystemExit("OpenCV cannot write mp4v here")
    noise = [rng.normal(0, 2.5, (H, W, 1)).astype(np.int16).repeat(3, 2) for _ in range(4)]
    for n in range(int(length * FPS)):
        t = n / FPS
        img = yard.copy()
        near = sorted(((path(t), i) for i, path in enumerate(paths)), reverse=True)
        for z, i in near:
            if NEAR < z <= FAR:
                place(img, faces[i], z, t, 1.7 * i)
        img = cv2.add(cv2.GaussianBlur(img, (0, 0), 0.6), noise[n % 4], dtype=cv2.CV_8U)
        film.write(img[..., ::-1])
    film.release()
    with open(os.path.join(args.out, "convoy.json"), "w", encoding="utf-8") as f:
        json.dump({"frames": int(length * FPS), "fps": FPS, "plates": [text for text, _, _ in plates], "reverses": plates[7][0]}, f)
    print(f"{int(length * FPS)} frames of {len(PLATES)} lorries in {args.out}")


if __name__ == "__main__":
    main()
