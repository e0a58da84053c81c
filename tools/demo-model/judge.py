"""Scores a model: exact answers on held-out items by greedy decoding, loss on unseen stories, and sample text."""
import torch
import torch.nn.functional as F

from corpus.tasks import TASKS
from quant import FORMATS, Swapped
from spm import BOS, EOS

PROMPTS = ["Once upon a time", "One sunny morning, a little mouse", "In a small village by the sea"]
REQUESTS = ["Tell me a story about a fox called Moss.", "Write a short story about honesty.", "Tell me a story about a small otter who could not sleep.", "What is 47 + 38?", "Sort the letters of planet.", "Reverse the word: planet", "How many times does the letter e appear in elephant?",
            "Pick the color out of this sentence as JSON: Mia bought a red kite in Oslo for 12 coins.", "Who are you?"]


@torch.no_grad()
def decode(model, prompts, limit, stops, temperature=0.0, seed=1):
    """Continues every prompt (a list of ids) until a stop or `limit` more tokens, all prompts at once; returns lists of new ids."""
    device = next(model.parameters()).device
    lengths = torch.tensor([len(p) for p in prompts], device=device)
    limit = min(limit, model.s.context - int(lengths.max()))
    rows = torch.zeros(len(prompts), int(lengths.max()) + limit, dtype=torch.long, device=device)
    for i, p in enumerate(prompts):
        rows[i, :len(p)] = torch.tensor(p, device=device)
    start, alive = lengths.clone(), torch.ones(len(prompts), dtype=torch.bool, device=device)
    every = torch.arange(len(prompts), device=device)
    noise = torch.Generator(device=device).manual_seed(seed)
    for _ in range(limit):
        logits = model(rows[:, :int(lengths.max())])[every, lengths - 1]
        if temperature:
            new = torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=noise)[:, 0]
        else:
            new = logits.argmax(-1)
        for s in stops:
            alive &= new != s
        if not alive.any():
            break
        rows[every[alive], lengths[alive]] = new[alive]
        lengths[alive] += 1
    return [rows[i, start[i]:lengths[i]].tolist() for i in range(len(prompts))]


def answers(model, spm, rows):
    """The model's answer to each evaluation row, as text."""
    return [spm.decode(ids) for ids in decode(model, [spm.prompt(r["messages"]) for r in rows], 40, [spm.end, EOS])]


@torch.no_grad()
def story_loss(model, tokens, learn, mask):
    """Mean loss in nats on learned tokens of packed rows."""
    total, count = 0.0, 0
    for t, l in zip(tokens.split(16), learn.split(16)):
        logits = model(t, mask(t, BOS))[:, :-1]
        target = torch.where(l[:, 1:], t[:, 1:], -100)
        total += F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100, reduction="sum").item()
        count += int((target >= 0).sum())
    return total / count


def score(model, spm, rows, stories, mask):
    """Per stored format: exact-answer accuracy per task, loss on unseen rows, and some wrong answers to look at."""
    report = {}
    for name, fmt in FORMATS.items():
        with Swapped(model, fmt):
            got = answers(model, spm, rows)
            right = [a == r["answer"] for a, r in zip(got, rows)]
            per_task = {t: [ok for ok, r in zip(right, rows) if r["task"] == t] for t in TASKS}
            wrong = [(r["messages"][0]["content"], r["answer"], a) for a, r, ok in zip(got, rows, right) if not ok]
            report[name] = {"accuracy": {t: round(sum(v) / len(v), 4) for t, v in per_task.items()}, "items": {t: len(v) for t, v in per_task.items()},
                            "loss": round(story_loss(model, *stories, mask), 4), "wrong": wrong[:60]}
    return report


def samples(model, spm):
    """Text in Q4_0: stories from plain beginnings, and answers to requests, greedy and at temperature 0.8."""
    parts = []
    with Swapped(model, FORMATS["Q4_0"]):
        prompts = [[BOS, *spm.encode(p)] for p in PROMPTS] + [spm.prompt([{"role": "user", "content": r}]) for r in REQUESTS]
        names = PROMPTS + REQUESTS
        for temperature in (0.0, 0.8):
            for name, ids in zip(names, decode(model, prompts, 600, [spm.end, EOS], temperature)):
                parts.append(f"=== {name}   (temperature {temperature})\n{spm.decode(ids)}\n")
    return "\n".join(parts)
