"""Instructions with one exact answer: add, sort, reverse, count, extract (and spell, which only teaches letters).

An item is what a task is about: a pair of numbers, a word, a sentence with a field. Its hash decides for good whether
it is held out; a held-out item never occurs in training under any phrasing, and a held-out word in none of the word tasks.
"""
import hashlib
import json
import random

from .expand import expand
from .world import ANIMALS, BOYS, COLOURS, FOODS, GIRLS, KEEP, TOYS, WORKERS

HELD_OUT_PER_MILLE = 60
TASKS = ["add", "sort", "reverse", "count", "extract"]

PHRASES = {
    "add": ["What is {a} + {b}?", "{a} + {b} = ?", "{a} + {b}", "Add {a} and {b}.", "What is {a} plus {b}?", "Calculate {a} + {b}.", "How much is {a} + {b}?", "What is the sum of {a} and {b}?", "Please add {a} and {b}.", "Compute {a}+{b}.", "{a}+{b}", "{a} plus {b}", "What's {a} + {b}?", "Can you add {a} and {b}?", "Sum: {a} + {b}"],
    "sort": ["Sort the letters of {w}.", "Sort the letters of the word: {w}", "Put the letters of {w} in alphabetical order.", "Sort the letters in \"{w}\".", "Sort these letters: {w}", "Write the letters of \"{w}\" in alphabetical order.", "Sort the letters: {w}", "Sort {w} alphabetically.", "Please sort the letters of the word {w}.", "Arrange the letters of {w} from a to z.", "{w} in alphabetical order"],
    "reverse": ["Reverse the word: {w}", "Reverse the word {w}.", "Reverse \"{w}\".", "Write \"{w}\" backwards.", "Spell {w} backwards.", "What is {w} backwards?", "Reverse: {w}", "Write the word {w} backwards.", "Please reverse {w}.", "{w} backwards", "Reverse {w}", "Turn the word {w} around.", "Can you reverse the word {w}?"],
    "count": ["How many times does the letter {l} appear in {w}?", "How many times does \"{l}\" occur in \"{w}\"?", "Count the letter {l} in {w}.", "Count the letter {l} in the word: {w}", "How often does the letter {l} occur in the word {w}?", "How many {l}'s are in {w}?", "How many letters {l} are in the word \"{w}\"?", "How many {l} are in {w}?", "Count how often {l} appears in {w}.", "How many times is the letter {l} in the word {w}?"],
    "extract": ["Pick the {k} out of this sentence as JSON: {s}", "Extract the {k} as JSON: {s}", "Give me the {k} in this sentence as JSON. {s}", "Return the {k} as JSON: \"{s}\"", "Find the {k} and answer in JSON: {s}", "{s} What is the {k}? Answer in JSON.", "Read the sentence and return the {k} as JSON: {s}", "{s} Extract the {k} as JSON.", "What is the {k} in this sentence? Reply as JSON: {s}", "Pick out the {k} as JSON: {s}", "JSON with the {k}, please: {s}", "Extract the {k}: {s}"],
    "spell": ["Spell the word: {w}", "Spell {w}.", "Spell \"{w}\".", "Which letters are in {w}?", "Write the letters of {w} one by one."],
}

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
# every {slot} is a field that can be asked for
SENTENCES = [
    "{name} bought a {color} {object} in {city} for {price} coins.", "{name} is {age} years old and lives in {city}.", "On {day}, {name} ate {food} in {city}.",
    "{name} has a {color} {object} and a {animal}.", "The {job} {name} sold {count} apples on {day}.", "{name} the {job} comes from {city}.",
    "In {month}, {name} went to {city} with a {animal}.", "{name} paid {price} coins for the {food}.", "The {animal} called {name} likes {food}.",
    "{name} found {count} shells in {city} in {month}.", "A {job} named {name} works in {city}.", "{name} wants a {color} {object} for {day}.",
    "The {object} of {name} is {color} and costs {price} coins.", "{name} is a {job} and is {age} years old.", "{count} children and {name} took the train to {city}.",
    "My friend {name} moved to {city} in {month}.", "{name} gave the {animal} some {food} on {day}.", "The {color} {object} belongs to {name}.",
    "Yesterday {name} walked to {city} and met a {job}.", "On {day} in {month}, {name} saw a {color} {animal}.", "{name} cooked {food} for {count} people.",
    "There are {count} books in the house of {name} in {city}.", "The {job} lost a {object} in {city} on {day}.", "At the age of {age}, {name} became a {job}.",
    "For {price} coins, {name} got a {animal} and a {object}.", "{name} will be {age} in {month}.", "The {animal} ate {count} plums in {month}.", "Please send the {color} {object} to {name} in {city}.",
    "{name} painted the {object} {color} in {month}.", "The train to {city} leaves on {day}.", "{name} dreams of a {color} {animal}.", "In {city} there lives a {job} who owns {count} cats.", "{name} waited for {count} days in {city}.",
    "A {color} {object} was found in {city} on {day}.", "{name} sells {food} for {price} coins in {city}.", "When {name} was {age}, a {job} gave away a {color} {object}.", "{name} loves {food} and has a {animal}.", "The party of {name} is on {day} in {city}.",
    "{name} carried {count} stones to {city}.", "A {animal} stole the {food} from the {job}.", "It was {month}, and {name} bought a {object} for {price} coins.", "{name} told the {job} about the {color} {animal} in {city}.", "On {day}, the {job} of {city} turned {age}.",
]
NUMERIC = {"age": (3, 99), "price": (2, 99), "count": (2, 60)}
ONSET = "b br c ch cl d dr f fl fr g gl gr h j k l m n p pl pr qu r s sh sk sl sm sn sp st str t th tr tw v w wh y z".split()
VOWELS = "a e i o u a e i o u ai ea ee oa oo ou".split()
CODA = "b ck ct d ft g k l ld ll lt m mp n nd ng nk nt p pt r rd rk rm rn rt s sh sk ss st t th x z".split() + [""] * 18


def held_out(kind, item):
    """Whether this item belongs to the held-out part; the same on every machine and in every run."""
    digest = hashlib.sha256(f"{kind}:{item}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_PER_MILLE


def pseudo_word(rng, lo=3, hi=9):
    """A word that could be one: syllables, sometimes with a doubled letter, sometimes plain random letters."""
    while True:
        r = rng.random()
        if r < 0.12:
            w = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(lo, hi)))
        elif r < 0.2:
            few = rng.sample("abcdefghijklmnopqrstuvwxyz", 3)
            w = "".join(rng.choice(few) for _ in range(rng.randint(lo, hi - 1)))
        else:
            w = "".join(rng.choice(ONSET) + rng.choice(VOWELS) + rng.choice(CODA) for _ in range(rng.choice([1, 2, 2, 3]))) + rng.choice(["", "", "", "er", "y", "le", "ing", "ed", "s"])
        if lo <= len(w) <= hi:
            return w


def pseudo_name(rng):
    return pseudo_word(rng, 3, 7).capitalize()


class Words:
    """The words of the word tasks: real ones from the stories, words glued from vocabulary pieces, and made-up ones."""

    def __init__(self, real, pieces):
        self.real, self.pieces = real, pieces

    def draw(self, rng, want_held_out):
        while True:
            r = rng.random()
            if r < 0.3:
                w = rng.choice(self.real)
            elif r < 0.6 and self.pieces:
                w = "".join(rng.choice(self.pieces) for _ in range(rng.choice([1, 2, 2, 3])))
            else:
                w = pseudo_word(rng)
            if 3 <= len(w) <= 9 and held_out("word", w) == want_held_out:
                return w


def _add(rng, words, held):
    while True:
        a, b = rng.randint(10, 99), rng.randint(10, 99)
        if not held and rng.random() < 0.1:
            a, b = rng.choice([(rng.randint(0, 9), b), (a, rng.randint(0, 9)), (rng.randint(0, 9), rng.randint(0, 9))])
        if held_out("add", f"{min(a, b)}+{max(a, b)}") == held:
            return {"a": str(a), "b": str(b)}, str(a + b)


def _sort(rng, words, held):
    w = words.draw(rng, held)
    return {"w": w}, "".join(sorted(w))


def _reverse(rng, words, held):
    w = words.draw(rng, held)
    if not held and rng.random() < 0.06:
        w = w.capitalize()
    return {"w": w}, w[::-1]


def _count(rng, words, held):
    while True:
        w = words.draw(rng, held)
        if rng.random() < 0.15:
            letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        else:
            letter = rng.choice(w)
            # words in which the letter occurs once are the most frequent by far: let half of them go
            if w.count(letter) == 1 and rng.random() < 0.5:
                continue
        return {"w": w, "l": letter}, str(w.count(letter))


def _extract(rng, words, held):
    while True:
        template = rng.choice(SENTENCES)
        fields = {
            "name": pseudo_name(rng) if rng.random() < 0.4 else rng.choice(GIRLS + BOYS), "city": pseudo_name(rng), "color": rng.choice(COLOURS),
            "object": rng.choice(TOYS + KEEP), "animal": rng.choice(list(ANIMALS)), "job": rng.choice(WORKERS), "day": rng.choice(DAYS),
            "month": rng.choice(MONTHS), "food": rng.choice(FOODS), **{k: str(rng.randint(*span)) for k, span in NUMERIC.items()},
        }
        sentence = expand(template, fields, rng)
        asked = rng.choice([k for k in fields if "{" + k + "}" in template])
        if held_out("extract", f"{sentence}|{asked}") == held:
            value = int(fields[asked]) if asked in NUMERIC else fields[asked]
            return {"k": asked, "s": sentence}, json.dumps({asked: value})


def _spell(rng, words, held):
    w = words.draw(rng, held)
    return {"w": w}, " ".join(w)


MAKERS = {"add": _add, "sort": _sort, "reverse": _reverse, "count": _count, "extract": _extract, "spell": _spell}


def phrase(task, slots, rng):
    """The request for an item in one of the task's phrasings."""
    template = rng.choice(PHRASES[task])
    for k, v in slots.items():
        template = template.replace("{" + k + "}", v)
    if rng.random() < 0.1 and task != "extract":
        template = template[0].lower() + template[1:]
    return template


def instruction(task, rng, words, held=False):
    """One instruction of a task: (prompt, exact answer). `held` draws from the held-out items, otherwise only from the others."""
    slots, answer = MAKERS[task](rng, words, held)
    return phrase(task, slots, rng), answer


def evaluation(words, per_task, seed):
    """Held-out items, each once and in one phrasing, as rows {task, messages, answer}; there are about 480 sums in all."""
    rows = []
    for task in TASKS:
        rng, seen = random.Random(f"{seed}:{task}"), set()
        while len(seen) < (min(per_task, 400) if task == "add" else per_task):
            slots, answer = MAKERS[task](rng, words, True)
            item = tuple(slots.values())
            if item not in seen:
                seen.add(item)
                rows.append({"task": task, "messages": [{"role": "user", "content": phrase(task, slots, rng)}], "answer": answer})
    return rows
