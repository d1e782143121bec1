#!/usr/bin/env python3
"""Train the 2x upscaler (SRVGGNetCompact) on renders twice the model's resolution.

Inputs are half-size copies that were blurred, noised and JPEG-compressed a little, or (with
--vae) passed through the autoencoder, which is what it will see in use.

    python3 train_upscaler.py --vae vae.pt --out-dir . --minutes 5
"""
import argparse
import io
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageFilter

import data
import fastcpu
import modules as M


def degrade(im, r):
    """A half-size copy of the PIL picture `im` with mild blur, noise and JPEG artefacts."""
    w, h = im.size
    lo = im.filter(ImageFilter.GaussianBlur(r.uniform(0, 0.9))) if r.random() < 0.7 else im
    lo = lo.resize((w // 2, h // 2), [Image.BOX, Image.BICUBIC, Image.BILINEAR][int(r.integers(3))])
    if r.random() < 0.5:
        x = np.asarray(lo).astype(np.float32)
        x += r.normal(0, r.uniform(0.5, 4), x.shape)
        lo = Image.fromarray(np.clip(x, 0, 255).astype(np.uint8))
    if r.random() < 0.5:
        b = io.BytesIO()
        lo.save(b, "JPEG", quality=int(r.integers(65, 96)))
        lo = Image.open(b).convert("RGB")
    return np.asarray(lo)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True, help="data.py output at twice the model's resolution")
    ap.add_argument("--vae", help="checkpoint of train_vae.py or an exported folder: half of the inputs go through it")
    ap.add_argument("--out-dir", default=".")
    ap.add_argument("--name", default="tessera-tiny-upscaler-x2")
    ap.add_argument("--preview", default="upscaler.png")
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=1000000)
    ap.add_argument("--minutes", type=float, default=1e9)
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--crop", type=int, default=48, help="input crop")
    ap.add_argument("--resolution", type=int, default=0, help="resize the pictures to this, twice the model's (0: as they are)")
    ap.add_argument("--init", help="continue from these weights (.safetensors)")
    ap.add_argument("--feat", type=int, default=32)
    ap.add_argument("--conv", type=int, default=8)
    ap.add_argument("--lr", type=float, default=4e-4)
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
    cfg = {"architecture": "SRVGGNetCompact", "num_in_ch": 3, "num_out_ch": 3, "num_feat": a.feat, "num_conv": a.conv, "upscale": 2,
           "act_type": "prelu", "input_range": [0.0, 1.0], "output_range": [0.0, 1.0], "channel_order": "RGB",
           "dtype": "float16", "key_prefix": ""}
    net = M.SRVGGNetCompact(**cfg).to(a.device).to(memory_format=torch.channels_last)
    for m in net.body:                             # keep the signal's size through the plain stack
        if isinstance(m, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(m.weight, a=0.25)
            torch.nn.init.zeros_(m.bias)
    torch.nn.init.zeros_(net.body[-1].weight)      # start as nearest-neighbour enlargement
    torch.nn.init.zeros_(net.body[-1].bias)
    if a.init:
        net.load_state_dict({k: v.float() for k, v in M.load_safetensors(a.init).items()})
    opt = fastcpu.FlatAdamW(net.parameters(), lr=a.lr, weight_decay=0.0, ema=0.99)
    val, n = 32, len(hi) - 32
    tens = lambda x: torch.from_numpy(np.ascontiguousarray(x)).to(a.device).permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=torch.channels_last)
    start, avg, step = time.time(), None, 0
    while step < a.steps:
        done = max(step / a.steps, (time.time() - start) / (60 * a.minutes))
        if done >= 1:
            break
        lr = a.lr * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        xs, ys, c = [], [], a.crop
        for i in r.integers(0, n, a.batch):
            y0, x0 = r.integers(0, lo.shape[1] - c + 1), r.integers(0, lo.shape[2] - c + 1)
            p, q = lo[i, y0:y0 + c, x0:x0 + c], hi[i, 2 * y0:2 * (y0 + c), 2 * x0:2 * (x0 + c)]
            k, f = int(r.integers(4)), bool(r.integers(2))
            p, q = np.rot90(p, k), np.rot90(q, k)
            xs.append(p[:, ::-1] if f else p)
            ys.append(q[:, ::-1] if f else q)
        x, y = tens(np.stack(xs)), tens(np.stack(ys))
        out = net(x.contiguous(memory_format=torch.channels_last)).float()
        d = (out - y.contiguous()).contiguous()
        loss = d.abs().mean() + 0.5 * ((d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean())
        loss.backward()
        opt.step(lr)
        step += 1
        avg = loss.item() if avg is None else 0.98 * avg + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {avg:.4f} {time.time() - start:.0f}s", flush=True)
    net = M.SRVGGNetCompact(**cfg).to(a.device)
    opt.load_ema_into(net.parameters())
    ema = {k: v.float() for k, v in net.state_dict().items()}
    psnr = lambda p, q: 10 * math.log10(1 / F.mse_loss(p, q).item())
    with torch.no_grad():
        x, y = tens(lo[n:]), tens(hi[n:])
        out = net(x).clamp(0, 1)
        cubic = F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False).clamp(0, 1)
    v, vae_v = [psnr(out, y), psnr(cubic, y)], [psnr(out[::2], y[::2]), psnr(cubic[::2], y[::2])]
    print(f"final steps {step} loss {avg:.4f} psnr {v[0]:.2f} (bicubic {v[1]:.2f}); inputs from the autoencoder {vae_v[0]:.2f} (bicubic {vae_v[1]:.2f}) wall {time.time() - start:.0f}s")
    R = y.shape[-1]
    sheet = Image.new("RGB", (4 * R, 3 * R))
    for k in range(4):
        for row, t in enumerate((cubic, out, y)):
            sheet.paste(Image.fromarray((t[k].permute(1, 2, 0) * 255).byte().cpu().numpy()), (k * R, row * R))
    sheet.save(a.preview)
    M.save_safetensors(os.path.join(a.out_dir, a.name + ".safetensors"), {k: t.half().contiguous() for k, t in ema.items()})
    with open(os.path.join(a.out_dir, a.name + ".json"), "w") as f:
        json.dump(cfg, f, indent=2)


if __name__ == "__main__":
    main()
