"""Sets the threshold on a site's own scans: python3 -m xray.threshold --site DIR --weights runs/site

Every fourth scan is kept out of training for this. In service gatectl xray calibrate sets the threshold, with a bound.
"""
import argparse
import json
import os

import numpy as np
import torch

from . import data
from .evaluate import ALARMS, heat
from .net import load


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--site", required=True)
    p.add_argument("--weights", default="runs/site")
    args = p.parse_args()
    torch.set_num_threads(1)
    model = load(args.weights)
    spare = [s for s in data.site_scans(args.site) if data.held_out(s)]
    if not spare:
        raise SystemExit("no scan was kept out of training; add scans")
    top = [float(heat(model, data.scan(s)[0]).max()) for s in spare]
    threshold = float(np.clip(np.quantile(top, 1 - ALARMS, method="higher"), 0.02, 0.995))
    with open(os.path.join(args.weights, "xray.json"), "w", encoding="utf-8") as f:
        json.dump({"threshold": round(threshold, 4), "bags": len(spare)}, f)
    print(f"threshold {threshold:.4f} from {len(spare)} scans kept out of training")


if __name__ == "__main__":
    main()
