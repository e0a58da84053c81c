"""The Llama-shaped network, with parameters named as GGUF names them, and its checkpoint files."""
import json
import os
import struct
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention


@dataclass
class Shape:
    vocab: int = 2048
    dim: int = 256
    layers: int = 6
    heads: int = 8
    kv_heads: int = 4
    ffn: int = 768
    context: int = 1024
    eps: float = 1e-5
    rope_base: float = 10000.0
    tied: bool = False

    @property
    def head_dim(self):
        return self.dim // self.heads


def rotate(x, cos, sin):
    """Rotary positions over neighbouring pairs (2i, 2i+1), as GGUF's llama architecture stores them."""
    a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2).to(x.dtype)


class Block(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.attn_norm, self.ffn_norm = nn.RMSNorm(s.dim, s.eps), nn.RMSNorm(s.dim, s.eps)
        self.attn_q, self.attn_output = linear(s.dim, s.dim), linear(s.dim, s.dim)
        self.attn_k, self.attn_v = linear(s.dim, s.kv_heads * s.head_dim), linear(s.dim, s.kv_heads * s.head_dim)
        self.ffn_gate, self.ffn_up, self.ffn_down = linear(s.dim, s.ffn), linear(s.dim, s.ffn), linear(s.ffn, s.dim)

    def forward(self, x, cos, sin, mask):
        s, (n, t, _) = self.s, x.shape
        h = self.attn_norm(x)
        q, k, v = (w(h).view(n, t, -1, s.head_dim).transpose(1, 2) for w in (self.attn_q, self.attn_k, self.attn_v))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        if isinstance(mask, BlockMask):
            a = flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
        else:
            k, v = (m.repeat_interleave(s.heads // s.kv_heads, 1) for m in (k, v))
            a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)
        x = x + self.attn_output(a.transpose(1, 2).reshape(n, t, -1))
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.token_embd = nn.Embedding(s.vocab, s.dim)
        self.blk = nn.ModuleList(Block(s) for _ in range(s.layers))
        self.output_norm = nn.RMSNorm(s.dim, s.eps)
        self.output = None if s.tied else nn.Linear(s.dim, s.vocab, bias=False)
        angles = torch.outer(torch.arange(s.context).double(), s.rope_base ** (-torch.arange(0, s.head_dim, 2).double() / s.head_dim))
        self.register_buffer("cos", angles.cos().float(), persistent=False)
        self.register_buffer("sin", angles.sin().float(), persistent=False)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                nn.init.normal_(p, std=0.02 / ((2 * s.layers) ** 0.5 if "attn_output" in name or "ffn_down" in name else 1))

    def forward(self, tokens, mask=None):
        """Logits (n, t, vocab) of tokens (n, t); without a mask each row is one causal document."""
        t = tokens.shape[1]
        x = self.token_embd(tokens)
        for b in self.blk:
            x = b(x, self.cos[:t], self.sin[:t], mask)
        x = self.output_norm(x)
        return F.linear(x, self.token_embd.weight if self.output is None else self.output.weight)


class DocumentMask:
    """Causal attention inside each packed document: a flex block mask on a GPU, a plain mask elsewhere."""

    def __init__(self, rows, context, device, flex):
        self.documents = torch.zeros(rows, context, dtype=torch.int32, device=device)
        self.causal = torch.ones(context, context, dtype=torch.bool, device=device).tril()
        self.flex, self.device = flex, device
        documents = self.documents

        def inside(b, h, q, k):
            return (q >= k) & (documents[b, q] == documents[b, k])

        self.inside = inside

    def __call__(self, tokens, bos):
        rows, t = tokens.shape
        self.documents[:rows, :t] = (tokens == bos).cumsum(1)
        if self.flex:
            return create_block_mask(self.inside, rows, None, t, t, device=self.device, _compile=True)
        d = self.documents[:rows, :t]
        return ((d[:, :, None] == d[:, None, :]) & self.causal[:t, :t])[:, None]


def save(model, folder, name, parts=2):
    """Writes F32 weights as safetensors, in `parts` files of about equal size: NAME-0.safetensors and so on."""
    state = [(k, v.detach().float().cpu().numpy()) for k, v in model.state_dict().items()]
    total, groups, filled = sum(v.nbytes for _, v in state), [[] for _ in range(parts)], 0
    for k, v in state:
        groups[min(parts - 1, filled * parts // total)].append((k, v))
        filled += v.nbytes
    for i, group in enumerate(groups):
        header, at = {}, 0
        for k, v in group:
            header[k] = {"dtype": "F32", "shape": list(v.shape), "data_offsets": [at, at + v.nbytes]}
            at += v.nbytes
        text = json.dumps(header).encode()
        with open(os.path.join(folder, f"{name}-{i}.safetensors"), "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text)
            for _, v in group:
                f.write(np.ascontiguousarray(v).tobytes())


def load(model, folder, name):
    """Fills a model from the files that `save` wrote."""
    state, i = {}, 0
    while os.path.exists(path := os.path.join(folder, f"{name}-{i}.safetensors")):
        raw = open(path, "rb").read()
        n, = struct.unpack_from("<Q", raw)
        for k, e in json.loads(raw[8:8 + n]).items():
            a, b = e["data_offsets"]
            state[k] = torch.from_numpy(np.frombuffer(raw, np.float32, (b - a) // 4, 8 + n + a).reshape(e["shape"]).copy())
        i += 1
    model.load_state_dict(state)
    return model
