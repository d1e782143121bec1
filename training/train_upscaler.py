#!/usr/bin/env python3
"""Train the 2x upscaler (SRVGGNetCompact) on renders twice the model's resolution.

Inputs are half-size copies that were blurred, noised and JPEG-compressed a little, or (with
--vae) passed through the autoencoder, which is what it will see in use.

    python3 train_upscaler.py --data data256 --vae vae.pt --out-dir . --minutes 5
"""
import argparse

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import compact
import damage
import data
import modules as M


def degrade(im, r):
    """A half-size copy of the PIL picture `im` with mild blur, noise and JPEG artefacts."""
    w, h = im.size
    lo = damage.blur(im, r.uniform(0, 0.9)) if r.random() < 0.7 else im
    lo = lo.resize((w // 2, h // 2), [Image.BOX, Image.BICUBIC, Image.BILINEAR][int(r.integers(3))])
    if r.random() < 0.5:
        lo = damage.gaussian_noise(lo, r.uniform(0.5, 4), r)
    if r.random() < 0.5:
        lo = damage.jpeg(lo, int(r.integers(65, 96)))
    return np.asarray(lo)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="data.py output at twice the model's resolution")
    ap.add_argument("--vae", help="checkpoint of train_vae.py or an exported folder: half of the inputs go through it")
    ap.add_argument("--resolution", type=int, default=0, help="resize the pictures to this, twice the model's (0: as they are)")
    compact.add_arguments(ap)
    ap.set_defaults(name="tessera-tiny-upscaler-x2", preview="upscaler.png")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    r = np.random.default_rng(0)
    hi, _ = data.load(a.data, a.resolution)
    hi = np.asarray(hi)
    lo = np.stack([degrade(Image.fromarray(x), r) for x in hi])
    if a.vae:                                      # every second picture through the autoencoder
        vae = M.load_vae(a.vae, a.device).to(torch.bfloat16).to(memory_format=torch.channels_last)
        with torch.no_grad():
            for i in range(0, len(hi), 2):
                x = torch.from_numpy(np.asarray(Image.fromarray(hi[i]).resize((hi.shape[2] // 2, hi.shape[1] // 2), Image.BOX)).copy())
                x = (x.to(a.device).permute(2, 0, 1)[None].float() / 127.5 - 1).bfloat16().contiguous(memory_format=torch.channels_last)
                y = vae.decode(vae.encode(x)[0]).float()
                lo[i] = ((y[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    n, c = len(hi) - compact.VALIDATION, a.crop

    def batch():
        xs, ys = [], []
        for i in r.integers(0, n, a.batch):
            y0, x0 = r.integers(0, lo.shape[1] - c + 1), r.integers(0, lo.shape[2] - c + 1)
            x, y = compact.turned(r, lo[i, y0:y0 + c, x0:x0 + c], hi[i, 2 * y0:2 * (y0 + c), 2 * x0:2 * (x0 + c)])
            xs.append(x)
            ys.append(y)
        return xs, ys

    def report(net):
        x, y = compact.to_tensor(lo[n:], a.device), compact.to_tensor(hi[n:], a.device)
        out = net(x).clamp(0, 1)
        cubic = F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False).clamp(0, 1)
        compact.sheet([compact.to_pictures(t[:4]) for t in (cubic, out, y)], a.preview)
        return (f"psnr {compact.psnr(out, y):.2f} (bicubic {compact.psnr(cubic, y):.2f}); inputs from the autoencoder "
                f"{compact.psnr(out[::2], y[::2]):.2f} (bicubic {compact.psnr(cubic[::2], y[::2]):.2f})")

    compact.train(compact.config(a, 2), a, batch, report)


if __name__ == "__main__":
    main()
