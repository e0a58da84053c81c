"""The vocabulary: trained by byte pair encoding, applied by the SPM algorithm (merge the adjacent pair with the best score, leftmost first).

A piece has "▁" (a space) at its start or nowhere, at most five letters, or only punctuation. Digits never merge. The
limits keep pieces inside words, make numbers a matter of digits, and let the word tasks learn how each piece is spelled.
"""
import collections
import json
import re

SPACE = "▁"
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6  # token types as GGUF numbers them
UNK, BOS, EOS = 0, 1, 2
CONTROLS = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
CHAT_TEMPLATE = ("{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endfor %}"
                 "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}")
PIECE = re.compile(rf"{SPACE}?(?:[A-Za-z]{{1,5}}|[^\sA-Za-z0-9{SPACE}]{{1,3}})")
CHUNK = re.compile(rf"{SPACE}?[^{SPACE}\n]+|{SPACE}|\n")


def to_chunks(text):
    """Splits at spaces and line ends: no piece reaches over one, so each chunk is encoded by itself."""
    return CHUNK.findall(text.replace(" ", SPACE))


def train(texts, size):
    """Learns `size` tokens from texts; returns the list of {piece, score, type}."""
    counts = collections.Counter()
    for text in texts:
        counts.update(to_chunks(text))
    tokens = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]
    tokens += [(f"<0x{b:02X}>", 0.0, BYTE) for b in range(256)]
    tokens += [(c, 0.0, CONTROL) for c in CONTROLS]
    chars = [SPACE] + [chr(c) for c in range(33, 127)]
    words = [([c for c in chunk], n) for chunk, n in sorted(counts.items())]
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, (symbols, n) in enumerate(words):
        for pair in zip(symbols, symbols[1:]):
            pairs[pair] += n
            where[pair].add(i)
    merges, known = [], set(chars)
    while len(tokens) + len(chars) + len(merges) < size:
        best = max(((n, pair) for pair, n in pairs.items() if n > 0 and PIECE.fullmatch(pair[0] + pair[1])), key=lambda x: (x[0], x[1]))[1]
        piece = best[0] + best[1]
        if piece not in known:
            known.add(piece)
            merges.append(piece)
        for i in list(where[best]):
            symbols, n = words[i]
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] -= n
            out, j = [], 0
            while j < len(symbols):
                if j + 1 < len(symbols) and (symbols[j], symbols[j + 1]) == best:
                    out.append(piece)
                    j += 2
                else:
                    out.append(symbols[j])
                    j += 1
            words[i] = (out, n)
            for pair in zip(out, out[1:]):
                pairs[pair] += n
                where[pair].add(i)
        del pairs[best]
    tokens += [(p, -float(i + 1), NORMAL) for i, p in enumerate(merges)]
    tokens += [(c, -float(len(merges) + i + 1), NORMAL) for i, c in enumerate(chars)]
    return [dict(zip(("piece", "score", "type"), t)) for t in tokens]


class Spm:
    """Encodes and decodes with a vocabulary of {piece, score, type}."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.ids = {t["piece"]: i for i, t in enumerate(tokens)}
        self.merge = {t["piece"]: t["score"] for t in tokens if t["type"] == NORMAL}
        self.cache = {}
        self.user, self.assistant, self.end = (self.ids[c] for c in ("<|user|>", "<|assistant|>", "<|end|>"))

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as f:
            return Spm(json.load(f)["tokens"])

    def _chunk(self, chunk):
        symbols = list(chunk)
        while True:
            best, at = None, -1
            for i in range(len(symbols) - 1):
                score = self.merge.get(symbols[i] + symbols[i + 1])
                if score is not None and (best is None or score > best):
                    best, at = score, i
            if best is None:
                break
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
        out = []
        for s in symbols:
            if s in self.merge:
                out.append(self.ids[s])
            else:
                out += [self.ids[f"<0x{b:02X}>"] for b in s.encode()]
        return out

    def encode(self, text):
        """Ids of plain text, control tokens not recognised, no space put in front."""
        out = []
        for chunk in to_chunks(text):
            ids = self.cache.get(chunk)
            if ids is None:
                ids = self._chunk(chunk)
                if len(self.cache) < 400_000:
                    self.cache[chunk] = ids
            out += ids
        return out

    def decode(self, ids):
        raw = b""
        for i in ids:
            t = self.tokens[i]
            if t["type"] == BYTE:
                raw += bytes([int(t["piece"][3:5], 16)])
            elif t["type"] == NORMAL:
                raw += t["piece"].replace(SPACE, " ").encode()
        return raw.decode(errors="replace")

    def prompt(self, messages):
        """Ids of a conversation up to where the assistant speaks, as the chat template renders them."""
        out = [BOS]
        for m in messages:
            out += [self.ids[f"<|{m['role']}|>"], *self.encode(m["content"]), self.end]
        return out + [self.assistant]

    def pieces(self):
        """The lower-case pieces of two letters and more, without their space: building material for words."""
        found = {t["piece"].lstrip(SPACE) for t in self.tokens if t["type"] == NORMAL}
        return sorted(p for p in found if re.fullmatch("[a-z]{2,5}", p))
