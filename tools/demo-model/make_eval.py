"""Writes the held-out items that stay in the tree: eval/held-out.jsonl.    usage: make_eval.py [OUT] [PER_TASK]"""
import json
import os
import sys

from build import HERE
from corpus.stories import story_words
from corpus.tasks import Words, evaluation
from spm import Spm


def main(out=os.path.join(HERE, "eval", "held-out.jsonl"), per_task=200):
    spm = Spm.load(os.path.join(HERE, "tokenizer.json"))
    rows = evaluation(Words(story_words(), spm.pieces()), int(per_task), "tree")
    with open(out, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    print(f"{out}: {len(rows)} items")


if __name__ == "__main__":
    main(*sys.argv[1:])
