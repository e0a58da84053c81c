"""Tells a story: casts it, opens it, walks through a plot's stages and ends it, with everything that is stated kept in its slots."""
import random
import re

from . import plots_fables, plots_friends, plots_home, plots_journeys, plots_outdoors  # noqa: F401  (they register their plots)
from .expand import expand
from .plot import PLOTS, Alt
from .world import DAYPARTS, FEELINGS_BAD, FEELINGS_GOOD, HOMES, WEATHER, PLACES, article, beast, befriend, child, elder, place

LIKES = ["looking at the clouds", "collecting smooth stones", "climbing trees", "listening to stories", "jumping in puddles", "counting the stars", "drawing pictures", "singing songs",
         "watching the birds", "asking questions", "building towers", "picking flowers", "skipping stones", "making up games", "dancing in the rain", "reading old books"]

OPENINGS = [
    "Once upon a time[,|] there was {h.a} called {h}. {h.He} lived in a [small|little|cosy] {h.home} near {home}.",
    "Once upon a time, {h.a} [named|called] {h} lived [near|not far from] {home}.",
    "Once there was {h.a}. {h.His} name was {h}, and {h.he} loved {like}.",
    "There once was {h.a} [named|called] {h}. {h.He} loved {like}, and {h.he} lived close to {home}.",
    "[Long ago|A long time ago|Many years ago], {h.a} [named|called] {h} lived near {home}.",
    "Once upon a time[,|] there was {h.a} [named|called] {h}, who loved {like}.",
    "There was [once |]{h.a} [named|called] {h}, who lived near {home}.",
    "In a [small|quiet|sunny] village [near|by|not far from] {home} lived {h.a} [named|called] {h}.",
    "In a [small|quiet|cosy|little] {h.home} by {home}, there lived {h.a} [named|called] {h}.",
    "One {weather} {daypart}, {h.a} [named|called] {h} [was walking|went for a walk|sat in the sun|was looking around] near {home}.",
    "One {weather} {daypart}, {h} was {like} near {home}. {h.He} was {h.a}.",
    "It was a {weather} {daypart} near {home}. {h.a} [named|called] {h} was {like}.",
    "{season} had come to {home}. {h}, {h.a}, was glad about it, because {h.he} loved {like}.",
    "[My grandmother|An old man|My uncle|The wind] once told me a story about {h.a} [named|called] {h}, who lived near {home}.",
    "Far away, [behind the mountains|across the sea|beyond the hills|where the river begins], there lived {h.a} [named|called] {h}.",
    "If you had walked past {home} many years ago, you might have met {h}, {h.a}.",
    "Not every {h.noun} has a story, but {h} does. {h.He} was {h.a}, and {h.he} lived near {home}.",
    "Near {home}, there was a little {h.home}, and in it lived {h}, {h.a}.",
    "The [little|small] {h.home} near {home} belonged to {h}, {h.a}.",
    "In the days when [few people lived|there were no houses] near {home}, {h.a} [named|called] {h} made {h.his} home there.",
    "{h} was {h.a}. {h.He} lived near {home} and loved {like}.",
    "{h} was {h.a} who loved {like}.",
    "[Not far from|Close to|Near] {home}, in a [cosy|little|warm] {h.home}, lived {h.a}. Everyone called {h.him} {h}.",
    "Do you know {h}? {h.He} is {h.a}, and this is {h.his} story.",
    "This is the story of {h}, {h.a} who lived near {home}.",
    "Everybody near {home} knew {h}, {h.a} who was always {like}.",
    "{h} lived in a [small|little] {h.home} near {home}. {h.He} was {h.a}, and {h.he} was fond of {like}.",
    "One [{season} |]day, {h.a} [named|called] {h} was sitting near {home}.",
]
FRIEND_LINES = [
    "{h.His} best friend was {f}, {f.a}.", "{h.He} had a good friend, {f.a} called {f}.", "{h.He} and {f}, {f.a}, [did everything together|were the best of friends].",
    "Next door lived {h.his} best friend {f}, {f.a}.", "Whenever {h.he} could, {h.he} played with {f}, {f.a}.", "{h.His} friend {f}, {f.a}, lived [nearby|next door|around the corner].",
]
ELDER_LINES = ["{h} lived there with {e}.", "{h} and {e} were [very close|never far apart].", "{e} [told {h.him} a story every night|always had time for {h.him}|knew how to make {h.him} laugh].", ""]
COLOUR = {
    "": ["The air smelled of [grass|rain|flowers|warm bread|leaves].", "[High above|Up above], [a bird|a cloud|a swallow] went by.", "It was [very quiet|a good day for an adventure].",
         "Somewhere [a door closed|a dog barked|a bell rang|somebody was singing].", "The [sun|wind] [played in the leaves|was on {h.his} face]."],
    "p": ["{p.At}, there were {p.see}.", "{h} could hear {p.hear}.", "{h.He} saw {p.see} and heard {p.hear}.", "There were {p.see}, and {h.he} heard {p.hear}."],
}
MORALS = {
    "care": ["Take good care of the things that you love.", "What we love needs a place where it belongs.", "With a good friend, nothing stays lost for long."],
    "honesty": ["The truth may be hard to say, but a lie is harder to carry.", "It is brave to tell the truth.", "An honest word can mend what a lie would break."],
    "mistakes": ["Everyone makes mistakes, and that is how we learn.", "A mistake is not the end. It is a chance to try again.", "If it goes wrong, begin again."],
    "giving": ["The best presents come from the heart.", "Love is worth more than gold.", "A gift is great when it is given with love."],
    "patience": ["Good things take time.", "Those who can wait will see things grow.", "Patience is a quiet kind of strength."],
    "courage": ["To be brave is to be afraid and to go on all the same.", "When you look at your fear, it becomes smaller.", "Courage often begins with one small step."],
    "order": ["A place for everything, and everything in its place.", "What you put away, you will find again.", "A little work each day saves a lot of trouble."],
    "calm": ["A thought that is shared is half as heavy.", "Sleep comes to those who do not chase it."],
    "help": ["It is never wrong to ask for help.", "Together we can reach what is too high for one.", "Strong people ask for help, too."],
    "kindness": ["A little kindness goes a long way.", "Be kind, for even the smallest deed can warm a heart.", "Who gives kindness will never be poor."],
    "together": ["Together we are stronger than alone.", "Many hands make light work.", "What is too heavy for one is easy for many."],
    "listening": ["Listen well, for one day you may need what you have heard.", "Good advice is like a light in the dark."],
    "letting go": ["If you love somebody, you must let them fly.", "Love does not need a cage.", "True friends stay close, even when they are far away."],
    "memories": ["Nothing that was loved is ever quite gone.", "Every end is the beginning of something new."],
    "wonder": ["Sometimes what we look for is right at our feet.", "The world is full of small wonders."],
    "sharing": ["Joy that is shared is twice the joy.", "Sharing makes every game better.", "A friend is worth more than any toy."],
    "friendship": ["A friend is the greatest treasure of all.", "One kind word can be the start of a friendship.", "Be the one who says hello."],
    "kindness over winning": ["It is better to be kind than to be first.", "Slow and steady wins the race, and a good heart wins a friend.", "A friend is worth more than a golden cup."],
    "practice": ["Do not say that you cannot do it. Say that you cannot do it yet.", "Practice makes perfect.", "If you keep trying, you will get there."],
    "generosity": ["What you give away comes back to you.", "An open hand makes a light heart.", "Those who share always have enough."],
    "keeping a promise": ["A promise is a promise.", "Those who keep their word will be trusted.", "It is good to be somebody whom others can trust."],
    "enough": ["Enough is better than too much.", "Take what you need and leave some for others.", "The sweetest things are those that we share."],
    "modesty": ["You do not have to be the best to be loved.", "Those who boast fall into the mud.", "Be yourself, and the right friends will stay."],
    "cleverness": ["A clever head is better than sharp teeth.", "Stay calm and think, even when you are afraid.", "Pride makes even a fox foolish."],
    "contentment": ["Those who are happy with what they have need no wishes.", "The best days cannot be bought or wished for.", "Happiness was there all the time."],
    "small deeds": ["A good deed does not need a name.", "Small deeds make the world bright.", "Do good, and do not wait for thanks."],
    "quick thinking": ["Keep a clear head, and you will find a way.", "In a hurry, one good idea is worth more than ten strong arms."],
    "harmony": ["Half of all music is listening.", "When we listen to each other, everything sounds better."],
    "being yourself": ["You are just right as you are.", "Even the smallest can do great things.", "Everyone is good at something."],
    "trust": ["Wherever you go, there are kind people.", "A wrong turn can lead to the right place."],
    "not judging": ["Do not judge anyone before you have met them.", "Those who look fierce may only be lonely.", "Knock at the door before you believe what others say."],
}
MORAL_FRAMES = ["{m}", "{m}", "And so {h} learned: {m}", "And the moral of the story is: {m}", "What does this story tell us? {m}", "{h} never forgot it: {m}", "Remember: {m}"]
ENDINGS = ["The end.", "And they lived happily ever after.", "And if you listen closely, you can still hear them laugh.", "And that is the end of the story.", "And everyone slept well that night.", "", "", "", "", "", "", "", "", ""]


def _cast(p, rng, want):
    """Chooses hero, friend and elder: children among children, animals among animals."""
    as_beast = p["hero"] == "beast" or (p["hero"] is None and rng.random() < 0.4)
    kind = want.get("kind")
    if kind:
        as_beast = True
    taken = ["fox"] if p["hero"] == "beast" else []
    h = beast(rng, taken, kind) if as_beast else child(rng, taken)
    f = (beast if as_beast or rng.random() < 0.15 else child)(rng, taken + [h[""], h["noun"]])
    befriend(rng, h, f)
    return h, f, elder(rng, h)


def _stages(stages, rng):
    for s in stages:
        if isinstance(s, Alt):
            yield from _stages(rng.choice(s.ways), rng)
        else:
            yield s


def _distinct(rng, pool, slots):
    used = {v if isinstance(v, str) else "" for v in slots.values()}
    return rng.choice([v for v in pool if v not in used] or pool)


def lower_first(text):
    return text[0].lower() + text[1:]


def story_words(seed=1, stories=3000):
    """The plain lower-case words of 3 to 9 letters that the stories are made of, sorted."""
    rng = random.Random(seed)
    found = set()
    for _ in range(stories):
        found.update(re.findall(r"(?<![A-Za-z])[a-z]{3,9}(?![A-Za-z'])", story(rng)[0]))
    return sorted(found)


def story(rng, want=()):
    """One story. `want` may ask for {"kind": an animal} as the hero or {"plot": index}.

    Returns (text, facts) where facts name the hero, the topic and the place, to make a request from.
    """
    want = dict(want)
    p = PLOTS[want["plot"]] if "plot" in want else rng.choice(PLOTS)
    if p["hero"] == "beast" and want.get("kind") == "fox":
        want.pop("kind")
    h, f, e = _cast(p, rng, want)
    s = {"h": h, "f": f, "e": e, "weather": WEATHER, "daypart": DAYPARTS, "happy": FEELINGS_GOOD, "sad": FEELINGS_BAD, "like": rng.choice(LIKES),
         "season": rng.choice(["spring", "summer", "autumn"])}
    for name, spec in p["slots"].items():
        s[name] = spec(rng, s) if callable(spec) else _distinct(rng, spec, s)
    if "p" not in s:
        s["p"] = place(rng.choice(list(PLACES)))
    s["home"] = s["p"][""] if rng.random() < 0.3 else rng.choice(HOMES)
    t = lambda template: expand(template, s, rng)

    opening = [t(rng.choice(OPENINGS))]
    stages = list(_stages(p["stages"], rng))
    if "e" in p["cast"] and rng.random() < 0.35:
        opening.append(t(rng.choice(ELDER_LINES)))
    introduced = any("{f.a}" in template for stage in stages for template in stage)
    if not introduced and rng.random() < 0.85:
        opening.append(t(rng.choice(FRIEND_LINES)))
    parts = [" ".join(x for x in opening if x)]
    for i, stage in enumerate(stages):
        text = t(rng.choice(stage))
        if i == 1 and rng.random() < 0.18:
            text = t(rng.choice(COLOUR[""])) + " " + text
        parts.append(text)
    if rng.random() < p["moral_chance"]:
        s["m"] = rng.choice(MORALS[p["theme"]])
        parts.append(t(rng.choice(MORAL_FRAMES)))
    end = t(rng.choice(ENDINGS))
    if end:
        parts.append(end)

    paragraphs = [parts[0]]
    for part in parts[1:]:
        if rng.random() < 0.3 and len(paragraphs[-1]) < 420:
            paragraphs[-1] += " " + part
        else:
            paragraphs.append(part)
    facts = {"name": h[""], "hero": h["a"], "noun": h["noun"], "topic": lower_first(expand(p["topic"], s, rng)), "place": s["p"][""], "theme": p["theme"], "friend": f[""],
             "object": s["o"]["a"] if isinstance(s.get("o"), dict) else None, "beast": h["noun"] not in ("girl", "boy"), "article": article(h["noun"])}
    return "\n\n".join(paragraphs), facts
