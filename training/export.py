#!/usr/bin/env python3
"""Write the diffusers folder (fp16 safetensors) from the two checkpoints, and golden.safetensors.

    python3 export.py --vae vae.pt --diffusion diffusion.pt --tokenizer tessera-tiny/tokenizer --out tessera-tiny
    python3 export.py --vae old-model --diffusion diffusion.pt --tokenizer old-model/tokenizer --out new-model
    python3 export.py --golden golden.safetensors --out tessera-tiny
"""
import argparse
import json
import os
import shutil

import torch

import modules as M
import sample as S

GOLDEN = [("a beautiful landscape, snowy mountains under a purple sunset sky, a lake in the foreground", 42),
          ("a lighthouse by the sea at dawn", 7)]


def dump(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        json.dump(obj, f, indent=2)
        f.write("\n")


def export(a):
    d = torch.load(a.diffusion, map_location="cpu")
    if os.path.isdir(a.vae):                      # an exported folder: its autoencoder is kept as it is
        net, cfg = M.load_model(M.AutoencoderKL, f"{a.vae}/vae", "diffusion_pytorch_model.safetensors")
        v = {"config": cfg, "model": net.state_dict()}
    else:
        v = torch.load(a.vae, map_location="cpu")
    half = lambda sd: {k: t.half() for k, t in sd.items()}
    dump(f"{a.out}/model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0", "feature_extractor": [None, None],
        "requires_safety_checker": False, "safety_checker": [None, None], "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]})
    dump(f"{a.out}/scheduler/scheduler_config.json", {
        "_class_name": "DDIMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "epsilon",
        "set_alpha_to_one": False, "steps_offset": 1, "timestep_spacing": "leading", "trained_betas": None})
    if os.path.abspath(a.tokenizer) != os.path.abspath(f"{a.out}/tokenizer"):
        shutil.copytree(a.tokenizer, f"{a.out}/tokenizer", dirs_exist_ok=True)
    dump(f"{a.out}/text_encoder/config.json", d["text_config"])
    dump(f"{a.out}/unet/config.json", d["unet_config"])
    dump(f"{a.out}/vae/config.json", dict(v["config"], scaling_factor=round(d["scaling_factor"], 6)))
    meta = {"format": "pt"}
    M.save_safetensors(f"{a.out}/text_encoder/model.safetensors", half(d["text"]), meta)
    M.save_safetensors(f"{a.out}/unet/diffusion_pytorch_model.safetensors", half(d["unet"]), meta)
    M.save_safetensors(f"{a.out}/vae/diffusion_pytorch_model.safetensors", half(v["model"]), meta)
    if "psnr" in v:
        print("vae steps %s psnr %.2f latent std %.4f" % (v["steps"], v["psnr"], v["latent_std"]))
    print("diffusion steps %s; scaling factor %.6f" % (d["steps"], d["scaling_factor"]))


@torch.no_grad()
def golden(a):
    """Reference tensors, fp32 arithmetic on the exported fp16 weights, plain PyTorch operators."""
    M.ops.LIB = None
    p, out, meta = S.Pipeline(a.out), {}, {}
    uncond = p.encode([""])
    out["uncond.ids"], out["uncond.text"] = torch.tensor([p.tok("")]), uncond
    for i, (prompt, seed) in enumerate(GOLDEN):
        n = p.ucfg["sample_size"]
        x = torch.randn(1, 4, n, n, generator=torch.Generator().manual_seed(seed))
        cond, trace, k = p.encode([prompt]), [], f"prompt{i}."
        out[k + "ids"], out[k + "text"], out[k + "noise"] = torch.tensor([p.tok(prompt)]), cond, x
        for t in (981, 501, 21):
            tt = torch.tensor([float(t)])
            out[k + f"unet_cond_t{t}"], out[k + f"unet_uncond_t{t}"] = p.unet(x, tt, cond), p.unet(x, tt, uncond)
        z = S.ddim(p.unet, x, cond, uncond, 20, 5.0, trace)
        for j, (t, xi, e) in enumerate(trace):
            out[k + f"ddim_x_{j:02d}"], out[k + f"ddim_eps_{j:02d}"] = xi, e
        out[k + "latent"] = z
        out[k + "image"] = p.decode(z)
        mean, logvar = p.vae.encode(out[k + "image"].clamp(-1, 1))
        out[k + "reencoded_mean"], out[k + "reencoded_logvar"] = mean, logvar
        meta[k + "prompt"], meta[k + "seed"] = prompt, str(seed)
        S.to_images(out[k + "image"])[0].save(os.path.splitext(a.golden)[0] + f"-{i}.png")
    meta.update(timesteps=",".join(map(str, S.ddim_timesteps(20))), guidance_scale="5.0", eta="0", image_range="-1..1 before clamping, NCHW",
                note="unet_*_t are single UNet calls on the initial noise; ddim_x_NN and ddim_eps_NN are the latent before and the guided epsilon at step NN")
    M.save_safetensors(a.golden, out, meta)
    print("golden:", len(out), "tensors")


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--vae", help="checkpoint of train_vae.py, or an exported folder whose autoencoder is kept")
    ap.add_argument("--diffusion", help="checkpoint of train_diffusion.py")
    ap.add_argument("--tokenizer")
    ap.add_argument("--out", default="tessera-tiny")
    ap.add_argument("--golden", help="write reference tensors of the model in --out here, and their pictures beside it")
    a = ap.parse_args()
    torch.set_num_threads(2)
    if a.vae:
        export(a)
    if a.golden:
        golden(a)
