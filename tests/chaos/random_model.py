"""Makes a tiny model of random numbers: the demo model's layout, every width an eighth of its own.

Its pictures are noise, but a step takes milliseconds, and all code that renders runs.
"""
import json
import math
import random
import shutil
import struct
from pathlib import Path

NARROWING = 8
SIDE = 64  # pixels of its native size
NETWORKS = {
    "text_encoder": "model.safetensors",
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
}
WIDTHS = ("hidden_size", "intermediate_size", "projection_dim", "block_out_channels",
          "cross_attention_dim")


def make_random_model(pattern: Path, folder: Path) -> None:
    """`pattern` is the demo model's folder; `folder` must not be there yet."""
    chance = random.Random(1)
    networks = shutil.ignore_patterns("samples", "README.md", *NETWORKS)
    shutil.copytree(pattern, folder, ignore=networks)
    for network, weights in NETWORKS.items():
        (folder / network).mkdir()
        write_json(folder / network / "config.json",
                   narrow_config(read_json(pattern / network / "config.json")))
        write_tensors(folder / network / weights, read_shapes(pattern / network / weights), chance)
    write_json(folder / "tessera.json", {
        "name": folder.name, "title": "Random numbers", "native_width": SIDE, "native_height": SIDE,
    })


def narrow(width: int) -> int:
    """Channels become fewer; kernels, colours, tokens and positions stay as they are."""
    return width // NARROWING if width % 32 == 0 else width


def narrow_config(config: dict) -> dict:
    config = dict(config)
    for key in WIDTHS:
        if key in config:
            value = config[key]
            config[key] = [narrow(one) for one in value] if isinstance(value, list) else narrow(value)
    if "norm_num_groups" in config:
        config["norm_num_groups"] = 4
    if "sample_size" in config:
        config["sample_size"] = SIDE if "latent_channels" in config else SIDE // 8
    return config


def read_shapes(weights: Path) -> dict[str, list[int]]:
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return {name: [narrow(width) for width in tensor["shape"]]
            for name, tensor in header.items() if name != "__metadata__"}


def write_tensors(path: Path, shapes: dict[str, list[int]], chance: random.Random) -> None:
    header, data = {}, bytearray()
    for name, shape in shapes.items():
        begin = len(data)
        data += numbers(name, shape, chance)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def numbers(name: str, shape: list[int], chance: random.Random) -> bytes:
    """Weights of variance 1 / inputs keep what flows through them near 1, so nothing overflows."""
    count = math.prod(shape)
    if len(shape) == 1:
        values = [1.0 if name.endswith("weight") else 0.0] * count
    else:
        spread = 1 / math.sqrt(math.prod(shape[1:]))
        values = [chance.gauss(0, spread) for _ in range(count)]
    return struct.pack(f"<{count}e", *values)


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())


def write_json(path: Path, value: dict) -> None:
    path.write_text(json.dumps(value, indent=2))
