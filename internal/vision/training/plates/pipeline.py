"""Detector and reader in a row, as the Go side runs them."""
import math

import numpy as np
import torch

from . import data, grammar
from .detector import detect
from .export import MARGINS


class Pipeline:
    """Reads every plate of a picture. temperature is the reader's calibration."""

    def __init__(self, detector, reader, temperature=1.0, threshold=0.3):
        self.detector, self.reader = detector.eval(), reader.eval()
        self.temperature, self.threshold = temperature, threshold

    @torch.no_grad()
    def probabilities(self, img, quad):
        """Mean over the margins of slots, rows and country."""
        x = np.stack([data.rectify(img, quad, m) for m in MARGINS])[:, None].astype(np.float32) / 255
        chars, rows, country, _ = self.reader(torch.from_numpy(x))
        return tuple(torch.softmax(t, -1).mean(0).numpy() for t in (chars, rows, country))

    def read_quad(self, img, quad):
        """Text, score, rows, country and its probability of one quad."""
        chars, rows, country = self.probabilities(img, quad)
        text = "".join(grammar.ALPHABET[i] for i in chars.argmax(-1))
        k = int(country.argmax())
        return {"text": text, "score": score(chars, country, self.temperature), "raw": log_product(chars),
                "rows": int(rows.argmax()) + 1, "country": grammar.COUNTRIES[k], "vn": float(country[0])}

    def read(self, img):
        """All plates of a BGR picture, best detection first."""
        return [dict(self.read_quad(img, q), heat=h, quad=q) for h, q in detect(self.detector, img, self.threshold)]


def log_product(chars):
    """Log of the product over slots of the best probability."""
    return float(np.log(np.clip(chars.max(-1), 1e-9, 1)).sum())


def score(chars, country, temperature):
    """(product of best probabilities)^(1/temperature) * P(recognised country)."""
    return math.exp(log_product(chars) / temperature) * float(country.max())
