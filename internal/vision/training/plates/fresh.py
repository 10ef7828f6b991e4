"""Fresh pictures to choose between readers by: python3 -m plates.fresh --data DIR --out DIR

Plates and scenes of training in lettering that neither training nor the rendered test set uses, one plate to a picture under
one effect at its middle. labels.jsonl is as the rendered test set's: GATEHOUSE_TESTSET=DIR measures on it in its place.
"""
import argparse
import json
import os

import cv2
import numpy as np

from . import data, degrade, grammar
from .glyphs import FACES, RESERVED, ROOT
from .render import Renderer
from .scene import SIDE, Scenes, lettering, paste, random_quad

LETTERING = ("opentype/yanone-kaffeesatz/YanoneKaffeesatz-Bold.otf", "truetype/noto/NotoSans-Bold.ttf",
             "opentype/urw-base35/URWGothic-Demi.otf", "opentype/b612/B612Mono-Bold.otf",
             "truetype/liberation/LiberationMono-Bold.ttf", "truetype/tiresias/tiresias_lpfont_bold.ttf")
EFFECTS = ("plain", "night", "rain", "blur", "jpeg")


class Picture:
    """Draws one plate of a layout on a scene of training."""

    def __init__(self, folder):
        if taken := set(LETTERING) & (set(FACES) | set(RESERVED)):
            raise SystemExit("lettering of training or of the rendered test set: " + ", ".join(sorted(taken)))
        if absent := [f for f in LETTERING if not os.path.exists(os.path.join(ROOT, f))]:
            raise SystemExit("fonts are absent: " + ", ".join(absent) + "; make render-deps installs them")
        self.scenes, self.render = Scenes(folder), Renderer(folder)
        glyphs = self.render.glyphs
        glyphs.names, glyphs.real = [os.path.join(ROOT, f) for f in LETTERING], {}
        glyphs.weights = np.full(len(LETTERING), 1 / len(LETTERING))

    def draw(self, rng, layout, effect):
        """The picture, its plate and the plate's corners."""
        img, plate = self.scenes.backdrop(rng), self.render.plate(rng, layout)
        for _ in range(int(rng.integers(0, 3))):
            lettering(rng, img)
        h, w = plate.image.shape[:2]
        wide = float(rng.uniform(62, 105) if w < 2.6 * h else rng.uniform(100, 170))
        quad = random_quad(rng, rng.uniform(0.35, 0.65, 2) * SIDE, wide, wide * h / w, 0.7)
        paste(img, plate, quad)
        if effect != "night":
            img = degrade.light(rng, img, 0.3)
        tall = wide * h / w * (0.76 if plate.rows == 1 else 0.36)
        return degrade.sensor(rng, self.under(rng, img, effect, tall), 0.4), plate, quad

    @staticmethod
    def under(rng, img, effect, tall):
        """The picture under an effect; tall is a character's height in pixels."""
        if effect == "night":
            return degrade.dusk(rng, img)
        if effect == "rain":
            return degrade.downpour(rng, img)
        if effect == "jpeg":
            ok, buf = cv2.imencode(".jpg", img, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 30))])
            return cv2.imdecode(buf, cv2.IMREAD_UNCHANGED)
        if effect == "blur":
            return cv2.GaussianBlur(img, (0, 0), max(0.3, rng.uniform(0.06, 0.11) * tall))
        return img


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data")
    p.add_argument("--out", required=True)
    p.add_argument("--count", type=int, default=600, help="of pictures, two in three Vietnamese")
    p.add_argument("--seed", type=int, default=20261)
    args = p.parse_args()
    cv2.setNumThreads(0)
    rng, pictures = np.random.default_rng(args.seed), Picture(data.root(args.data))
    os.makedirs(os.path.join(args.out, "img"), exist_ok=True)
    with open(os.path.join(args.out, "labels.jsonl"), "w", encoding="utf-8") as f:
        for i in range(args.count):
            make = grammar.vietnamese if i % 3 else grammar.chinese if i % 2 else grammar.neighbour
            effect = EFFECTS[i // 6 % len(EFFECTS)]
            img, plate, quad = pictures.draw(rng, make(rng), effect)
            name = f"img/{i:05d}.jpg"
            cv2.imwrite(os.path.join(args.out, name), img, [cv2.IMWRITE_JPEG_QUALITY, 92])
            lo, size = quad.min(0), np.ptp(quad, 0)
            label = {"text": plate.text, "rows": plate.rows, "country": plate.country,
                     "box": [round(float(v), 1) for v in (*lo, *size)],
                     "corners": [[round(float(v), 1) for v in c] for c in quad]}
            f.write(json.dumps({"file": name, "split": "fresh", "scene": plate.kind, "effect": effect, "severity": 2,
                                "plates": [label]}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
