#!/usr/bin/env python3
"""Train the restore network (SRVGGNetCompact at scale 1): it takes noise, blur and JPEG damage out of a picture.

Every input is a fresh crop of a painted scene, damaged by damage.random_damage; some are not
damaged at all, since a clean picture must come out as it went in.

    python3 train_restore.py --data data --out-dir . --minutes 45
"""
import argparse

import numpy as np
import torch
from PIL import Image

import compact
import damage
import data

MARGIN = 16                                        # damage more than is used: every phase of JPEG's block grid, no blurred edges


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="data.py output")
    ap.add_argument("--strength", type=float, default=1.0,
                    help="how much of the learned change the exported network makes: below 1 it spares clean pictures and repairs less")
    compact.add_arguments(ap)
    ap.set_defaults(name="tessera-tiny-restore", preview="restore.png", crop=64, feat=48, lr=6e-4, ema=0.999)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    r = np.random.default_rng(0)
    clean, _ = data.load(a.data)
    n = len(clean) - compact.VALIDATION
    held = np.asarray(clean[n:])
    damaged = np.stack([np.asarray(damage.random_damage(Image.fromarray(x), np.random.default_rng(i))) for i, x in enumerate(held)])

    def batch():
        xs, ys = [], []
        for i in r.integers(0, n, a.batch):
            y0, x0 = (int(r.integers(0, s - a.crop - MARGIN + 1)) for s in clean.shape[1:3])
            y, = compact.turned(r, clean[i, y0:y0 + a.crop + MARGIN, x0:x0 + a.crop + MARGIN])
            x = np.asarray(damage.random_damage(Image.fromarray(np.ascontiguousarray(y)), r))
            y0, x0 = r.integers(0, MARGIN + 1, 2)
            xs.append(x[y0:y0 + a.crop, x0:x0 + a.crop])
            ys.append(y[y0:y0 + a.crop, x0:x0 + a.crop])
        return xs, ys

    def report(net):
        x, y = compact.to_tensor(damaged, a.device), compact.to_tensor(held, a.device)
        out = net(x).clamp(0, 1)
        compact.sheet([compact.to_pictures(t[:8]) for t in (x, out, y)], a.preview)
        return f"psnr {compact.psnr(x, y):.2f} -> {compact.psnr(out, y):.2f}; of clean pictures {compact.psnr(net(y).clamp(0, 1), y):.2f}"

    compact.train(compact.config(a, 1), a, batch, report, a.strength)


if __name__ == "__main__":
    main()
