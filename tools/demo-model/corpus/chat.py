"""Conversations in the chat template: requests for stories, small talk, and the exact tasks, in one or several turns."""
from .expand import expand
from .stories import story
from .tasks import instruction

SYSTEM = ["You are a helpful assistant.", "You are a friendly helper.", "Answer briefly.", "You are Quern, a small model that tells stories and solves little tasks.", "Be short and exact.", "You are a kind assistant for children."]
TASK_WEIGHTS = {"add": 2, "sort": 4, "reverse": 3, "count": 3, "extract": 3, "spell": 1}
LETTER_TASKS = {"sort", "reverse"}

TALK = [
    (["[Hello|Hi|Hey|Good morning|Good evening][!|.|]", "Hello there!", "Hi, how are you?"],
     ["Hello! [Would you like to hear a story|Shall I tell you a story|What can I do for you]?", "[Hi|Hello]! I can tell you a story or solve a little task for you."]),
    (["[Who|What] are you?", "What is your name?", "Tell me about yourself."],
     ["I am the small model that ships with Quern. I tell stories and solve little tasks.", "I am a very small language model with about five million numbers inside. I like stories."]),
    (["What can you do?", "[Can you help me|How can you help me]?", "What are you good at?", "Help"],
     ["I can tell stories, add two numbers, sort letters, reverse a word, count a letter, and pick a field out of a sentence as JSON.", "I tell short stories, and I can add numbers, sort letters, turn words around, count letters and find things in a sentence."]),
    (["Thank you[!|.|]", "Thanks[!|.|]", "That was [nice|good|great][!|.|]", "Good [job|work][!|.]"], ["You are welcome!", "[I am glad that I could help.|It was a pleasure.]"]),
    (["[Goodbye|Bye|See you later|Good night][!|.|]"], ["Goodbye! Come back soon.", "See you soon!", "Good night, and sweet dreams!"]),
    (["What is Quern?", "Why are you called Quern?", "What does quern mean?"], ["A quern is a hand mill: one kernel goes in, and flour for every table comes out.", "Quern is a set of math libraries, written once and made for many machines. It is named after a hand mill."]),
    (["Are you [a person|human|alive]?"], ["No, I am a small program that has read many stories.", "I am not. I am a very small language model."]),
    (["[What is the weather like|What time is it|Who is the president|What is the capital of France|Explain quantum physics]?", "[Write a poem in French|Write some code for me|Translate this into German].", "What is {n} times {n2}?", "How far away is the moon?"],
     ["I am sorry, I do not know that. I only know stories and a few little tasks.", "That is too hard for me. I can tell you a story, or I can add two numbers."]),
]
ASK_STORY = ["Tell me a story.", "Please tell me a story.", "Can you tell me a story?", "I would like to hear a story.", "Write a short story.", "Tell me a bedtime story."]
ASK_TOPIC = ["Tell me a story about {topic}.", "Write a [short |]story about {topic}.", "[Please tell|Can you tell] me a story about {topic}[.|, please.]", "I want to hear a story about {topic}.", "A story about {topic}, please."]
ASK_HERO = ["Tell me a story about {hero} [called|named] {name}.", "Write a story about {hero} [called|named] {name}.", "Tell me a story about {name}.", "Tell me a story about {name} and {friend}.", "I would like a story about {hero}.", "Please write a [short |]story about {hero}."]
ASK_KIND = ["Tell me a story about {article}.", "Write a [short |]story about {article}.", "Can you tell me a story about {article}?", "A story about {article}, please.", "Tell me a story with {article} in it."]
ASK_THEME = ["Tell me a story about {theme}.", "Write a [short |]story about {theme}.", "Tell me a story that teaches {theme}."]


def story_turn(rng):
    text, facts = story(rng)
    asks = [ASK_STORY, ASK_TOPIC, ASK_HERO, ASK_THEME] + ([ASK_KIND, ASK_KIND] if facts["beast"] else [])
    facts = {k: v for k, v in facts.items() if isinstance(v, str)}
    return expand(rng.choice(rng.choice(asks)), facts, rng), text, False


def talk_turn(rng):
    asks, answers = rng.choice(TALK)
    slots = {"n": str(rng.randint(2, 99)), "n2": str(rng.randint(2, 99))}
    return expand(rng.choice(asks), slots, rng), expand(rng.choice(answers), slots, rng), False


def task_turn(rng, words):
    task = rng.choices(list(TASK_WEIGHTS), list(TASK_WEIGHTS.values()))[0]
    prompt, answer = instruction(task, rng, words)
    return prompt, answer, task in LETTER_TASKS


def conversation(rng, words):
    """A list of turns (role, text, by_letter): by_letter answers are tokenised one letter at a time."""
    turns = []
    if rng.random() < 0.15:
        turns.append(("system", rng.choice(SYSTEM), False))
    length = 1 if rng.random() < 0.7 else rng.randint(2, 6)
    for _ in range(length):
        r = rng.random()
        prompt, answer, by_letter = task_turn(rng, words) if r < 0.972 else talk_turn(rng) if r < 0.987 else story_turn(rng)
        turns += [("user", prompt, False), ("assistant", answer, by_letter)]
    return turns
