"""How a plot is written down: a topic, a moral's theme, stages to tell in order, a cast and the things it needs."""
from .world import PLACES, place, thing

PLOTS = []


class Alt:
    """Two or more ways to go on; each way is a list of stages, a stage a list of templates."""

    def __init__(self, *ways):
        self.ways = ways


def thing_of(nouns, looks=None):
    """A slot: one of the nouns with looks that stay the same through the story."""
    return lambda rng, slots: thing(rng.choice(nouns), rng, looks)


def some_place(rng, slots):
    return place(rng.choice(list(PLACES)))


def plot(topic, theme, *stages, cast="hf", hero=None, moral_chance=0.6, **slots):
    """Registers a plot. `cast` names who is in it: h hero, f friend, e an elder of the hero's family.

    A slot is "place", a function of (rng, slots), or a list to choose from once for the whole story.
    """
    for name, spec in slots.items():
        if spec == "place":
            slots[name] = some_place
    PLOTS.append(dict(topic=topic, theme=theme, stages=stages, cast=cast, hero=hero, moral_chance=moral_chance, slots=slots))
