"""Stable-Diffusion-1.x building blocks: CLIP text encoder, conditional UNet, KL autoencoder.

State-dict names, configuration keys and arithmetic are those of the Hugging Face classes
CLIPTextModel, UNet2DConditionModel and AutoencoderKL, so that a folder written by export.py
loads there and in any program that reads that layout. Only what SD 1.x uses is here.
"""
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import fastcpu as ops


# ---------------------------------------------------------------- safetensors
_ST = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.int32: "I32"}


def save_safetensors(path, tensors, metadata=None):
    head, at, blobs = {}, 0, []
    if metadata:
        head["__metadata__"] = metadata
    for name in sorted(tensors):
        t = tensors[name].detach().cpu().contiguous()
        raw = (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()
        head[name] = {"dtype": _ST[t.dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        blobs.append(raw)
    h = json.dumps(head, separators=(",", ":")).encode()
    h += b" " * (-len(h) % 8)
    with open(path, "wb") as f:
        f.write(len(h).to_bytes(8, "little") + h + b"".join(blobs))


def load_safetensors(path):
    with open(path, "rb") as f:
        n = int.from_bytes(f.read(8), "little")
        head, body = json.loads(f.read(n)), f.read()
    out = {}
    for name, e in head.items():
        if name != "__metadata__":
            a, b = e["data_offsets"]
            np_t = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}[e["dtype"]]
            out[name] = torch.from_numpy(np.frombuffer(body[a:b], np_t).reshape(e["shape"]).copy())
    return out


# ---------------------------------------------------------------- CLIP text encoder
class CLIPAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.k_proj, self.v_proj, self.q_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, x):
        return self.out_proj(ops.attention(self.q_proj(x), self.k_proj(x), self.v_proj(x), self.heads, causal=True))


class CLIPMLP(nn.Module):
    def __init__(self, dim, inner):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, inner), nn.Linear(inner, dim)

    def forward(self, x):
        return self.fc2(ops.quick_gelu(self.fc1(x)))


class CLIPLayer(nn.Module):
    def __init__(self, dim, heads, inner, eps):
        super().__init__()
        self.self_attn = CLIPAttention(dim, heads)
        self.layer_norm1 = nn.LayerNorm(dim, eps=eps)
        self.mlp = CLIPMLP(dim, inner)
        self.layer_norm2 = nn.LayerNorm(dim, eps=eps)

    def forward(self, x):
        x = x + self.self_attn(ops.layer_norm(x, self.layer_norm1))
        return x + self.mlp(ops.layer_norm(x, self.layer_norm2))


class CLIPTextModel(nn.Module):
    def __init__(self, vocab_size, hidden_size=128, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4,
                 max_position_embeddings=77, layer_norm_eps=1e-5, **_):
        super().__init__()
        m = self.text_model = nn.Module()
        m.embeddings = nn.Module()
        m.embeddings.token_embedding = nn.Embedding(vocab_size, hidden_size)
        m.embeddings.position_embedding = nn.Embedding(max_position_embeddings, hidden_size)
        nn.init.normal_(m.embeddings.token_embedding.weight, std=0.02)
        nn.init.normal_(m.embeddings.position_embedding.weight, std=0.01)
        m.encoder = nn.Module()
        m.encoder.layers = nn.ModuleList(CLIPLayer(hidden_size, num_attention_heads, intermediate_size, layer_norm_eps)
                                         for _ in range(num_hidden_layers))
        m.final_layer_norm = nn.LayerNorm(hidden_size, eps=layer_norm_eps)

    def forward(self, ids):
        m = self.text_model
        x = m.embeddings.token_embedding(ids) + m.embeddings.position_embedding.weight[: ids.shape[1]]
        for layer in m.encoder.layers:
            x = layer(x)
        return ops.layer_norm(x, m.final_layer_norm)


# ---------------------------------------------------------------- shared image blocks
def timestep_embedding(t, dim):
    """Sinusoidal embedding, cosine half first (flip_sin_to_cos), freq_shift 0."""
    half = dim // 2
    freq = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32, device=t.device) / half)
    a = t.float()[:, None] * freq[None]
    return torch.cat([a.cos(), a.sin()], -1)


class ResnetBlock2D(nn.Module):
    def __init__(self, cin, cout, groups, eps, temb=None):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, cin, eps=eps), nn.Conv2d(cin, cout, 3, padding=1)
        if temb:
            self.time_emb_proj = nn.Linear(temb, cout)
        self.norm2, self.conv2 = nn.GroupNorm(groups, cout, eps=eps), nn.Conv2d(cout, cout, 3, padding=1)
        if cin != cout:
            self.conv_shortcut = nn.Conv2d(cin, cout, 1)

    def forward(self, x, temb=None):
        h = self.conv1(ops.group_norm(x, self.norm1, True))
        if temb is not None:
            h = h + self.time_emb_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(ops.group_norm(h, self.norm2, True))
        return (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x) + h


class Downsample2D(nn.Module):
    def __init__(self, ch, padding):
        super().__init__()
        self.padding = padding
        self.conv = nn.Conv2d(ch, ch, 3, stride=2, padding=padding)

    def forward(self, x):
        return self.conv(x if self.padding else F.pad(x, (0, 1, 0, 1)))


def upsample_nearest(x):
    B, C, H, W = x.shape
    y = x.permute(0, 2, 3, 1)[:, :, None, :, None, :].expand(B, H, 2, W, 2, C)
    return y.reshape(B, 2 * H, 2 * W, C).permute(0, 3, 1, 2)


class Upsample2D(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.conv = nn.Conv2d(ch, ch, 3, padding=1)

    def forward(self, x):
        return self.conv(upsample_nearest(x))


# ---------------------------------------------------------------- UNet
class Attention(nn.Module):
    def __init__(self, dim, heads, context=None):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(dim, dim, bias=False)
        self.to_k = nn.Linear(context or dim, dim, bias=False)
        self.to_v = nn.Linear(context or dim, dim, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(dim, dim), nn.Dropout(0.0)])

    def forward(self, x, context=None):
        c = x if context is None else context
        return self.to_out[0](ops.attention(self.to_q(x), self.to_k(c), self.to_v(c), self.heads))


class GEGLU(nn.Module):
    def __init__(self, dim, inner):
        super().__init__()
        self.proj = nn.Linear(dim, 2 * inner)

    def forward(self, x):
        return ops.geglu(self.proj(x))


class FeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(dim, 4 * dim), nn.Dropout(0.0), nn.Linear(4 * dim, dim)])

    def forward(self, x):
        return self.net[2](self.net[0](x))


class BasicTransformerBlock(nn.Module):
    def __init__(self, dim, heads, context):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(dim), Attention(dim, heads)
        self.norm2, self.attn2 = nn.LayerNorm(dim), Attention(dim, heads, context)
        self.norm3, self.ff = nn.LayerNorm(dim), FeedForward(dim)

    def forward(self, x, context):
        x = x + self.attn1(ops.layer_norm(x, self.norm1))
        x = x + self.attn2(ops.layer_norm(x, self.norm2), context)
        return x + self.ff(ops.layer_norm(x, self.norm3))


class Transformer2DModel(nn.Module):
    def __init__(self, ch, heads, context, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, ch, eps=1e-6)
        self.proj_in = nn.Conv2d(ch, ch, 1)
        self.transformer_blocks = nn.ModuleList([BasicTransformerBlock(ch, heads, context)])
        self.proj_out = nn.Conv2d(ch, ch, 1)

    def forward(self, x, context):
        B, C, H, W = x.shape
        h = self.proj_in(ops.group_norm(x, self.norm, False))
        h = h.permute(0, 2, 3, 1).reshape(B, H * W, C)
        h = self.transformer_blocks[0](h, context)
        h = h.reshape(B, H, W, C).permute(0, 3, 1, 2)
        return x + self.proj_out(h)


class _Stage(nn.Module):
    """One UNet level: resnets, optionally one transformer after each, optionally a resampler."""

    def __init__(self, pairs, temb, groups, eps, heads=None, context=None, down=False, up=False):
        super().__init__()
        out = pairs[-1][1]
        if heads:
            self.attentions = nn.ModuleList(Transformer2DModel(b, heads, context, groups) for _, b in pairs)
        self.resnets = nn.ModuleList(ResnetBlock2D(a, b, groups, eps, temb) for a, b in pairs)
        if down:
            self.downsamplers = nn.ModuleList([Downsample2D(out, 1)])
        if up:
            self.upsamplers = nn.ModuleList([Upsample2D(out)])


class UNet2DConditionModel(nn.Module):
    def __init__(self, in_channels=4, out_channels=4, down_block_types=(), up_block_types=(), block_out_channels=(),
                 layers_per_block=1, attention_head_dim=8, cross_attention_dim=128, norm_num_groups=32, norm_eps=1e-5, **_):
        super().__init__()
        ch, L, heads, ctx, g = list(block_out_channels), layers_per_block, attention_head_dim, cross_attention_dim, norm_num_groups
        temb = 4 * ch[0]
        self.ch0 = ch[0]
        self.conv_in = nn.Conv2d(in_channels, ch[0], 3, padding=1)
        self.time_embedding = nn.Module()
        self.time_embedding.linear_1, self.time_embedding.linear_2 = nn.Linear(ch[0], temb), nn.Linear(temb, temb)
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        skips, c = [ch[0]], ch[0]
        for i, kind in enumerate(down_block_types):
            last = i == len(ch) - 1
            pairs = [(c if j == 0 else ch[i], ch[i]) for j in range(L)]
            self.down_blocks.append(_Stage(pairs, temb, g, norm_eps, heads if kind.startswith("CrossAttn") else None, ctx, down=not last))
            c = ch[i]
            skips += [c] * (L + (not last))
        self.mid_block = _Stage([(c, c), (c, c)], temb, g, norm_eps)
        self.mid_block.attentions = nn.ModuleList([Transformer2DModel(c, heads, ctx, g)])
        for i, kind in enumerate(up_block_types):
            out, pairs = ch[-1 - i], []
            for _ in range(L + 1):
                pairs.append((c + skips.pop(), out))
                c = out
            self.up_blocks.append(_Stage(pairs, temb, g, norm_eps, heads if kind.startswith("CrossAttn") else None, ctx, up=i < len(ch) - 1))
        self.conv_norm_out = nn.GroupNorm(g, ch[0], eps=norm_eps)
        self.conv_out = nn.Conv2d(ch[0], out_channels, 3, padding=1)

    def forward(self, x, t, context):
        te = self.time_embedding
        temb = te.linear_2(F.silu(te.linear_1(timestep_embedding(t, self.ch0).to(x.dtype))))
        x = self.conv_in(x)
        skips = [x]
        for b in self.down_blocks:
            for j, r in enumerate(b.resnets):
                x = r(x, temb)
                if hasattr(b, "attentions"):
                    x = b.attentions[j](x, context)
                skips.append(x)
            if hasattr(b, "downsamplers"):
                x = b.downsamplers[0](x)
                skips.append(x)
        m = self.mid_block
        x = m.resnets[1](m.attentions[0](m.resnets[0](x, temb), context), temb)
        for b in self.up_blocks:
            for j, r in enumerate(b.resnets):
                x = r(torch.cat([x, skips.pop()], 1), temb)
                if hasattr(b, "attentions"):
                    x = b.attentions[j](x, context)
            if hasattr(b, "upsamplers"):
                x = b.upsamplers[0](x)
        return self.conv_out(ops.group_norm(x, self.conv_norm_out, True))


# ---------------------------------------------------------------- KL autoencoder
class VAEAttention(nn.Module):
    def __init__(self, ch, groups):
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, ch, eps=1e-6)
        self.to_q, self.to_k, self.to_v = nn.Linear(ch, ch), nn.Linear(ch, ch), nn.Linear(ch, ch)
        self.to_out = nn.ModuleList([nn.Linear(ch, ch), nn.Dropout(0.0)])

    def forward(self, x):
        B, C, H, W = x.shape
        h = ops.group_norm(x, self.group_norm, False).permute(0, 2, 3, 1).reshape(B, H * W, C)
        h = self.to_out[0](ops.attention(self.to_q(h), self.to_k(h), self.to_v(h), 1))
        return x + h.reshape(B, H, W, C).permute(0, 3, 1, 2)


def _vae_mid(ch, groups):
    m = nn.Module()
    m.attentions = nn.ModuleList([VAEAttention(ch, groups)])
    m.resnets = nn.ModuleList([ResnetBlock2D(ch, ch, groups, 1e-6) for _ in range(2)])
    return m


def _run_mid(m, x):
    return m.resnets[1](m.attentions[0](m.resnets[0](x)))


class Encoder(nn.Module):
    def __init__(self, cin, latent, ch, L, g):
        super().__init__()
        self.conv_in = nn.Conv2d(cin, ch[0], 3, padding=1)
        self.down_blocks = nn.ModuleList()
        c = ch[0]
        for i, out in enumerate(ch):
            b = nn.Module()
            b.resnets = nn.ModuleList(ResnetBlock2D(c if j == 0 else out, out, g, 1e-6) for j in range(L))
            if i < len(ch) - 1:
                b.downsamplers = nn.ModuleList([Downsample2D(out, 0)])
            self.down_blocks.append(b)
            c = out
        self.mid_block = _vae_mid(c, g)
        self.conv_norm_out, self.conv_out = nn.GroupNorm(g, c, eps=1e-6), nn.Conv2d(c, 2 * latent, 3, padding=1)

    def forward(self, x):
        x = self.conv_in(x)
        for b in self.down_blocks:
            for r in b.resnets:
                x = r(x)
            if hasattr(b, "downsamplers"):
                x = b.downsamplers[0](x)
        return self.conv_out(ops.group_norm(_run_mid(self.mid_block, x), self.conv_norm_out, True))


class Decoder(nn.Module):
    def __init__(self, latent, cout, ch, L, g):
        super().__init__()
        c = ch[-1]
        self.conv_in = nn.Conv2d(latent, c, 3, padding=1)
        self.mid_block = _vae_mid(c, g)
        self.up_blocks = nn.ModuleList()
        for i, out in enumerate(reversed(ch)):
            b = nn.Module()
            b.resnets = nn.ModuleList(ResnetBlock2D(c if j == 0 else out, out, g, 1e-6) for j in range(L + 1))
            if i < len(ch) - 1:
                b.upsamplers = nn.ModuleList([Upsample2D(out)])
            self.up_blocks.append(b)
            c = out
        self.conv_norm_out, self.conv_out = nn.GroupNorm(g, c, eps=1e-6), nn.Conv2d(c, cout, 3, padding=1)

    def forward(self, z):
        x = _run_mid(self.mid_block, self.conv_in(z))
        for b in self.up_blocks:
            for r in b.resnets:
                x = r(x)
            if hasattr(b, "upsamplers"):
                x = b.upsamplers[0](x)
        return self.conv_out(ops.group_norm(x, self.conv_norm_out, True))


class AutoencoderKL(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(), layers_per_block=1, norm_num_groups=32, **_):
        super().__init__()
        ch = list(block_out_channels)
        self.encoder = Encoder(in_channels, latent_channels, ch, layers_per_block, norm_num_groups)
        self.decoder = Decoder(latent_channels, out_channels, ch, layers_per_block, norm_num_groups)
        self.quant_conv = nn.Conv2d(2 * latent_channels, 2 * latent_channels, 1)
        self.post_quant_conv = nn.Conv2d(latent_channels, latent_channels, 1)

    def encode(self, x):
        """Mean and (clamped) log-variance of the latent Gaussian."""
        mean, logvar = self.quant_conv(self.encoder(x)).chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        return self.decoder(self.post_quant_conv(z))


# ---------------------------------------------------------------- Real-ESRGAN "compact" upscaler
class SRVGGNetCompact(nn.Module):
    def __init__(self, num_in_ch=3, num_out_ch=3, num_feat=32, num_conv=8, upscale=2, **_):
        super().__init__()
        self.upscale = upscale
        self.body = nn.ModuleList([nn.Conv2d(num_in_ch, num_feat, 3, 1, 1), nn.PReLU(num_feat)])
        for _ in range(num_conv):
            self.body += [nn.Conv2d(num_feat, num_feat, 3, 1, 1), nn.PReLU(num_feat)]
        self.body.append(nn.Conv2d(num_feat, num_out_ch * upscale * upscale, 3, 1, 1))

    def forward(self, x):
        h = x.to(self.body[0].weight.dtype)
        for m in self.body:
            h = ops.prelu(h, m.weight) if isinstance(m, nn.PReLU) else m(h)
        return F.pixel_shuffle(h.to(x.dtype).contiguous(), self.upscale) + F.interpolate(x, scale_factor=self.upscale, mode="nearest")


# ---------------------------------------------------------------- configurations
UNET_CONFIG = {
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [64, 128, 192], "center_input_sample": False, "cross_attention_dim": 128,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1,
    "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 1, "mid_block_scale_factor": 1,
    "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 16,
    "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}
VAE_CONFIG = {
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.6.0", "act_fn": "silu", "block_out_channels": [32, 32, 64, 128],
    "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3, "latent_channels": 4, "layers_per_block": 1,
    "norm_num_groups": 4, "out_channels": 3, "sample_size": 128, "up_block_types": ["UpDecoderBlock2D"] * 4,
    "scaling_factor": 0.18215}
TEXT_CONFIG = {
    "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 1,
    "hidden_act": "quick_gelu", "hidden_size": 128, "initializer_factor": 1.0, "initializer_range": 0.02,
    "intermediate_size": 512, "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "model_type": "clip_text_model",
    "num_attention_heads": 4, "num_hidden_layers": 4, "pad_token_id": 1, "projection_dim": 128, "torch_dtype": "float16", "vocab_size": 0}


def alphas_cumprod(n=1000, start=0.00085, end=0.012):
    """The "scaled_linear" noise schedule of Stable Diffusion."""
    betas = torch.linspace(start ** 0.5, end ** 0.5, n, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def load_model(cls, folder, file):
    with open(os.path.join(folder, "config.json")) as f:
        cfg = json.load(f)
    m = cls(**cfg)
    m.load_state_dict({k: v.float() for k, v in load_safetensors(os.path.join(folder, file)).items()})
    return m.eval(), cfg


def load_vae(path, device="cpu"):
    """The autoencoder of a train_vae.py checkpoint or of an exported diffusers folder, frozen."""
    if os.path.isdir(path):
        vae, _ = load_model(AutoencoderKL, os.path.join(path, "vae"), "diffusion_pytorch_model.safetensors")
    else:
        ck = torch.load(path, map_location="cpu")
        vae = AutoencoderKL(**ck["config"])
        vae.load_state_dict(ck["model"])
    return vae.eval().requires_grad_(False).to(device)
