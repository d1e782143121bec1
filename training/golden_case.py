#!/usr/bin/env python3
"""Describe a golden.safetensors (written by export.py) tensor by tensor in a case.json.

    python3 golden_case.py --golden golden.safetensors --base-model ../../../weights/tessera-tiny --out case.json
"""
import argparse
import json
import math
import re

import modules as M

WORDS = [
    (r"uncond\.ids", "token ids of the empty prompt"),
    (r"uncond\.text", "text encoder output (last hidden state) for uncond.ids"),
    (r"ids", "token ids of the prompt"),
    (r"text", "text encoder output (last hidden state) for the ids"),
    (r"noise", "initial latent, drawn with PyTorch's CPU generator from the prompt's seed"),
    (r"unet_cond_t(\d+)", "one UNet call on the initial noise at timestep {0} with the prompt's text"),
    (r"unet_uncond_t(\d+)", "one UNet call on the initial noise at timestep {0} with the empty prompt's text"),
    (r"ddim_x_(\d+)", "latent before DDIM step {0} (counted from 0)"),
    (r"ddim_eps_(\d+)", "guided noise prediction at DDIM step {0}, for ddim_x_{0}"),
    (r"latent", "final latent (scaled), after the last DDIM step"),
    (r"image", "decode(latent / scaling_factor), RGB, -1..1 before clamping"),
    (r"reencoded_mean", "VAE posterior mean of image clamped to -1..1 (unscaled)"),
    (r"reencoded_logvar", "VAE posterior log variance of image clamped to -1..1 (a constant per channel)"),
]
SINGLE, LATENT, IMAGE, EXACT = "single_network", "end_to_end_latent", "end_to_end_image", "exact"


def describe(name):
    """(words, kind of tolerance) for the tensor `name`."""
    short = re.sub(r"^prompt\d+\.", "", name)
    for pattern, text in WORDS:
        m = re.fullmatch(pattern, short)
        if m:
            kind = EXACT if short.endswith("ids") or short == "noise" else LATENT if short.startswith("ddim_") or short == "latent" \
                else IMAGE if short == "image" else SINGLE
            return text.format(*m.groups()), kind
    raise ValueError(name)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--golden", required=True)
    ap.add_argument("--base-model", required=True, help="the model folder, relative to the folder of --out")
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    with open(a.golden, "rb") as f:
        meta = json.loads(f.read(int.from_bytes(f.read(8), "little")))["__metadata__"]
    tensors = {}
    for name, t in M.load_safetensors(a.golden).items():
        what, kind = describe(name)
        e = {"shape": list(t.shape), "dtype": str(t.dtype).replace("torch.", ""), "what": what, "tolerance": kind}
        if t.is_floating_point():
            e["max_abs"] = float("%.6g" % t.abs().max().item())
            e["rms"] = float("%.6g" % math.sqrt(t.double().square().mean().item()))
        tensors[name] = e
    prompts = {k.split(".")[0]: {"prompt": meta[k], "seed": int(meta[k.replace(".prompt", ".seed")])}
               for k in sorted(meta) if k.endswith(".prompt")}
    case = {
        "case": "tessera-tiny", "title": "The demo model end to end: txt2img, DDIM 20 steps, guidance 5", "base_model": a.base_model,
        "file": "golden.safetensors", "prompts": prompts, "negative_prompt": "", "steps": 20, "cfg": float(meta["guidance_scale"]),
        "timesteps": [int(t) for t in meta["timesteps"].split(",")],
        "scheduler": "DDIM, eta 0, scaled_linear betas, clip_sample false, set_alpha_to_one false, steps_offset 1, timestep_spacing leading",
        "notes": ["fp32 arithmetic on the exported fp16 weights, plain PyTorch operators",
                  "guided = uncond + 5 * (cond - uncond)",
                  "to test the networks alone, feed ddim_x_NN and compare guided predictions with ddim_eps_NN",
                  "the VAE has norm_num_groups 4 and the UNet attention_head_dim 8 is the number of heads"],
        "tolerance": {"rule": "max|got-want| <= 1e-4 * max|want| + 1e-6", SINGLE: {"of_max": 1e-4, "abs": 1e-6},
                      LATENT: {"of_max": 1e-3, "abs": 1e-6}, IMAGE: {"abs": 2e-3}, EXACT: "equal"},
        "tensors": tensors}
    with open(a.out, "w") as f:
        json.dump(case, f, indent=1)
        f.write("\n")
    print(len(tensors), "tensors described")


if __name__ == "__main__":
    main()
