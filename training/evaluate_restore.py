#!/usr/bin/env python3
"""Measure the restore network: PSNR and SSIM before and after, for each kind of damage and for none.

    python3 data.py --out held --count 64 --seed 321
    python3 evaluate_restore.py --data held --weights ../weights/tessera-tiny-restore.safetensors --sheet restore.png

Prints a Markdown table. PSNR is of the mean squared error over all pictures, SSIM the mean of Wang et al. (2004) over
pictures and colour channels; inputs and outputs are 8-bit. "worse" counts the pictures whose PSNR fell.
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import compact
import damage
import data

KINDS = {
    "none": lambda im, r: im,
    "Gaussian noise, sigma 5": lambda im, r: damage.gaussian_noise(im, 5, r),
    "Gaussian noise, sigma 15": lambda im, r: damage.gaussian_noise(im, 15, r),
    "Gaussian noise, sigma 25": lambda im, r: damage.gaussian_noise(im, 25, r),
    "Poisson noise, sigma 20 at white": lambda im, r: damage.poisson_noise(im, 20, r),
    "blur, sigma 0.7": lambda im, r: damage.blur(im, 0.7),
    "blur, sigma 1.5": lambda im, r: damage.blur(im, 1.5),
    "JPEG, quality 30": lambda im, r: damage.jpeg(im, 30),
    "JPEG, quality 60": lambda im, r: damage.jpeg(im, 60),
    "JPEG, quality 90": lambda im, r: damage.jpeg(im, 90),
    "blur 1, noise 10, then JPEG 50": lambda im, r: damage.jpeg(damage.gaussian_noise(damage.blur(im, 1), 10, r), 50),
    "as in training": damage.random_damage,
}
SHOWN = ["none", "Gaussian noise, sigma 15", "Poisson noise, sigma 20 at white", "blur, sigma 0.7", "blur, sigma 1.5",
         "JPEG, quality 30", "JPEG, quality 60", "blur 1, noise 10, then JPEG 50"]


def ssim(p, q):
    """Mean structural similarity of (N,3,H,W) in 0..1: Gaussian window of 11 pixels, sigma 1.5, no padding."""
    g = torch.exp(-(torch.arange(11) - 5.0).square() / (2 * 1.5 ** 2))
    window = (g[:, None] * g / g.sum().square()).expand(3, 1, 11, 11)
    mean = lambda t: F.conv2d(t, window, groups=3)
    mp, mq = mean(p), mean(q)
    vp, vq, cov = mean(p * p) - mp * mp, mean(q * q) - mq * mq, mean(p * q) - mp * mq
    c1, c2 = 0.01 ** 2, 0.03 ** 2
    return ((2 * mp * mq + c1) * (2 * cov + c2) / ((mp * mp + mq * mq + c1) * (vp + vq + c2))).mean().item()


def damaged(pictures, kind):
    """Picture i is always damaged in the same way, whatever the number of pictures."""
    return np.stack([np.asarray(KINDS[kind](Image.fromarray(x), np.random.default_rng((1, i)))) for i, x in enumerate(pictures)])


def restored(net, pictures):
    with torch.no_grad():
        return np.concatenate([compact.to_pictures(net(compact.to_tensor(pictures[i:i + 8]))) for i in range(0, len(pictures), 8)])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="data.py output of a seed that was not trained on")
    ap.add_argument("--weights", required=True, help=".safetensors with its .json beside it")
    ap.add_argument("--count", type=int, default=64)
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--sheet", help="picture to write: four columns of damaged, restored and true for the kinds of SHOWN")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    clean = np.asarray(data.load(a.data)[0][:a.count])
    net = compact.load(a.weights)
    y = compact.to_tensor(clean)
    each = lambda t: [compact.psnr(p, q) for p, q in zip(t, y)]
    rows = []
    print("| damage | PSNR before | after | lowest after | SSIM before | after | worse |\n| --- | --- | --- | --- | --- | --- | --- |")
    for kind in KINDS:
        before = damaged(clean, kind)
        after = restored(net, before)
        if kind in SHOWN:
            rows += [before[:4], after[:4], clean[:4]]
        b, t = compact.to_tensor(before), compact.to_tensor(after)
        same = (before == clean).all()
        fell = "-" if same else f"{sum(q < p for p, q in zip(each(b), each(t)))} of {len(clean)}"
        print(f"| {kind} | {'-' if same else f'{compact.psnr(b, y):.2f}'} | {compact.psnr(t, y):.2f} | {min(each(t)):.2f} "
              f"| {ssim(b, y):.4f} | {ssim(t, y):.4f} | {fell} |", flush=True)
    if a.sheet:                                    # two kinds side by side
        compact.sheet([np.concatenate([p, q]) for half in range(0, len(rows), 6)
                       for p, q in zip(rows[half:half + 3], rows[half + 3:half + 6])], a.sheet)


if __name__ == "__main__":
    main()
