#!/usr/bin/env python3
"""Compares `ephemeralml embed` with the official tokenizer (PyPI `tokenizers`) id for id, over Unicode.

    python3 -m venv VENV && VENV/bin/pip install tokenizers
    VENV/bin/python tests/judges/tokenizer_diff.py build/release/ephemeralml MODEL_DIR [--rounds N] [--seed S]

First every code point between letters, beside spaces, doubled and beside a mark; every mark on several bases, and in
pairs; words around the length from which they are unknown; texts around the length at which they are cut; literals of
special tokens beside everything. Then random texts that mix all of it. Exit 0 if all agree; else the first differences,
as JSON strings, and exit 1.
"""

import argparse
import json
import random
import subprocess
import sys
import unicodedata

from tokenizers import Tokenizer

CODE_POINTS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ours(program, model, texts):
    """The ids of each text. One process for all."""
    lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    done = subprocess.run([program, "embed", "--ids", "--model", model], input=lines.encode(), capture_output=True,
                          check=False)
    if done.returncode != 0:
        sys.exit(f"embed failed: {done.stderr.decode(errors='replace')}")
    return [json.loads(line)["ids"] for line in done.stdout.splitlines()]


MARKS = [c for c in CODE_POINTS if unicodedata.category(c) in ("Mn", "Mc", "Me") or unicodedata.combining(c)]
BASES = ["a", "\u00e9", "e\u0301", "9", "-", "\u4e00", "\uac00", "\u1100\u1161", "\u03a3", "\u0130", "\U00020000", " "]
SPECIALS = ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]"]


def single_characters():
    """Fifteen code points a text."""
    for i in range(0, len(CODE_POINTS), 15):
        yield " ".join(f"a{c}b {c} {c}{c} {c}\u0301\u0316" for c in CODE_POINTS[i : i + 15])


def marks():
    """Each mark on each base; and pairs, whose canonical order may not be the one that is written."""
    for mark in MARKS:
        yield " ".join(base + mark for base in BASES) + " " + mark
    some = MARKS[::17]
    for mark in MARKS:
        yield " ".join(f"a{mark}{other}b" for other in some[:40])
    for other in some:
        yield " ".join(f"\u4e00{other}{mark}" for mark in some[:60])


def long_words():
    """Words are unknown from 101 characters on, after marks were stripped and letters mapped."""
    units = ["a", "\u00e9", "e\u0301", "\u03a3", "\u0130", "\ufb03", "\u1e9e", "\u0e31", "\u302e", "\uac00", "\u1100", "zz",
             "\U0001d400"]
    for unit in units:
        for count in (49, 50, 51, 97, 98, 99, 100, 101, 102, 103, 127, 128, 129, 130, 255, 1000):
            yield unit * count
            yield f"x {unit * count} y{unit * count}-{unit}"


def cut_texts(rng):
    """256 ids at most: the cut may fall on a space, on punctuation, inside a word, on a special token."""
    tails = ["unaffordability", "embeddings", "!", "[SEP]", "\u4e00", "x" * 120, "\u0301", "e\u0301", "##ing",
             "Stra\u00dfe "]
    for length in range(248, 260):
        for tail in tails:
            yield "the " * length + tail
            yield "," * length + tail * 3
            yield "[MASK]" * length + tail
    for _ in range(200):
        count = rng.randrange(80, 300)
        yield " ".join(rng.choice(tails + ["word", "antidisestablishmentarianism"]) for _ in range(count))


def special_literals(rng):
    """A literal is that token wherever it stands, in its own case, and nothing else is."""
    beside = CODE_POINTS[:0x300] + MARKS[::7] + CODE_POINTS[0x2000:0x2100] + CODE_POINTS[0x4e00:0x4e10]
    for i in range(0, len(beside), 10):
        yield " ".join(f"{c}[SEP]{c} [{c}SEP] [SEP{c}]" for c in beside[i : i + 10])
    pieces = SPECIALS + ["[sep]", "[Sep]", "[SE", "P]", "[", "]", "[[", "]]", "SEP", "[SEP",
                         "\uff3bSEP\uff3d", "[S\u0301EP]"]
    for _ in range(2000):
        yield "".join(rng.choice(pieces + ["a", " ", "\u0301", "\x00"]) for _ in range(rng.randrange(1, 12)))


def random_texts(rng, count):
    pools = [
        CODE_POINTS[0x20:0x7F],
        CODE_POINTS[:0x250],
        CODE_POINTS[0x250:0x3000],
        CODE_POINTS[0x3000:0xD800],
        CODE_POINTS,
        MARKS,
        ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[", "]", "SEP"],
        [" ", "\t", "\n", "\r\n", "\u00a0", "\u3000"],
        ["the ", "hello", "embedding", "un", "##ing", "Stra\u00dfe", "\u0130", "\u03a3", "\u03c2"],
        ["\U0001d15e", "\U0001d165", "\u302e", "\u302f", "\u0f71", "\u0344"],
    ]
    for _ in range(count):
        chosen = rng.sample(pools, rng.choice([1, 2, 3]))
        yield "".join(rng.choice(rng.choice(chosen)) for _ in range(rng.choice([1, 3, 8, 20, 60, 400])))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=5, help="of 1,000 random texts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip-singles", action="store_true")
    args = parser.parse_args()

    official = Tokenizer.from_file(f"{args.model}/tokenizer.json")
    official.no_padding()
    official.enable_truncation(256)
    rng = random.Random(args.seed)
    batches = [] if args.skip_singles else [list(single_characters())]
    batches += [list(marks()), list(long_words()), list(cut_texts(rng)), list(special_literals(rng))]
    batches += [list(random_texts(rng, 1000)) for _ in range(args.rounds)]
    compared = differ = 0
    for texts in batches:
        want = [e.ids for e in official.encode_batch(texts)]
        got = ours(args.program, args.model, texts)
        if len(got) != len(want):
            sys.exit(f"{len(texts)} texts gave {len(got)} lines")
        for text, a, b in zip(texts, want, got):
            compared += 1
            if a != b:
                differ += 1
                if differ <= 5:
                    print(json.dumps(text), "official", a, "ours", b)
    print(f"{compared} texts compared, {differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
