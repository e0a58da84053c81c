"""The world of the stories: people, animals, places, things and weather, as pools to draw from."""
import random
from functools import lru_cache

GIRLS = """Anna Bella Clara Daisy Ella Flora Grace Hannah Iris Julia Katie Lily Mia Nora Olive Penny Ruby Sophie Tess Violet
Wendy Zoe Alice Beth Cora Dora Emma Freya Greta Heidi Ida Jane Kira Lucy Maya Nina Opal Poppy Rosa Sara Tilda Una Vera
Willa Yara Amy Molly Holly Ivy Ada Elsa Fern Mina Leah Tara Nell Edith Marta Luna Stella""".split()
BOYS = """Adam Ben Carl Dan Eli Finn George Henry Ian Jack Kurt Leo Max Noah Oscar Peter Quinn Robin Sam Tom Victor Will
Arthur Billy Charlie David Emil Frank Gus Hugo Isaac Jonas Karl Liam Milo Nick Otto Paul Ralph Simon Theo Walter Felix
Toby Rory Owen Joel Ned Harry Jasper Luke Marcus Nathan Oliver Ravi Kofi Amir Mateo Ivan Tariq""".split()
ANIMAL_NAMES = """Pip Hazel Bramble Moss Clover Nib Tuck Juniper Pebble Thistle Rusty Biscuit Maple Sorrel Tansy Twig Fudge
Pepper Button Acorn Willow Bracken Teasel Comet Dot Flick Ginger Hopper Inky Jolly Kip Muffin Nutmeg Plum Scamp Teddy""".split()
KNOWN_NAMES = {*GIRLS, *BOYS, *ANIMAL_NAMES}

# kind, adjectives that suit it, what its young, its call and its home are
ANIMALS = {
    "fox": (["small", "young", "red", "clever"], "den"), "rabbit": (["little", "small", "brown", "soft"], "burrow"),
    "mouse": (["tiny", "small", "grey", "little"], "hole"), "bear": (["young", "brown", "big", "gentle"], "cave"),
    "hedgehog": (["little", "shy", "round", "sleepy"], "nest"), "squirrel": (["quick", "red", "young", "little"], "tree"),
    "duck": (["little", "yellow", "young", "small"], "nest"), "owl": (["young", "small", "white", "little"], "tree"),
    "badger": (["young", "little", "grey", "strong"], "den"), "frog": (["small", "green", "little", "young"], "pond"),
    "otter": (["playful", "young", "brown", "little"], "den"), "mole": (["shy", "little", "young", "soft"], "tunnel"),
    "beaver": (["busy", "young", "little", "brown"], "lodge"), "lamb": (["white", "little", "woolly", "young"], "barn"),
    "goat": (["young", "white", "brown", "stubborn"], "barn"), "pony": (["young", "brown", "little", "spotted"], "stable"),
    "deer": (["young", "gentle", "small", "shy"], "clearing"), "turtle": (["little", "green", "slow", "small"], "pond"),
}
ANIMALS |= {
    "cat": (["black", "grey", "lazy", "curious"], "house"), "dog": (["brown", "friendly", "young", "spotted"], "house"), "pig": (["pink", "round", "happy", "little"], "barn"),
    "elephant": (["young", "grey", "big", "gentle"], "clearing"), "lion": (["young", "proud", "golden", "brave"], "cave"), "monkey": (["cheeky", "little", "brown", "quick"], "tree"),
    "penguin": (["little", "young", "round", "funny"], "hut"), "seal": (["young", "grey", "playful", "small"], "cave"), "robot": (["small", "silver", "old", "friendly"], "workshop"),
    "donkey": (["grey", "stubborn", "old", "young"], "stable"), "goose": (["white", "proud", "young", "loud"], "barn"), "snail": (["slow", "tiny", "small", "brown"], "garden"),
    "bee": (["busy", "tiny", "young", "golden"], "hive"), "crab": (["small", "red", "shy", "little"], "rock pool"), "elf": (["tiny", "merry", "young", "old"], "tree house"),
    "wolf": (["young", "grey", "lonely", "big"], "den"), "hen": (["brown", "white", "proud", "old"], "barn"), "unicorn": (["white", "young", "shy", "gentle"], "clearing"),
}
PEOPLE = {  # what a child can be besides a girl or a boy, and where such a one lives
    "she": {"princess": "castle", "fairy": "tree house", "young witch": "hut", "shepherd girl": "hut", "pirate girl": "ship"},
    "he": {"prince": "castle", "young knight": "castle", "young wizard": "tower", "shepherd boy": "hut", "pirate boy": "ship"},
}
STRAYS = {  # animal: (sound, what it likes to eat, where its family lives)
    "kitten": ("mew", "milk", "the farm"), "puppy": ("whimper", "bread", "the mill"), "duckling": ("peep", "crumbs", "the pond"),
    "lamb": ("bleat", "fresh grass", "the hill"), "fawn": ("sigh", "green leaves", "the forest"), "chick": ("cheep", "seeds", "the barn"),
    "bunny": ("squeak", "a carrot", "the meadow"), "baby owl": ("hoot", "crumbs", "the old oak"), "foal": ("snort", "an apple", "the stable"),
    "piglet": ("squeal", "an apple", "the farm"), "baby squirrel": ("squeak", "nuts", "the old oak"), "gosling": ("peep", "seeds", "the lake"),
}

COLOURS = ["red", "blue", "green", "yellow", "white", "purple", "orange", "brown", "silver", "pink", "golden", "black"]
TOYS = ["kite", "ball", "drum", "doll", "teddy bear", "wooden horse", "toy boat", "spinning top", "puppet", "toy train", "toy car", "whistle"]
WEAR = ["scarf", "hat", "cap", "mitten", "coat button", "ribbon", "sock", "apron"]
KEEP = ["book", "lantern", "map", "shell", "bell", "key", "music box", "pencil", "cup", "spoon", "basket", "flute", "ring", "feather", "marble", "mirror"]
LOOK = ["old", "new", "small", "little", "shiny", "favourite", "pretty", "special", "wooden", "round"]
FLYERS = ["kite", "balloon", "paper plane", "ball", "hat", "scarf", "toy plane", "ribbon"]
BREAKABLES = ["vase", "cup", "plate", "lamp", "bowl", "jug", "teapot", "clock", "flower pot", "mirror", "jar"]
MUSIC = ["drum", "flute", "bell", "violin", "trumpet", "harp", "guitar", "whistle", "piano"]
FOODS = ["apple pie", "bread", "soup", "pancakes", "plum jam", "carrot cake", "berry pie", "porridge", "cheese", "honey cake", "rice", "noodles"]
BAKES = ["cake", "pie", "loaf of bread", "tart", "pudding", "batch of buns", "batch of cookies", "honey cake", "plum cake", "berry pie", "apple tart"]
TREATS = ["berries", "cookies", "apples", "plums", "nuts", "cherries", "pears", "buns", "grapes", "pancakes", "figs", "strawberries"]
PLANTS = ["bean", "sunflower", "pumpkin", "pea", "carrot", "tulip", "rose", "apple tree", "poppy", "melon", "radish", "daisy"]
BIRDS = ["robin", "sparrow", "swallow", "blackbird", "finch", "dove", "wren", "starling", "thrush", "crow"]
FEELINGS_GOOD = ["happy", "glad", "proud", "cheerful", "pleased", "warm inside", "full of joy", "thankful", "as light as a feather"]
FEELINGS_BAD = ["sad", "worried", "upset", "gloomy", "lonely", "unhappy", "sorry", "cross", "tired"]
WEATHER = ["sunny", "windy", "cloudy", "warm", "cool", "bright", "misty", "quiet", "frosty", "rainy", "golden", "mild"]
DAYPARTS = ["morning", "afternoon", "evening", "day"]
SEASONS = ["spring", "summer", "autumn", "winter"]

# name: (at, to, seen there, heard there)
PLACES = {
    "the forest": ("in the forest", "to the forest", ["tall green trees", "soft moss on the stones", "mushrooms under the leaves", "a path full of roots"], ["the leaves whispering", "a woodpecker knocking", "twigs cracking"]),
    "the park": ("in the park", "to the park", ["the big slide", "people on the benches", "a round pond with ducks", "beds of bright flowers"], ["children laughing", "a dog barking far away", "the swings creaking"]),
    "the beach": ("on the beach", "to the beach", ["shells in the sand", "white foam on the waves", "a small crab", "boats far out on the water"], ["the waves rolling in", "gulls crying", "the wind over the sand"]),
    "the meadow": ("in the meadow", "to the meadow", ["yellow flowers", "butterflies", "long grass that moved like water", "a row of old fence posts"], ["bees humming", "crickets singing", "the grass rustling"]),
    "the garden": ("in the garden", "to the garden", ["rows of beans", "a rose bush by the wall", "a snail on a leaf", "an old stone bench"], ["birds singing", "the gate creaking", "a bee in the flowers"]),
    "the river": ("by the river", "to the river", ["smooth stones under the water", "a blue dragonfly", "fish in the shallow water", "willow branches in the stream"], ["the water splashing", "frogs croaking", "ducks quacking"]),
    "the lake": ("by the lake", "to the lake", ["the sky in the still water", "a little wooden jetty", "swans near the reeds", "a small rowing boat"], ["water lapping at the shore", "a fish jumping", "the reeds rustling"]),
    "the hill": ("on the hill", "up the hill", ["the whole village below", "sheep on the grass", "a single old tree at the top", "clouds as white as wool"], ["the wind singing", "sheep bells ringing", "a lark high above"]),
    "the farm": ("on the farm", "to the farm", ["hens in the yard", "a cart full of hay", "a red barn", "a sleepy old horse"], ["a rooster crowing", "cows mooing", "the pump squeaking"]),
    "the village square": ("in the village square", "to the village square", ["the old fountain", "stalls with striped roofs", "the clock on the tower", "a cat asleep on a step"], ["the bell of the tower", "people chatting", "a cart rolling by"]),
    "the orchard": ("in the orchard", "to the orchard", ["apples shining in the trees", "ladders against the branches", "baskets full of fruit", "petals on the grass"], ["wasps humming", "branches creaking", "a thrush singing"]),
    "the mill": ("by the mill", "to the mill", ["the big wheel turning", "sacks of white flour", "a bridge of old planks", "moss on the wet wall"], ["the wheel splashing", "the millstones rumbling", "doves cooing"]),
    "the valley": ("in the valley", "down to the valley", ["a stream like a silver thread", "stone walls along the fields", "a row of tall poplars", "smoke from a chimney"], ["a church bell far away", "the stream chattering", "a cow bell"]),
    "the harbour": ("in the harbour", "to the harbour", ["boats with bright sails", "nets drying in the sun", "a striped lighthouse", "crates of silver fish"], ["ropes knocking on the masts", "gulls calling", "a ship's horn"]),
}
HOMES = list(n for n in PLACES if n != "the village square") + """the sea;the mountains;the castle;the old bridge;the railway;the market;the lighthouse;the windmill;the school;the church;the town;the city;the desert;the
waterfall;the pond;the bakery;the library;the well;the island;the cliffs;the swamp;the vineyard;the old wall;the canal;the station;the crossroads;the sand dunes;the marsh;the pine woods;the big oak;the stone circle;the
fields;the bay;the ferry;the old tower;the brook;the clearing;the quarry;the palace;the rocky coast;the birch trees;the southern gate;the northern road;the edge of the woods""".replace("\n", " ").split(";")
HIDES = ["under the bed", "behind the old door", "inside a boot", "under a pile of leaves", "behind the sofa", "in the kitchen drawer", "under the stairs",
         "between two cushions", "in a bucket by the door", "on top of the cupboard", "behind the flower pots", "under a blanket", "inside the laundry basket", "beneath the garden bench"]

FAMILY = [("mother", "she", ["Mama", "Mother"]), ("father", "he", ["Papa", "Father"]), ("grandmother", "she", ["Grandma", "Granny"]),
          ("grandfather", "he", ["Grandpa", "Grandfather"]), ("aunt", "she", ["Auntie"]), ("uncle", "he", ["Uncle"])]
PRONOUNS = {"she": dict(he="she", him="her", his="her", himself="herself"), "he": dict(he="he", him="him", his="his", himself="himself")}
WORKERS = ["baker", "farmer", "miller", "gardener", "teacher", "shepherd", "carpenter", "fisherman", "postman", "shopkeeper", "blacksmith", "tailor", "librarian", "beekeeper"]


def article(noun):
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def thing(noun, rng, looks=None):
    """A thing that keeps its looks through a story: {o} red kite, {o.a} a red kite, {o.the} the kite, {o.noun} kite."""
    adjective = rng.choice(looks or (COLOURS if rng.random() < 0.6 else LOOK))
    full = f"{adjective} {noun}"
    return {"": full, "a": article(full), "the": f"the {full}", "noun": noun, "it": f"the {noun}", "look": adjective}


def place(name):
    at, to, sights, sounds = PLACES[name]
    return {"": name, "at": at, "to": to, "see": sights, "hear": sounds}


def made_up_name(rng):
    """A name that is in no list, so that the model learns to take over any name."""
    parts = [rng.choice("B D F G H J K L M N P R S T V W Z Br Tr Fl Sh Gr Th".split()) + rng.choice("aeiou")]
    parts += [rng.choice("b d f g k l m n p r s t v z ll nn rr".split()) + rng.choice("aeiou") for _ in range(rng.choice([0, 1, 1]))]
    return "".join(parts) + rng.choice(["n", "l", "r", "s", "x", "m", "k", "ny", "la", "ra", "ne", "do", ""])


def a_name(rng, pool, taken):
    while True:
        name = made_up_name(rng) if rng.random() < 0.2 else rng.choice(pool)
        if name not in taken and len(name) > 1:
            return name


@lru_cache(maxsize=None)
def companions(name, pool):
    """The few names that a friend of `name` usually has. Without them a friend's name would be any name, and a greedy
    model would give the hero's own name to the friend: that the two differ is worth next to nothing in the loss."""
    return random.Random(f"{name} and {pool[0]}").sample([n for n in pool if n != name], 5)


def befriend(rng, hero, friend):
    """Lets the friend of a hero with a known name have one of the names that go with it, mostly."""
    if hero[""] in KNOWN_NAMES and rng.random() < 0.85:
        pool = ANIMAL_NAMES if friend["noun"] in ANIMALS else GIRLS if friend["he"] == "she" else BOYS
        friend[""] = rng.choice(companions(hero[""], tuple(pool)))


def child(rng, taken):
    girl = rng.random() < 0.5
    name = a_name(rng, GIRLS if girl else BOYS, taken)
    noun, home = "girl" if girl else "boy", "house"
    if rng.random() < 0.15:
        noun, home = rng.choice(list(PEOPLE["she" if girl else "he"].items()))
    look = rng.choice(["little", "little", "young", "small", "kind", "curious", "clever", "quiet", "cheerful", "brave"])
    return {"": name, "a": article(f"{look} {noun}"), "noun": noun, "the": f"the {look} {noun}", "home": home, **PRONOUNS["she" if girl else "he"]}


def beast(rng, taken, kind=None):
    kind = kind or rng.choice([k for k in ANIMALS if k not in taken])
    looks, home = ANIMALS[kind]
    look = rng.choice(looks)
    p = PRONOUNS[rng.choice(["she", "he"])]
    name = a_name(rng, ANIMAL_NAMES, taken)
    return {"": name, "a": article(f"{look} {kind}"), "noun": kind, "the": f"the {look} {kind}", "home": home, **p}


def elder(rng, of):
    noun, p, calls = rng.choice(FAMILY)
    return {"": f"{of['his']} {noun}", "noun": noun, "call": rng.choice(calls), **PRONOUNS[p]}
