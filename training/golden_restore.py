#!/usr/bin/env python3
"""Write the reference tensors of the restore network: one small input and its output.

    python3 golden_restore.py --weights ../weights/tessera-tiny-restore.safetensors --out ../tests/data/upscaler-restore
"""
import argparse
import json
import os

import numpy as np
import torch
from PIL import Image

os.environ["TINYMODEL_NO_FAST"] = "1"              # plain PyTorch operators

import compact
import damage
import data
import modules as M


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--weights", required=True, help=".safetensors with its .json beside it")
    ap.add_argument("--out", required=True, help="folder of the case")
    a = ap.parse_args()
    with open(os.path.splitext(a.weights)[0] + ".json") as f:
        cfg = json.load(f)
    name = os.path.splitext(os.path.basename(a.weights))[0]
    scene = Image.fromarray(data.render(data.make_params(0, seed=123))[60:84, 40:60])
    r = np.random.default_rng(0)
    x = compact.to_tensor(np.asarray(damage.jpeg(damage.gaussian_noise(scene, 12, r), 60))[None])
    net = compact.load(a.weights)
    with torch.no_grad():
        y, exact = net(x), net.double()(x.double())
    tensors = {f"{name}.input": x, f"{name}.output": y}
    words = {f"{name}.input": "RGB in [0,1], [1,3,h,w]: 8-bit values / 255 of a scene with noise and JPEG damage",
             f"{name}.output": "network output, not clamped"}
    described = {k: {"shape": list(t.shape), "dtype": "float32", "what": words[k],
                     "max_abs": float("%.6g" % t.abs().max().item()), "rms": float("%.6g" % t.double().square().mean().sqrt().item())}
                 for k, t in tensors.items()}
    described[f"{name}.output"]["fp32_vs_fp64_max_abs_diff"] = float("%.3g" % (y.double() - exact).abs().max().item())
    described[f"{name}.output"]["max_abs_change_of_input"] = float("%.6g" % (y - x).abs().max().item())
    keys = ("num_in_ch", "num_out_ch", "num_feat", "num_conv", "upscale", "act_type")
    case = {"case": "upscaler-restore", "title": "The restore network: SRVGGNetCompact at scale 1",
            "files": {os.path.relpath(a.weights, a.out): {"arch": cfg["architecture"], **{k: cfg[k] for k in keys}}},
            "notes": ["fp32 arithmetic on the exported fp16 weights, plain PyTorch operators",
                      "the file is relative to this folder; its tensors are named by its name without the ending",
                      "body.N conv/PReLU pairs plus the input; PixelShuffle and enlargement by 1 change nothing",
                      "written by training/golden_restore.py; a repeat needs the same weights"],
            "tolerance": {"rule": "max|got-want| <= 1e-4 * max|want|"}, "tensors": described}
    os.makedirs(a.out, exist_ok=True)
    M.save_safetensors(os.path.join(a.out, "expected.safetensors"), {k: t.contiguous() for k, t in tensors.items()})
    with open(os.path.join(a.out, "case.json"), "w") as f:
        json.dump(case, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main()
