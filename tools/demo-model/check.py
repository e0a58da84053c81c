"""Checks of the generator and the vocabulary that need no training.    usage: check.py"""
import os
import random

from build import HERE, turns_to_ids
from corpus.chat import conversation
from corpus.plot import PLOTS
from corpus.stories import story, story_words
from corpus.tasks import MAKERS, PHRASES, Words, evaluation, held_out
from spm import SPACE, Spm

spm = Spm.load(os.path.join(HERE, "tokenizer.json"))
words = Words(story_words(), spm.pieces())


def every_plot_tells():
    rng = random.Random(1)
    for i in range(len(PLOTS)):
        for _ in range(200):
            text, facts = story(rng, {"plot": i})
            assert not set("[]{}|") & set(text), text
            assert facts["name"] != facts["friend"], text
            assert 200 < len(text) < 3000, text


def held_out_items_stay_out():
    rng = random.Random(2)
    for _ in range(4000):
        for task in ("sort", "reverse", "count", "spell"):
            assert not held_out("word", MAKERS[task](rng, words, False)[0]["w"].lower())
        slots, answer = MAKERS["add"](rng, words, False)
        a, b = sorted((int(slots["a"]), int(slots["b"])))
        assert not held_out("add", f"{a}+{b}") and int(answer) == a + b
        slots, _ = MAKERS["extract"](rng, words, False)
        assert not held_out("extract", f"{slots['s']}|{slots['k']}")
    rows = evaluation(words, 50, "check")
    assert len({(r["task"], r["messages"][0]["content"]) for r in rows}) == 250


def encoding_is_the_plain_algorithm():
    rng = random.Random(3)
    for _ in range(40):
        text = story(rng)[0][:400]
        assert spm.encode(text) == spm._chunk(text.replace(" ", SPACE)), text
        assert spm.decode(spm.encode(text)) == text
    assert spm.decode(spm.encode("grün 東 \n\n\t🙂 a  b")) == "grün 東 \n\n\t🙂 a  b"
    for t in spm.tokens:
        if t["type"] == 1 and len(t["piece"]) > 1:
            assert not any(c.isdigit() for c in t["piece"]) and SPACE not in t["piece"][1:], t


def only_answers_are_learned():
    rng = random.Random(4)
    for _ in range(300):
        turns = conversation(rng, words)
        ids, learn = turns_to_ids(spm, turns)
        said = "".join(text for role, text, _ in turns if role == "assistant")
        assert spm.decode([i for i, l in zip(ids, learn) if l]) == said


def phrases_are_complete():
    need = {"add": ["{a}", "{b}"], "count": ["{w}", "{l}"], "extract": ["{k}", "{s}"]}
    for task, phrases in PHRASES.items():
        for p in phrases:
            assert all(slot in p for slot in need.get(task, ["{w}"])), p


if __name__ == "__main__":
    for check in (every_plot_tells, held_out_items_stay_out, encoding_is_the_plain_algorithm, only_answers_are_learned, phrases_are_complete):
        check()
        print("ok", check.__name__)
