"""Trains the vocabulary on generated text and writes tokenizer.json.    usage: make_tokenizer.py [OUT] [SIZE]"""
import json
import random
import sys

from corpus.chat import conversation, story_turn
from corpus.stories import story, story_words
from corpus.tasks import Words
from spm import CHAT_TEMPLATE, Spm, train


def main(out="tokenizer.json", size=2048):
    rng = random.Random(2024)
    texts = [story(rng)[0] for _ in range(24000)]
    texts += [story_turn(rng)[0] for _ in range(3000)]
    words = Words(story_words(), [])
    for _ in range(5000):
        texts += [text for _, text, by_letter in conversation(rng, words) if not by_letter]
    tokens = train(texts, int(size))
    with open(out, "w", encoding="utf-8") as f:
        lines = ",\n".join(json.dumps(t, ensure_ascii=False) for t in tokens)
        f.write('{"model": "llama", "add_space_prefix": false, "add_bos_token": true,\n"chat_template": ' + json.dumps(CHAT_TEMPLATE) + ',\n"tokens": [\n' + lines + "\n]}\n")
    spm = Spm(tokens)
    sample = texts[:500]
    ids = [spm.encode(t) for t in sample]
    assert all(spm.decode(i) == t for i, t in zip(ids, sample))
    print(f"{len(tokens)} tokens, {sum(map(len, sample)) / sum(map(len, ids)):.2f} characters a token, {len(spm.pieces())} word pieces")


if __name__ == "__main__":
    main(*sys.argv[1:])
