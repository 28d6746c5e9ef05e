#!/usr/bin/env python3
"""Compares `ephemeralml embed` with the official tokenizer (PyPI `tokenizers`) id for id, over Unicode.

    python3 -m venv VENV && VENV/bin/pip install tokenizers
    VENV/bin/python tests/judges/tokenizer_diff.py build/release/ephemeralml MODEL_DIR [--rounds N] [--seed S]

First every code point between letters and beside spaces, then random texts that mix scripts, marks, controls and
literals of special tokens. Exit 0 if all agree; else the first differences, as JSON strings, and exit 1.
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
    """The ids of each text. One process for all; embeddings come along, so texts should be short."""
    lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    done = subprocess.run([program, "embed", "--model", model], input=lines.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"embed failed: {done.stderr.decode(errors='replace')}")
    return [json.loads(line)["ids"] for line in done.stdout.splitlines()]


def single_characters():
    """Thirty code points a text, each twice: one inference for many."""
    for i in range(0, len(CODE_POINTS), 30):
        yield " ".join(f"a{c}b {c}" for c in CODE_POINTS[i : i + 30])


def random_texts(rng, count):
    marks = [c for c in CODE_POINTS if unicodedata.combining(c)]
    pools = [
        CODE_POINTS[0x20:0x7F],
        CODE_POINTS[:0x250],
        CODE_POINTS[0x250:0x3000],
        CODE_POINTS[0x3000:0xD800],
        CODE_POINTS,
        marks,
        ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[", "]", "SEP"],
        [" ", "\t", "\n", "\r\n", "\u00a0", "\u3000"],
        ["the ", "hello", "embedding", "un", "##ing", "Stra\u00dfe", "\u0130", "\u03a3", "\u03c2"],
        ["\U0001d15e", "\U0001d165", "\u302e", "\u302f", "\u0f71", "\u0344"],
    ]
    for _ in range(count):
        chosen = rng.sample(pools, rng.choice([1, 2, 3]))
        yield "".join(rng.choice(rng.choice(chosen)) for _ in range(rng.choice([1, 3, 8, 20, 60])))


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
