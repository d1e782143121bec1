"""What the trainings of the pixel networks share: an SRVGGNetCompact's start, its training loop and its export.

train_upscaler.py and train_restore.py bring the pictures and the damage; everything else is here.
"""
import json
import math
import os
import time

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import fastcpu
import modules as M

VALIDATION = 32                                    # pictures at the end of a data set that are never trained on


def add_arguments(ap):
    """The switches that both trainings have; a script sets its own defaults with ap.set_defaults."""
    ap.add_argument("--out-dir", default=".")
    ap.add_argument("--name", help="of the two files written, without their endings")
    ap.add_argument("--preview", help="contact sheet of validation pictures")
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--steps", type=int, default=1000000)
    ap.add_argument("--minutes", type=float, default=1e9)
    ap.add_argument("--save-minutes", type=float, default=5, help="write the averaged weights this often")
    ap.add_argument("--batch", type=int, default=16)
    ap.add_argument("--crop", type=int, default=48, help="input crop")
    ap.add_argument("--init", help="continue from these weights (.safetensors)")
    ap.add_argument("--feat", type=int, default=32)
    ap.add_argument("--conv", type=int, default=8)
    ap.add_argument("--lr", type=float, default=4e-4)
    ap.add_argument("--ema", type=float, default=0.99, help="decay of the moving average of the weights")


def config(a, upscale):
    """The .json that stands beside the weights."""
    return {"architecture": "SRVGGNetCompact", "num_in_ch": 3, "num_out_ch": 3, "num_feat": a.feat, "num_conv": a.conv,
            "upscale": upscale, "act_type": "prelu", "input_range": [0.0, 1.0], "output_range": [0.0, 1.0],
            "channel_order": "RGB", "dtype": "float16", "key_prefix": ""}


def start(cfg, a):
    """A network that passes its input on unchanged (enlarged to the nearest pixel), or --init's."""
    net = M.SRVGGNetCompact(**cfg).to(a.device).to(memory_format=torch.channels_last)
    for m in net.body:                             # keep the signal's size through the plain stack
        if isinstance(m, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(m.weight, a=0.25)
            torch.nn.init.zeros_(m.bias)
    torch.nn.init.zeros_(net.body[-1].weight)
    torch.nn.init.zeros_(net.body[-1].bias)
    if a.init:
        net.load_state_dict({k: v.float() for k, v in M.load_safetensors(a.init).items()})
    return net


def load(weights):
    """The network of an exported .safetensors with its .json beside it, in fp32."""
    with open(os.path.splitext(weights)[0] + ".json") as f:
        net = M.SRVGGNetCompact(**json.load(f))
    net.load_state_dict({k: v.float() for k, v in M.load_safetensors(weights).items()})
    return net


def to_tensor(pictures, device="cpu"):
    """(N,H,W,3) uint8 as (N,3,H,W) in 0..1, channels last."""
    x = torch.from_numpy(np.array(pictures, order="C")).to(device).permute(0, 3, 1, 2)
    return x.float().div(255).contiguous(memory_format=torch.channels_last)


def to_pictures(x):
    """The reverse: clamped and rounded to 8 bits."""
    return (x.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def turned(r, *pictures):
    """All `pictures` under the same one of the eight turns and mirrorings of a square."""
    k, flip = int(r.integers(4)), bool(r.integers(2))
    return [np.rot90(p, k)[:, ::-1] if flip else np.rot90(p, k) for p in pictures]


def loss_of(out, want):
    """L1 of the pixels and, half as heavy, of their differences to the right and below."""
    d = (out - want.contiguous()).contiguous()
    return d.abs().mean() + 0.5 * ((d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean())


def psnr(p, q):
    return 10 * math.log10(1 / max(F.mse_loss(p, q).item(), 1e-12))


def train(cfg, a, batch, report, strength=1.0):
    """Train by --steps or --minutes and export. `batch()` gives lists of inputs and wanted outputs, (H,W,3) uint8 each;
    `report(net)` gives a line on what was exported, and is called at every save. What is exported makes `strength`
    times the change to its input that was learned."""
    net, averaged = start(cfg, a), M.SRVGGNetCompact(**cfg).to(a.device)
    opt = fastcpu.FlatAdamW(net.parameters(), lr=a.lr, weight_decay=0.0, ema=a.ema)

    def save():
        opt.load_ema_into(averaged.parameters())
        with torch.no_grad():
            for p in averaged.body[-1].parameters():   # the last convolution alone makes the change
                p *= strength
            export(averaged, cfg, a)
            return report(averaged)

    begin = saved = time.time()
    avg, step = None, 0
    while step < a.steps:
        done = max(step / a.steps, (time.time() - begin) / (60 * a.minutes))
        if done >= 1:
            break
        lr = a.lr * min(1, (step + 1) / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        x, y = (to_tensor(np.stack(p), a.device) for p in batch())
        loss = loss_of(net(x).float(), y)
        loss.backward()
        opt.step(lr)
        step += 1
        avg = loss.item() if avg is None else 0.98 * avg + 0.02 * loss.item()
        if step % 100 == 0:
            print(f"step {step} loss {avg:.4f} {time.time() - begin:.0f}s", flush=True)
        if time.time() - saved > 60 * a.save_minutes:
            print(f"saved at step {step}: {save()}", flush=True)
            saved = time.time()
    print(f"final steps {step} loss {avg or 0:.4f} {save()} wall {time.time() - begin:.0f}s", flush=True)


def export(net, cfg, a):
    """NAME.safetensors (fp16) and NAME.json in --out-dir."""
    path = os.path.join(a.out_dir, a.name)
    M.save_safetensors(path + ".safetensors.tmp", {k: t.half().contiguous() for k, t in net.state_dict().items()})
    os.replace(path + ".safetensors.tmp", path + ".safetensors")
    with open(path + ".json", "w") as f:
        json.dump(cfg, f, indent=2)


def sheet(rows, path):
    """A contact sheet of rows of pictures of equal size, (H,W,3) uint8 each."""
    Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in rows], 0)).save(path)
