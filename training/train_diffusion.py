#!/usr/bin/env python3
"""Train the text encoder and the UNet jointly on latents of the trained autoencoder.

Epsilon prediction on the "scaled_linear" schedule, min-SNR-5 loss weights, 10 % empty captions, AdamW with an
exponential moving average (the weights that are kept). Latents and caption tokens are computed once and cached
beside the data.

`--blind` repairs a mismatch of the Stable Diffusion schedule: its noisiest training step still holds a little of
the picture, enough to read the mean colour from, but a sampler starts from noise alone, so an ordinary model takes
the seed's accidental mean for the picture's palette and guidance then exaggerates it. At noisy steps we therefore
show the network less of the picture than the schedule says (often nothing) and ask for the epsilon that leads to
the true picture all the same. The network learns to take the palette from the caption there. It remains an
ordinary epsilon model with an ordinary schedule.

`--workers N` runs N one-thread CPU processes on different batches; every few steps a worker averages its weights
with those the others have published since. No worker waits for another, so a busy machine costs little.

    python3 train_diffusion.py --data DIR --vae vae.pt --tokenizer tessera-tiny/tokenizer --minutes 40
    python3 train_diffusion.py --data DIR --vae tessera-tiny --init tessera-tiny ... --workers 2 --minutes 80 --blind 0.9
    python3 train_diffusion.py --data DIR256 ... --device cuda --batch 256 --steps 60000 --channels 128 256 512
"""
import argparse
import math
import os
import time

import numpy as np
import torch

import data
import fastcpu
import modules as M
import sample as S
from tokenizer import Tokenizer

PREVIEW = ["a beautiful landscape, snowy mountains under a purple sunset sky, a lake in the foreground, the sun",
           "a futuristic city at night, neon blue lights, rain", "desert dunes at noon, two cacti",
           "a lighthouse by the sea at dawn", "an autumn forest at noon, a lake, clouds", "a meadow at sunset, red flowers, a tree",
           "the sea at night, a full moon, stars, a boat", "a red house in front of snowy mountains at noon"]
KEEP = (0.7, 0.82, 0.92, 1.0)                     # chance to mention an attribute, one wording each


def encode_all(vae, images, device, dtype, batch=64):
    """Posterior means of all pictures, unscaled."""
    out = []
    with torch.no_grad():
        for i in range(0, len(images), batch):
            x = torch.from_numpy(np.ascontiguousarray(images[i:i + batch])).to(device).permute(0, 3, 1, 2)
            x = (x.float() / 127.5 - 1).to(dtype).contiguous(memory_format=torch.channels_last)
            out.append(vae.encode(x)[0].float().cpu())
            if i // batch % 50 == 0:
                print(f"encode {i}/{len(images)}", flush=True)
    return torch.cat(out)


def picture_weights(params, mountains, city, sky, many):
    """How often each picture is drawn: the weak subjects more often."""
    return torch.tensor([{"mountains": mountains, "city": city}.get(p["scene"], 1.0) * (sky if p["sky"] else 1.0) *
                         (many if (p["count"] or 1) > 1 else 1.0) for p in params], dtype=torch.float64)


def train(a, rank, slots, stamps, lat, factor, ids, weights, tok, tcfg, ucfg):
    """One worker's loop; worker 0 also validates, previews and saves."""
    torch.set_num_threads(a.threads)
    torch.manual_seed(1 + rank + int(time.time()) % 100000)
    empty = torch.tensor(tok(""))
    n = lat.shape[0] - 512
    cumulative = weights[:n].cumsum(0)

    def make():
        net = torch.nn.Module()
        net.text, net.unet = M.CLIPTextModel(**tcfg), M.UNet2DConditionModel(**ucfg)
        return net.to(a.device)
    net = make()
    torch.nn.init.zeros_(net.unet.conv_out.weight)
    torch.nn.init.zeros_(net.unet.conv_out.bias)
    for m in net.modules():                       # residual branches start small
        if isinstance(m, M.ResnetBlock2D):
            torch.nn.init.zeros_(m.conv2.weight)
        if isinstance(m, M.Transformer2DModel):
            torch.nn.init.zeros_(m.proj_out.weight)
    if a.init and os.path.isdir(a.init):
        for m, file in ((net.text, "text_encoder/model.safetensors"), (net.unet, "unet/diffusion_pytorch_model.safetensors")):
            m.load_state_dict({k: t.float() for k, t in M.load_safetensors(os.path.join(a.init, file)).items()})
    elif a.init:
        c = torch.load(a.init, map_location="cpu")
        net.text.load_state_dict(c["text"])
        net.unet.load_state_dict(c["unet"])
    opt = fastcpu.FlatAdamW(net.parameters(), lr=a.lr, ema=a.ema)
    acp = M.alphas_cumprod().to(a.device)
    snr = acp / (1 - acp)
    weight = snr.clamp(max=5.0) / snr * (1 / snr).clamp(1, 100) ** a.low_snr_boost
    blindness = ((torch.arange(1000, device=a.device) - a.blind_from) / (950 - a.blind_from)).clamp(0, 1)

    def predict(model, x, t, text):
        x = x.bfloat16().contiguous(memory_format=torch.channels_last)
        return model.unet(x, t, model.text(text)).float()

    def share():
        """Average the weights with every worker that published since the last time."""
        mean, count = opt.w.clone(), 1
        for k in range(len(stamps)):
            if k != rank and stamps[k] > seen[k]:
                seen[k] = int(stamps[k])
                mean += slots[k]
                count += 1
        slots[rank].copy_(opt.w)
        stamps[rank] += 1
        if count > 1:
            opt.w.copy_(mean / count)
            opt.work.copy_(opt.w)
    seen = [0] * len(stamps)
    if rank == 0:
        print("parameters: text %d, unet %d" % tuple(sum(p.numel() for p in m.parameters()) for m in (net.text, net.unet)), flush=True)

    g = torch.Generator().manual_seed(5)
    vt, vn = torch.arange(256) * 1000 // 256, torch.randn(256, *lat.shape[1:], generator=g)
    emanet = make().to(torch.bfloat16).to(memory_format=torch.channels_last).eval() if rank == 0 else None
    vae = M.load_vae(a.vae, a.device) if rank == 0 else None

    @torch.no_grad()
    def validate():
        """Noise error on held-out pictures: (as the schedule says, from pure noise at t = 980 in picture units)."""
        opt.load_ema_into(emanet.parameters())
        tot = blind = 0.0
        for k in range(0, 256, 64):
            s = slice(k, k + 64)
            z, t, e = lat[n:n + 256][s].to(a.device), vt[s].to(a.device), vn[s].to(a.device)
            text = ids[n:n + 256][s, -1].to(a.device)
            ac = acp[t][:, None, None, None]
            tot += (predict(emanet, ac.sqrt() * z + (1 - ac).sqrt() * e, t, text) - e).square().mean().item() / 4
            t, ac = torch.full_like(t, 980), acp[980]
            z0 = (e - (1 - ac).sqrt() * predict(emanet, e, t, text)) / ac.sqrt()
            blind += (z0 - z).square().mean().item() / 4
        return "validation mse %.4f from noise %.4f" % (tot, blind)

    @torch.no_grad()
    def preview(step):
        z = torch.randn(len(PREVIEW) * 2, *lat.shape[1:], generator=torch.Generator().manual_seed(3)).to(a.device)
        c = emanet.text(torch.tensor([tok(p) for p in PREVIEW for _ in range(2)]).to(a.device))
        z = S.ddim(emanet.unet, z, c, emanet.text(empty[None].to(a.device)).expand_as(c), 20, 5.0)
        ims = S.to_images(vae.decode((z / factor).contiguous(memory_format=torch.channels_last)))
        S.contact_sheet([("step %d: " % step + " | ".join(p[:30] for p in PREVIEW[k:k + 4]), ims[2 * k:2 * k + 8]) for k in (0, 4)], a.preview)

    def save(step, extra):
        state = lambda m: {k: v.clone() for k, v in m.state_dict().items()}
        full = make()
        opt.load_ema_into(full.parameters())
        torch.save(dict(extra, text=state(full.text), unet=state(full.unet), text_config=tcfg, unet_config=ucfg,
                        scaling_factor=factor, steps=step), a.out + ".tmp")
        os.replace(a.out + ".tmp", a.out)

    start = last = mark = time.time()
    step, avg, raw = 0, None, None
    if rank == 0:
        print(validate(), flush=True)
    while step < a.steps:
        done = max(step / a.steps, (time.time() - a.start) / (60 * a.minutes))
        if done >= 1:
            break
        lr = a.lr * min(1, (step + 1) / a.warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        i = torch.searchsorted(cumulative, torch.rand(a.batch, dtype=torch.float64) * cumulative[-1]).clamp(max=n - 1)
        z = lat[i].to(a.device)
        text = ids[i, torch.randint(0, ids.shape[1], (a.batch,))]
        text[torch.rand(a.batch) < 0.1] = empty
        t = ((torch.rand(1) + torch.arange(a.batch) / a.batch) % 1 * 1000).long().to(a.device)   # stratified
        noise, ac = torch.randn_like(z), acp[t][:, None, None, None]
        shown = ac
        if a.blind:                               # the share of the picture shown, from all to nothing
            hide = blindness[t] * torch.rand(a.batch, device=a.device).sqrt() * (torch.rand(a.batch, device=a.device) < a.blind)
            shown = ac * (1 - hide[:, None, None, None]).square()
        x = shown.sqrt() * z + (1 - shown).sqrt() * noise
        target = (x - ac.sqrt() * z) / (1 - ac).sqrt()
        err = (predict(net, x, t, text.to(a.device)) - target).square().mean((1, 2, 3))
        loss = (err * weight[t]).mean()
        loss.backward()
        opt.step(lr)
        step += 1
        if len(stamps) > 1 and step % a.share_every == 0:
            share()
        v, r = loss.item(), err.mean().item()
        avg = v if avg is None else 0.99 * avg + 0.01 * v
        raw = r if raw is None else 0.99 * raw + 0.01 * r
        if step % 100 == 0:
            print(f"worker {rank} step {step} loss {avg:.4f} mse {raw:.4f} lr {lr:.2e} {100 / (time.time() - mark):.2f} it/s {time.time() - start:.0f}s", flush=True)
            mark = time.time()
        if rank == 0 and time.time() - last > 60 * a.preview_minutes:
            print(f"eval step {step} {validate()}", flush=True)
            preview(step)
            save(step, {"loss": avg})
            last = mark = time.time()
    print(f"worker {rank} final steps {step} batch {a.batch} loss {avg:.4f} mse {raw:.4f} wall {time.time() - start:.0f}s", flush=True)
    if rank == 0:
        v = validate()
        save(step, {"loss": avg, "validation": v})
        preview(step)
        print(f"final {v}", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--data", required=True)
    ap.add_argument("--vae", default="vae.pt", help="checkpoint of train_vae.py, or an exported diffusers folder")
    ap.add_argument("--tokenizer", required=True)
    ap.add_argument("--out", default="diffusion.pt")
    ap.add_argument("--preview", default="diffusion.png")
    ap.add_argument("--init", help="continue from the EMA weights of this checkpoint, or from an exported diffusers folder")
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--workers", type=int, default=1, help="CPU processes that average their weights")
    ap.add_argument("--threads", type=int, default=0, help="threads a worker (0: 1 with several workers, else 2)")
    ap.add_argument("--share-every", type=int, default=16, help="steps between averagings")
    ap.add_argument("--steps", type=int, default=1000000)
    ap.add_argument("--minutes", type=float, default=1e9, help="stop after this long; the learning rate decays to it")
    ap.add_argument("--preview-minutes", type=float, default=6)
    ap.add_argument("--batch", type=int, default=32, help="pictures a step and worker")
    ap.add_argument("--lr", type=float, default=5e-4)
    ap.add_argument("--warmup", type=int, default=150)
    ap.add_argument("--low-snr-boost", type=float, default=0.0, help="multiply the loss of very noisy steps by (1/SNR)^this, at most 100^this (0: off)")
    ap.add_argument("--blind", type=float, default=0.0, help="share of the noisy samples that show less of the picture than the schedule says (0: off)")
    ap.add_argument("--blind-from", type=int, default=700, help="timestep where that begins; full from 950 on")
    ap.add_argument("--emphasis", type=float, nargs=4, default=[1, 1, 1, 1], metavar="X",
                    help="how many times as often mountains, cities, named sky colours and counts of 2 or 3 are drawn")
    ap.add_argument("--ema", type=float, default=0.999)
    ap.add_argument("--channels", type=int, nargs="+", default=M.UNET_CONFIG["block_out_channels"])
    ap.add_argument("--layers", type=int, default=M.UNET_CONFIG["layers_per_block"])
    ap.add_argument("--resolution", type=int, default=0, help="resize the pictures to this (0: as they are)")
    ap.add_argument("--limit", type=int, default=0, help="use only the first so many pictures")
    a = ap.parse_args()
    a.start = time.time()
    a.threads = a.threads or (1 if a.workers > 1 else 2)
    torch.set_num_threads(a.threads)
    images, params = data.load(a.data, a.resolution)
    if a.limit:
        images, params = images[:a.limit], params[:a.limit]
    tok = Tokenizer(a.tokenizer)

    cache = os.path.join(a.data, "latents.pt")
    if os.path.exists(cache) and os.path.getmtime(cache) > os.path.getmtime(a.vae):
        lat = torch.load(cache)[:len(params)]
    else:
        vae = M.load_vae(a.vae, a.device).to(torch.bfloat16).to(memory_format=torch.channels_last)
        lat = encode_all(vae, images, a.device, torch.bfloat16)
        torch.save(lat, cache)
    factor = 0.18215 if abs(lat.std().item() * 0.18215 - 1) < 0.03 else 1.0 / lat.std().item()
    lat = (lat * factor).share_memory_()
    print("latents", tuple(lat.shape), "scaling_factor %.5f" % factor, "scaled channel mean", lat.mean((0, 2, 3)).tolist(), "std", lat.std((0, 2, 3)).tolist(), flush=True)
    cache = os.path.join(a.data, "tokens.npy")
    if not os.path.exists(cache):
        ids = np.zeros((len(params), len(KEEP), 77), np.int16)
        for i, p in enumerate(params):
            r = np.random.default_rng((11, i))
            for k, keep in enumerate(KEEP):
                ids[i, k] = tok(data.make_caption(p, r, keep))
        np.save(cache, ids)
    ids = torch.from_numpy(np.load(cache)[:len(params)].astype(np.int64))

    ucfg = dict(M.UNET_CONFIG, block_out_channels=list(a.channels), layers_per_block=a.layers, sample_size=lat.shape[-1])
    tcfg = dict(M.TEXT_CONFIG, vocab_size=len(tok.vocab), bos_token_id=tok.sot, eos_token_id=tok.eot, pad_token_id=tok.eot)
    weights = picture_weights(params, *a.emphasis)
    if a.workers == 1:
        train(a, 0, None, [0], lat, factor, ids, weights, tok, tcfg, ucfg)
        return
    net = torch.nn.Module()                       # only to learn the flat size
    net.text, net.unet = M.CLIPTextModel(**tcfg), M.UNet2DConditionModel(**ucfg)
    slots = torch.zeros(a.workers, fastcpu.FlatAdamW(net.parameters(), 0).n).share_memory_()
    stamps = torch.zeros(a.workers, dtype=torch.long).share_memory_()
    torch.multiprocessing.start_processes(_worker, (a, slots, stamps, lat, factor, ids.share_memory_(), weights, tok, tcfg, ucfg), nprocs=a.workers, start_method="fork")


def _worker(rank, *args):
    train(args[0], rank, *args[1:])


if __name__ == "__main__":
    main()
