#!/usr/bin/env python3
"""Train the autoencoder (f8, 4 latent channels) on pictures written by data.py.

Loss: L1 + L1 of image gradients + L1 of a quarter-size copy + kl_weight * KL. The weights
that are kept are the exponential moving average. At the end the latents are whitened
(folded into the 1x1 convolutions) so that scaling_factor is 0.18215, as in SD 1.x.

    python3 train_vae.py --data DIR --out vae.pt --minutes 20
    python3 train_vae.py --data DIR256 --out vae.pt --device cuda --crop 0 --batch 64 --steps 60000
"""
import argparse
import math
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import data
import fastcpu
import modules as M


def pyramid_loss(a, b):
    """L1, plus L1 of the finite differences, plus L1 at a quarter of the size."""
    a, b = a.contiguous(), b.contiguous()
    d = a - b
    return d.abs().mean() + 0.5 * ((d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()) \
        + F.avg_pool2d(d, 4).abs().mean()


@torch.no_grad()
def colour_init(net, K=3.0):
    """Start as a working block-mean colour codec, which short runs would spend long to find.

    Channels 0-2 carry +RGB and 4-6 carry -RGB through identity paths; channels 3 and 7 of every
    eight hold the constants +K and -K, so that group normalisation is nearly a fixed scaling
    there and passes absolute colour. silu(x) - silu(-x) = x undoes the last activation. The
    remaining channels are free features; residual branches start at zero.
    """
    for m in net.modules():
        if isinstance(m, M.ResnetBlock2D):
            m.conv2.weight.zero_()
            m.conv2.bias.zero_()
        if isinstance(m, M.VAEAttention):
            m.to_out[0].weight.zero_()
            m.to_out[0].bias.zero_()
    fixed = lambda c: c < 8 or c % 8 in (3, 7)

    def identity(conv, taps, first, noise):
        """conv[c] = input channel c at `taps`; features get `noise` of the default weights on top."""
        for c in range(conv.out_channels):
            conv.weight[c] *= 0 if fixed(c) else noise
            conv.bias[c] = 0
            if c < first:
                for y, x in taps:
                    conv.weight[c, c, y, x] += 1.0 / len(taps)
            elif c % 8 in (3, 7):
                conv.bias[c] = K if c % 8 == 3 else -K

    def entry(conv, n):
        for c in range(conv.out_channels):
            if fixed(c):
                conv.weight[c] = 0
                conv.bias[c] = K if c % 8 == 3 else -K if c % 8 == 7 else 0
        for j in range(n):
            conv.weight[j, j, 1, 1], conv.weight[4 + j, j, 1, 1] = 1.0, -1.0

    def leave(conv, gain):
        conv.weight *= 0.1
        conv.bias.zero_()
        for j in range(3):
            conv.weight[j] = 0
            conv.weight[j, j, 1, 1], conv.weight[j, 4 + j, 1, 1] = gain, -gain
    e, d = net.encoder, net.decoder
    entry(e.conv_in, 3)
    entry(d.conv_in, 3)
    for b in e.down_blocks:
        if hasattr(b.resnets[0], "conv_shortcut"):
            identity(b.resnets[0].conv_shortcut, [(0, 0)], b.resnets[0].conv_shortcut.in_channels, 1.0)
        if hasattr(b, "downsamplers"):
            identity(b.downsamplers[0].conv, [(0, 0), (0, 1), (1, 0), (1, 1)], 1 << 30, 0.7)
    for b in d.up_blocks:
        if hasattr(b.resnets[0], "conv_shortcut"):
            identity(b.resnets[0].conv_shortcut, [(0, 0)], 1 << 30, 0.5)
        if hasattr(b, "upsamplers"):
            identity(b.upsamplers[0].conv, [(1, 1)], 1 << 30, 0.7)
    leave(e.conv_out, 0.5 * K)
    leave(d.conv_out, 0.52 * K)
    q, L = net.quant_conv, net.post_quant_conv.in_channels
    q.weight.zero_()
    q.bias.zero_()
    q.bias[L:] = -7.0                             # little posterior noise (std 0.03)
    net.post_quant_conv.weight.zero_()
    net.post_quant_conv.bias.zero_()
    for j in range(L):
        q.weight[j, j, 0, 0] = net.post_quant_conv.weight[j, j, 0, 0] = 1.0


@torch.no_grad()
def fold_whitening(net, pictures, factor=0.18215):
    """Make the latents zero-mean, decorrelated and of std 1/factor over `pictures`.

    The affine map is folded into quant_conv and post_quant_conv, so reconstructions do not
    change. Returns the (before, after) channel statistics.
    """
    zs, lv = zip(*(net.encode(x) for x in pictures))
    z, var = torch.cat(zs), torch.cat(lv).exp().mean((0, 2, 3)).double()
    flat = z.permute(1, 0, 2, 3).flatten(1).double()
    mu, cov = flat.mean(1), torch.cov(flat)
    ev, U = torch.linalg.eigh(cov)
    A = (torch.diag(ev.rsqrt()) @ U.T / factor).flip(0)
    q, p, L = net.quant_conv, net.post_quant_conv, len(mu)
    W, b = q.weight[:L, :, 0, 0].double(), q.bias[:L].double()
    q.weight[:L, :, 0, 0], q.bias[:L] = (A @ W).float(), (A @ (b - mu)).float()
    q.weight[L:], q.bias[L:] = 0, torch.log(A.square() @ var).float()      # constant posterior noise
    W = p.weight[:, :, 0, 0].double()
    p.bias += (W @ mu).float()
    p.weight[:, :, 0, 0] = (W @ torch.linalg.inv(A)).float()
    after = torch.cat([net.encode(x)[0] for x in pictures])
    return {"eigenvalues": ev.flip(0).tolist(), "noise_std": (A.square() @ var).sqrt().tolist(),
            "mean": after.mean((0, 2, 3)).tolist(), "std": after.std((0, 2, 3)).tolist(), "latent_std": after.std().item()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", default="vae.pt")
    ap.add_argument("--preview", default="vae.png")
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=100000)
    ap.add_argument("--minutes", type=float, default=1e9, help="stop after this long; the learning rate decays to it")
    ap.add_argument("--batch", type=int, default=8)
    ap.add_argument("--crop", type=int, default=64, help="train on random crops of this size (0: whole pictures)")
    ap.add_argument("--full-after", type=float, default=0.6,
                    help="before this fraction of the run crops and whole pictures alternate, after it only whole ones are used")
    ap.add_argument("--resolution", type=int, default=0, help="resize the pictures to this (0: as they are)")
    ap.add_argument("--channels", type=int, nargs=4, default=M.VAE_CONFIG["block_out_channels"])
    ap.add_argument("--lr", type=float, default=7e-4)
    ap.add_argument("--kl", type=float, default=1e-6)
    ap.add_argument("--fold-only", action="store_true", help="no training: load --out, whiten its latents, write it back")
    ap.add_argument("--decoder-only", help="fine-tune only the decoder of --out on this file of cached latents (train_diffusion.py wrote it)")
    ap.add_argument("--init", help="start from the autoencoder of this exported folder instead of --out")
    ap.add_argument("--holdout", type=int, default=512)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    images, _ = data.load(a.data, a.resolution)
    n, res = len(images) - a.holdout, images.shape[1]
    cfg = dict(M.VAE_CONFIG, block_out_channels=list(a.channels), sample_size=res)
    net = M.AutoencoderKL(**cfg).to(a.device)
    val = M.AutoencoderKL(**cfg).to(a.device).to(memory_format=torch.channels_last).eval()
    colour_init(net)                              # overwritten when a checkpoint is loaded
    ck = torch.load(a.out, map_location=a.device) if (a.fold_only or a.decoder_only) and not a.init else None
    if a.init:                                    # the autoencoder of an exported folder
        ck = {"config": cfg, "model": M.load_vae(a.init).state_dict()}
    if ck:
        net.load_state_dict(ck["model"])
        val.load_state_dict(ck["model"])
    part = lambda m: list(m.decoder.parameters()) + list(m.post_quant_conv.parameters()) if a.decoder_only else list(m.parameters())
    net.requires_grad_(not a.decoder_only)
    for p in part(net):
        p.requires_grad_(True)
    latents = torch.load(a.decoder_only).to(a.device) if a.decoder_only else None
    if a.decoder_only:
        n = min(n, len(latents))
    opt = fastcpu.FlatAdamW(part(net), lr=a.lr, ema=0.996)
    print(f"parameters {sum(p.numel() for p in net.parameters()):,}", flush=True)

    def batch(idx, crop):
        x = images[np.sort(idx)]
        if crop:
            s = images.shape[1] - crop
            ys, xs = rng.integers(0, s + 1, len(x)), rng.integers(0, s + 1, len(x))
            x = np.stack([k[i:i + crop, j:j + crop] for k, i, j in zip(x, ys, xs)])
        x = torch.from_numpy(np.ascontiguousarray(x)).to(a.device)
        return (x.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)

    def evaluate():
        opt.load_ema_into(part(val))
        hold = [batch(np.arange(n + k, n + k + 32), 0) for k in range(0, min(32, a.holdout), 32)]
        with torch.no_grad():
            zs = [val.encode(h)[0] for h in hold]
            out = [val.decode(z) for z in zs]
        mse = sum(F.mse_loss(o.clamp(-1, 1), h).item() for o, h in zip(out, hold)) / len(hold)
        R = hold[0].shape[-1]
        sheet = Image.new("RGB", (8 * R, 4 * R))
        for i in range(16):
            for row, t in ((0, hold[0]), (1, out[0])):
                im = ((t[i].clamp(-1, 1) + 1) * 127.5).byte().permute(1, 2, 0).cpu().numpy()
                sheet.paste(Image.fromarray(im), (i % 8 * R, (i // 8 * 2 + row) * R))
        sheet.save(a.preview)
        z = torch.cat(zs)
        return 10 * math.log10(4 / mse), z.std().item(), z.mean((0, 2, 3)).tolist(), z.std((0, 2, 3)).tolist()

    def save(step, stats):
        torch.save({"config": cfg, "model": {k: v.clone() for k, v in val.state_dict().items()}, "steps": step,
                    "psnr": stats[0], "latent_std": stats[1]}, a.out)

    def whiten():
        stats = fold_whitening(val, [batch(np.arange(k, k + 32), 0) for k in range(0, min(n, 512), 32)])
        print("folded whitening:", stats, flush=True)
        return stats["latent_std"]

    if a.fold_only:
        ck["latent_std"] = whiten()
        torch.save(dict(ck, model=dict(val.state_dict())), a.out)
        return
    print("initial psnr %.2f" % evaluate()[0], flush=True)
    start, avg, step, mark = time.time(), None, 0, time.time()
    while step < a.steps:
        done = max(step / a.steps, (time.time() - start) / (60 * a.minutes))
        if done >= 1:
            break
        lr = a.lr * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        if a.decoder_only:
            idx = np.sort(rng.integers(0, n, max(1, a.batch // 4)))
            x, z = batch(idx, 0), latents[torch.from_numpy(idx)]
            z = z + 0.02 / 0.18215 * torch.randn_like(z)      # the sampler's latents are not exact either
            kl = torch.zeros(())
        else:
            if a.crop and step % 4 and done < a.full_after:
                x = batch(rng.integers(0, n, a.batch), a.crop)
            else:                               # whole pictures, as many pixels a step
                x = batch(rng.integers(0, n, max(1, a.batch * a.crop ** 2 // images.shape[1] ** 2) if a.crop else a.batch), 0)
            mean, logvar = net.encode(x.bfloat16())
            mean, logvar = mean.float(), logvar.float()
            z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
            kl = 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum((1, 2, 3)).mean() * (128 * 128 / x.shape[-1] / x.shape[-2])
        y = net.decode(z.bfloat16().contiguous(memory_format=torch.channels_last)).float()
        rec = pyramid_loss(y, x)
        (rec + a.kl * kl).backward()
        opt.step(lr)
        avg = rec.item() if avg is None else 0.98 * avg + 0.02 * rec.item()
        step += 1
        if step % 100 == 0:
            print(f"step {step} loss {avg:.4f} kl {kl.item():.0f} lr {lr:.2e} {100 / (time.time() - mark):.2f} it/s {time.time() - start:.0f}s", flush=True)
            mark = time.time()
        if step % 500 == 0:
            st = evaluate()
            save(step, st)
            print("eval psnr %.2f std %.3f mean %s stds %s" % (st[0], st[1], [round(v, 2) for v in st[2]], [round(v, 2) for v in st[3]]), flush=True)
            mark = time.time()
    st = evaluate()
    if not a.decoder_only:
        whiten()
    save(step, st)
    print("final steps %d loss %.4f psnr %.2f latent std %.4f mean %s stds %s wall %.0fs" % (step, avg, st[0], st[1], st[2], st[3], time.time() - start))


if __name__ == "__main__":
    main()
