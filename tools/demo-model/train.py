"""Trains the demo model.

usage: train.py ROWS OUT [--steps N] [--seconds S] [--batch N] [--lr X] [--tied] [--quantise-from F]
                              [--resume FOLDER] [--attention auto|flex|plain] [--device D] [--items N]
ROWS is a folder written by build.py. Writes OUT/checkpoint-K.safetensors, OUT/report.json and OUT/samples.txt.
Steps or seconds, whichever runs out first, end the cosine schedule; the last part trains under Q4_0 rounding.
"""
import argparse
import glob
import json
import math
import os
import time
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F

from build import HERE, pack
from corpus.stories import story_words
from corpus.tasks import Words, evaluation
from judge import samples, score
from model import DocumentMask, Llama, Shape, load, save
from quant import Swapped, q4_0
from spm import BOS, Spm


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("rows")
    p.add_argument("out")
    p.add_argument("--steps", type=int, default=9000)
    p.add_argument("--seconds", type=float, default=1e9)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--decay", type=float, default=0.1)
    p.add_argument("--tied", action="store_true")
    p.add_argument("--quantise-from", type=float, default=0.55)
    p.add_argument("--resume", help="a folder with a checkpoint to go on from")
    p.add_argument("--attention", choices=["auto", "flex", "plain"], default="auto")
    p.add_argument("--device", default="cuda")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--items", type=int, default=1000)
    return p.parse_args()


def data(folder, device):
    files = sorted(glob.glob(os.path.join(folder, "rows-*.npy")))
    tokens = torch.from_numpy(np.concatenate([np.load(f) for f in files]).astype(np.int16)).to(device)
    learn = torch.from_numpy(np.concatenate([np.load(f.replace("rows-", "learn-")) for f in files])).to(device)
    return tokens, learn


def batches(tokens, learn, size, seed):
    """Endless batches of rows in a new random order each epoch: (tokens, targets), -100 where nothing is learned."""
    noise = torch.Generator(device=tokens.device).manual_seed(seed)
    while True:
        order = torch.randperm(len(tokens), generator=noise, device=tokens.device)
        for i in range(0, len(order) - size + 1, size):
            t = tokens[order[i:i + size]].long()
            yield t, torch.where(learn[order[i:i + size]], t, -100)[:, 1:]


def choose_attention(device, batch):
    """Flex attention where it compiles, agrees with the plain kernel and is faster; the plain kernel elsewhere."""
    if device == "cpu":
        return False
    try:
        shape = Shape(layers=1)
        model = torch.compile(Llama(shape).to(device), dynamic=False)
        t = torch.randint(3, shape.vocab, (batch, shape.context), device=device)
        t[:, ::90] = BOS
        out, seconds = {}, {}
        for flex in (True, False):
            mask = DocumentMask(batch, shape.context, device, flex)
            for i in range(8):
                if i == 3:
                    torch.cuda.synchronize()
                    start = time.time()
                with torch.autocast(device, torch.bfloat16):
                    out[flex] = model(t, mask(t, BOS))
                out[flex].float().square().mean().backward()
            torch.cuda.synchronize()
            seconds[flex] = (time.time() - start) / 5
        error = ((out[True] - out[False]).float().norm() / out[False].float().norm()).item()
        print(f"flex attention: {error:.1e} off the plain kernel, {seconds[True] * 1e3:.1f} ms a layer against {seconds[False] * 1e3:.1f}", flush=True)
        return error < 2e-2 and seconds[True] < seconds[False]
    except Exception as e:  # any failure of the compiler: the plain kernel does the same work
        print(f"flex attention is not usable: {type(e).__name__}: {str(e)[:300]}", flush=True)
        return False


def main():
    a = arguments()
    torch.manual_seed(a.seed)
    torch.backends.cuda.matmul.allow_tf32 = False
    os.makedirs(a.out, exist_ok=True)
    tokens, learn = data(a.rows, a.device)
    flex = a.attention == "flex" or a.attention == "auto" and choose_attention(a.device, a.batch)
    shape = Shape(tied=a.tied)
    model = Llama(shape)
    if a.resume:
        load(model, a.resume, "checkpoint")
    model.to(a.device)
    mask = DocumentMask(max(a.batch, 16), shape.context, a.device, flex)
    run = model if a.device == "cpu" else torch.compile(model, dynamic=False)
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    optimiser = torch.optim.AdamW([{"params": matrices, "weight_decay": a.decay}, {"params": vectors, "weight_decay": 0.0}], lr=a.lr, betas=(0.9, 0.95), fused=a.device != "cpu")
    rounded, exact = Swapped(model, q4_0), Swapped(model, None)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters, {len(tokens)} rows, flex {flex}", flush=True)

    losses, start, tick, step = [], None, time.time(), 0
    for step, (t, target) in enumerate(batches(tokens, learn, a.batch, a.seed)):
        if step == 20:
            start = time.time()
        done = max(step / a.steps, (time.time() - start) / a.seconds if start else 0)
        if done >= 1:
            break
        lr = a.lr * min(1, (step + 1) / 300) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for g in optimiser.param_groups:
            g["lr"] = lr
        # one step in five stays exact, so that the F32 weights keep their own quality
        with rounded if done >= a.quantise_from and step % 5 else exact:
            with torch.autocast(a.device, torch.bfloat16):
                logits = run(t, mask(t, BOS))
            loss = F.cross_entropy(logits[:, :-1].float().flatten(0, 1), target.flatten(), ignore_index=-100)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if step % 100 == 0:
            losses.append((step, round(loss.item(), 4)))
            if step % 500 == 0:
                print(f"step {step} done {done:.2f} loss {loss.item():.4f} lr {lr:.2e} {time.time() - tick:.0f} s", flush=True)
    seconds = time.time() - (start or tick)
    print(f"{step} steps, {step * a.batch * shape.context / 1e6:.0f} M tokens, {seconds:.0f} s", flush=True)

    save(model, a.out, "checkpoint")
    model.eval()
    spm = Spm.load(os.path.join(HERE, "tokenizer.json"))
    rows = evaluation(Words(story_words(), spm.pieces()), a.items, "wide")
    unseen = [torch.from_numpy(x.astype(kind)).to(a.device) for x, kind in zip(pack(64, "unseen"), (np.int64, bool))]
    plain = DocumentMask(16, shape.context, a.device, False)
    report = {"shape": asdict(shape), "arguments": {k: v for k, v in vars(a).items() if k not in ("rows", "out", "resume")}, "steps": step, "tokens": step * a.batch * shape.context, "seconds": round(seconds, 1),
              "device": torch.cuda.get_device_name() if a.device != "cpu" else "cpu", "torch": torch.__version__,
              "formats": score(model, spm, rows, unseen, plain), "losses": losses}
    with open(os.path.join(a.out, "report.json"), "w") as f:
        json.dump(report, f, indent=1)
    for name, r in report["formats"].items():
        print(name, r["accuracy"], "loss", r["loss"], flush=True)
        print("  wrong:", r["wrong"][:12], flush=True)
    with open(os.path.join(a.out, "samples.txt"), "w") as f:
        f.write(samples(model, spm))


if __name__ == "__main__":
    main()
