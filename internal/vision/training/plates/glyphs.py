"""Characters as alpha masks: Debian's fonts, and real plate characters from the data folder."""
import os
import zipfile

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

HEIGHT = 80  # glyph masks are cached at this cap height, pixels
ROOT = "/usr/share/fonts"
# (file, weight): the DIN and road-sign faces come closest to the pressed Vietnamese characters.
FACES = {
    "truetype/opendin/OSP-DIN.ttf": 5, "truetype/roadgeek/RG2014B.ttf": 2, "truetype/roadgeek/RG2014C.ttf": 2,
    "truetype/roadgeek/RG2014D.ttf": 1, "truetype/dejavu/DejaVuSansCondensed-Bold.ttf": 2,
    "truetype/dejavu/DejaVuSans-Bold.ttf": 1, "truetype/liberation/LiberationSansNarrow-Bold.ttf": 3,
    "truetype/liberation/LiberationSans-Bold.ttf": 1.5, "truetype/open-sans/OpenSans-CondBold.ttf": 1,
    "truetype/roboto/unhinted/RobotoCondensed-Bold.ttf": 1.5, "opentype/urw-base35/NimbusSansNarrow-Bold.otf": 1,
    "opentype/dosis/Dosis-Bold.otf": 1, "truetype/lato/Lato-Bold.ttf": 0.5, "opentype/play/Play-Bold.otf": 0.7,
    "truetype/dejavu/DejaVuSansMono-Bold.ttf": 0.4, "truetype/adf/UniversalisADFStd-BoldCond.otf": 1.5,
    "opentype/cabin/Cabin-Bold.otf": 0.7, "opentype/inter/Inter-Bold.otf": 0.7, "opentype/b612/B612-Bold.otf": 0.7,
    "truetype/oxygen/Oxygen-Sans-Bold.ttf": 0.7, "truetype/tiresias/tiresias_signfont_bold.ttf": 0.7,
    "truetype/manrope/Manrope-Bold.ttf": 0.7, "opentype/dosis/Dosis-SemiBold.otf": 0.7, "opentype/dosis/Dosis-ExtraBold.otf": 0.7,
    "opentype/inter/InterDisplay-SemiBold.otf": 0.7, "truetype/open-sans/OpenSans-Semibold.ttf": 0.7,
    "opentype/cabin/Cabin-SemiBold.otf": 0.7, "truetype/roboto/unhinted/RobotoCondensed-Medium.ttf": 0.7,
    "truetype/roboto/unhinted/RobotoTTF/Roboto-Bold.ttf": 0.7, "opentype/urw-base35/NimbusSans-Bold.otf": 0.7,
    "truetype/adf/UniversalisADFStd-Bold.otf": 0.7, "truetype/tiresias/tiresias_infofont_bold.ttf": 0.7,
    "truetype/lato/Lato-Heavy.ttf": 0.7,
}
# Faces of the rendered test set (value: by how many pixels a hairline face is drawn bolder). Training refuses them.
RESERVED = {
    "opentype/bebas-neue/BebasNeue-Bold.otf": 0, "opentype/bebas-neue/BebasNeue-Regular.otf": 5,
    "truetype/adf/GilliusADF-BoldCond.otf": 0, "truetype/adf/GilliusADFNo2-Bold.otf": 0,
    "truetype/clear-sans/ClearSans-Bold.ttf": 0, "truetype/crosextra/Carlito-Bold.ttf": 0,
    "truetype/routed-gothic/routed-gothic-narrow.ttf": 5, "truetype/osifont/osifont.ttf": 9,
    "opentype/national-park/NationalPark-Heavy.otf": 0, "truetype/roadgeek/RG2014E.ttf": 0,
}
RESERVED_SCRIPTS = {
    "CN": ["truetype/wqy/wqy-microhei.ttc", "truetype/droid/DroidSansFallbackFull.ttf"],
    "TH": ["truetype/tlwg/Waree-Bold.ttf", "truetype/tlwg/Sawasdee-Bold.ttf"],
    "LA": ["truetype/noto/NotoSansLao-Bold.ttf"], "KH": ["truetype/noto/NotoSansKhmer-Bold.ttf"],
}
SCRIPTS = {
    "CN": ["truetype/wqy/wqy-zenhei.ttc"],
    "TH": ["truetype/tlwg/Loma-Bold.ttf", "truetype/tlwg/Garuda-Bold.ttf", "truetype/noto/NotoSansThai-Bold.ttf"],
    "LA": ["truetype/lao/Phetsarath_OT.ttf"],
    "KH": ["truetype/khmeros/KhmerOS.ttf", "truetype/khmeros/KhmerOSbattambang.ttf"],
}


class Glyphs:
    """Gives alpha masks (uint8, HEIGHT tall) of single characters and of short script strings."""

    def __init__(self, data):
        used = set(FACES) | set(sum(SCRIPTS.values(), []))
        if taken := used & (set(RESERVED) | set(sum(RESERVED_SCRIPTS.values(), []))):
            raise SystemExit("reserved for the rendered test set, not for training: " + ", ".join(sorted(taken)))
        self.faces = {os.path.join(ROOT, f): w for f, w in FACES.items() if os.path.exists(os.path.join(ROOT, f))}
        if not self.faces:
            raise SystemExit("no fonts found: install the font packages listed in README.md")
        self.weights = np.array(list(self.faces.values()), float)
        self.weights /= self.weights.sum()
        self.names = list(self.faces)
        self.cache = {}
        self.real = self._real(os.path.join(data, "plates", "chars", "char_bien_so.zip"))

    @staticmethod
    def _real(path):
        """Real plate characters by class, stretched to 0..255 and trimmed."""
        out = {}
        if not os.path.exists(path):
            return out
        with zipfile.ZipFile(path) as z:
            for name in sorted(z.namelist()):
                if not name.endswith(".jpg"):
                    continue
                im = cv2.imdecode(np.frombuffer(z.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
                if im is None or im.max() < 40:
                    continue
                im = np.clip((im.astype(np.float32) - 20) * (255.0 / max(im.max() - 30, 30)), 0, 255)
                im = cv2.resize(im, (int(im.shape[1] * HEIGHT / im.shape[0]), HEIGHT), interpolation=cv2.INTER_CUBIC)
                out.setdefault(name.split("/")[-2], []).append(np.clip(im, 0, 255).astype(np.uint8))
        return out

    def face(self, rng):
        """A random face; 'real' composes from the real characters where they exist."""
        if self.real and rng.random() < 0.22:
            return "real"
        return self.names[int(rng.choice(len(self.names), p=self.weights))]

    def _draw(self, path, text, size=100):
        key = (path, text)
        if key not in self.cache:
            font = ImageFont.truetype(path, size)
            box = font.getbbox(text)
            im = Image.new("L", (max(box[2] + 8, 8), max(box[3] + 8, 8)))
            ImageDraw.Draw(im).text((2, 2), text, 255, font=font)
            mask = np.asarray(im)
            ys, xs = np.where(mask > 60)
            if len(ys) == 0:
                mask = np.zeros((HEIGHT, 20), np.uint8)
            else:
                mask = mask[ys.min():ys.max() + 1, xs.min():xs.max() + 1]
                mask = cv2.resize(mask, (max(2, round(mask.shape[1] * HEIGHT / mask.shape[0])), HEIGHT),
                                  interpolation=cv2.INTER_AREA)
            self.cache[key] = mask
        return self.cache[key]

    def char(self, rng, face, c):
        """Alpha mask of one Latin letter, digit or Đ."""
        base = "D" if c == "Đ" else c
        if face == "real":
            if base in self.real:
                mask = self.real[base][int(rng.integers(len(self.real[base])))]
            else:
                mask = self._draw(self.names[0], base)
        else:
            mask = self._draw(face, base)
        if c == "Đ":
            mask = mask.copy()
            w, y = mask.shape[1], HEIGHT // 2
            mask = np.pad(mask, ((0, 0), (max(2, w // 6), 0)))
            mask[y - 5:y + 5, :int(w * 0.62)] = 255
        return mask

    @staticmethod
    def narrowed(mask, c, gap):
        """C or G whose mouth is open by a share of its height alone, as on condensed pressed plates."""
        h, w = mask.shape
        ink = mask > 127
        middle = np.flatnonzero(~ink[h // 2, w // 6:])
        stroke = w // 6 + (int(middle[0]) if len(middle) else w // 8)
        if stroke > 0.45 * w:
            return mask
        free = ~ink[:, w - stroke:].any(1)  # rows of the mouth at the right edge
        rows = np.flatnonzero(free[h // 6:h - h // 6]) + h // 6
        if len(rows) < 4:
            return mask
        top, bottom = int(rows[0]), int(rows[-1])
        left = max(2, int(gap * h))
        straight = all(ink[y, w - stroke:].mean() > 0.75 for y in ((top - 3,) if c == "G" else (top - 3, bottom + 3)))
        if bottom - top <= left or not straight:  # ends that are cut at a slant do not go on downwards
            return mask
        out, end = mask.copy(), bottom - left if c == "G" else (top + bottom - left) // 2
        out[top - 2:end, w - stroke:] = 255
        if c == "C":
            out[end + left:bottom + 2, w - stroke:] = 255
        return out

    def script(self, rng, country, text):
        """Alpha mask of a string in the country's own script."""
        paths = [os.path.join(ROOT, p) for p in SCRIPTS.get(country, [])]
        paths = [p for p in paths if os.path.exists(p)]
        if not paths or not text:
            return np.zeros((HEIGHT, HEIGHT), np.uint8)
        return self._draw(paths[int(rng.integers(len(paths)))], text)
