"""Writes the training rows: documents packed whole into rows of CONTEXT tokens, with flags saying which tokens are learned.

usage: build.py OUT ROWS [PROCESSES] [SEED]   writes OUT/rows-K.npy (uint16) and OUT/learn-K.npy (bool), K one a process
"""
import multiprocessing
import os
import random
import sys
import time

import numpy as np

from corpus.chat import conversation, story_turn
from corpus.stories import story, story_words
from corpus.tasks import Words
from spm import BOS, EOS, Spm

HERE = os.path.dirname(os.path.abspath(__file__))
CONTEXT = 1024
PLAIN, STORY_CHAT = 0.09, 0.05  # shares of documents; the rest are conversations, which are shorter


def turns_to_ids(spm, turns):
    """Ids and flags of a conversation; only what the assistant says, and that it ends, is learned."""
    ids, learn = [BOS], [False]
    for role, text, by_letter in turns:
        said = [spm.ids[c] for c in text] if by_letter else spm.encode(text)
        ids += [spm.ids[f"<|{role}|>"], *said, spm.end]
        learn += [False] + [role == "assistant"] * (len(said) + 1)
    return ids + [EOS], learn + [True]


def document(rng, spm, words):
    r = rng.random()
    if r < PLAIN:
        text = story(rng)[0]
        ids = [BOS, *spm.encode(text), EOS]
        return ids, [False] + [True] * (len(ids) - 1)
    if r < PLAIN + STORY_CHAT:
        prompt, text, _ = story_turn(rng)
        return turns_to_ids(spm, [("user", prompt, False), ("assistant", text, False)])
    return turns_to_ids(spm, conversation(rng, words))


def pack(rows, seed):
    """Fills `rows` rows; a document goes into the first of a few open rows that has room, so next to nothing is padding."""
    rng = random.Random(f"rows:{seed}")
    spm = Spm.load(os.path.join(HERE, "tokenizer.json"))
    words = Words(story_words(), spm.pieces())
    tokens, learn = np.zeros((rows, CONTEXT), np.uint16), np.zeros((rows, CONTEXT), bool)
    open_rows, done = [], 0
    while done < rows:
        ids, flags = document(rng, spm, words)
        n = len(ids)
        if n > CONTEXT:
            continue
        slot = next((o for o in open_rows if o[1] + n <= CONTEXT), None)
        if slot is None:
            if len(open_rows) == 12:
                fullest = max(open_rows, key=lambda o: o[1])
                open_rows.remove(fullest)
            slot = [done, 0]
            done += 1
            open_rows.append(slot)
        row, at = slot
        tokens[row, at:at + n] = ids
        learn[row, at:at + n] = flags
        slot[1] = at + n
    return tokens, learn


def work(args):
    out, rows, seed, k = args
    tokens, learn = pack(rows, f"{seed}:{k}")
    np.save(os.path.join(out, f"rows-{k}.npy"), tokens)
    np.save(os.path.join(out, f"learn-{k}.npy"), learn)
    return int((tokens > 0).sum()), int(learn.sum())


def main(out, rows, processes=16, seed=1):
    os.makedirs(out, exist_ok=True)
    start, processes, rows = time.time(), int(processes), int(rows)
    with multiprocessing.Pool(processes) as pool:
        got = pool.map(work, [(out, rows // processes, seed, k) for k in range(processes)], chunksize=1)
    used, learned = (sum(g[i] for g in got) for i in (0, 1))
    print(f"{rows} rows, {used / 1e6:.1f} M tokens ({used / rows / CONTEXT:.1%} full), {learned / used:.1%} learned, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
