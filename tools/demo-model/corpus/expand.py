"""The template language of the corpus: `[one|two]` chooses, `{slot}` and `{slot.key}` fill in, punctuation and capitals are mended.

A slot is a string, or a dict whose key "" is its plain form and whose other keys are its aspects
(`{h}` is a name, `{h.he}` its pronoun, `{h.His}` the same at the start of a sentence).
A list anywhere is a choice made afresh at each use; state that must not change is chosen before, by the story.
"""
import re
from functools import lru_cache

VOWEL = re.compile(r"\b([Aa]) (?=[aeiouAEIOU])")
NOT_VOWEL = re.compile(r"\b([Aa])n (?=(?:one|uni|use|usu)[a-z])")


def _parse(src, i, stop):
    """Parses from src[i] to a character of `stop`; returns (nodes, index of the stop)."""
    nodes, text = [], []
    while i < len(src) and src[i] not in stop:
        c = src[i]
        if c == "[":
            if text:
                nodes.append("".join(text))
                text = []
            options = []
            while True:
                option, i = _parse(src, i + 1, "|]")
                options.append(option)
                if i >= len(src):
                    raise ValueError(f"unclosed [ in template: {src}")
                if src[i] == "]":
                    break
            nodes.append(("pick", options))
        elif c == "{":
            if text:
                nodes.append("".join(text))
                text = []
            end = src.index("}", i)
            slot, _, key = src[i + 1:end].partition(".")
            nodes.append(("slot", slot, key))
            i = end
        else:
            text.append(c)
        i += 1
    if text:
        nodes.append("".join(text))
    return nodes, i


@lru_cache(maxsize=None)
def parse(src):
    nodes, end = _parse(src, 0, "")
    return nodes


def _value(slots, slot, key, rng):
    if slot not in slots:
        raise KeyError(f"template uses {{{slot}}}, the story has {sorted(slots)}")
    v = slots[slot]
    capital = False
    if isinstance(v, dict):
        if key not in v and key[:1].isupper():
            capital, key = True, key[0].lower() + key[1:]
        if key not in v:
            raise KeyError(f"{{{slot}.{key}}}: the slot has {sorted(v)}")
        v = v[key]
    elif key:
        raise KeyError(f"{{{slot}.{key}}}: the slot is plain text")
    if isinstance(v, (list, tuple)):
        v = rng.choice(v)
    return v[0].upper() + v[1:] if capital else v


def _walk(nodes, slots, rng, out):
    for n in nodes:
        if isinstance(n, str):
            out.append(n)
        elif n[0] == "pick":
            _walk(rng.choice(n[1]), slots, rng, out)
        else:
            v = _value(slots, n[1], n[2], rng)
            if "[" in v or "{" in v:
                _walk(parse(v), slots, rng, out)
            else:
                out.append(v)


def mend(text):
    """Single spaces, a/an, and capitals at the start, after a full stop, and after ! or ? outside a quotation's tag."""
    text = re.sub(r" +", " ", text).strip()
    text = re.sub(r" ([,.!?;:])", r"\1", text)
    text = VOWEL.sub(r"\1n ", text)
    text = NOT_VOWEL.sub(r"\1 ", text)
    text = re.sub(r"""(^["]?|[.]["]? ["]?|[!?] ["]?)([a-z])""", lambda m: m[1] + m[2].upper(), text)
    return text


def expand(template, slots, rng):
    out = []
    _walk(parse(template), slots, rng, out)
    return mend("".join(out))
