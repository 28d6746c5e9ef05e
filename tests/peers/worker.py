"""What every peer that is a Python library shares: lines of work on stdin, times on stdout.

A line is {"texts": [[id, ...], ...], "repeat": n}, the answer {"ms": ..., "cpu_ms": ...}: medians of n runs, as time
that passed and as processor time of the whole process. With "vectors": true the answer has the embeddings too.
`ephemeralml bench engine --lines` speaks the same.
"""
import json
import statistics
import sys
import time

import numpy as np


def padded(texts):
    """ids and mask of a batch, padded to its longest text."""
    longest = max(len(text) for text in texts)
    ids = np.zeros((len(texts), longest), dtype=np.int64)
    mask = np.zeros((len(texts), longest), dtype=np.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return ids, mask


def one_by_one(embed):
    return lambda texts: np.concatenate([embed([text]) for text in texts])


def in_groups(embed, size):
    """Texts of like length together, `size` at a time: what a careful user of a padding engine does."""

    def run(texts):
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = [None] * len(texts)
        for begin in range(0, len(order), size):
            group = order[begin : begin + size]
            for i, vector in zip(group, embed([texts[i] for i in group])):
                out[i] = vector
        return np.stack(out)

    return run


def timed(run, texts, repeat):
    ms, cpu = [], []
    for _ in range(repeat):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        run(texts)
        cpu.append((time.process_time() - cpu_begin) * 1e3)
        ms.append((time.perf_counter() - begin) * 1e3)
    return {"ms": statistics.median(ms), "cpu_ms": statistics.median(cpu)}


def serve(embed):
    """Answers lines until stdin ends. Of several ways to run many texts the best is the peer's figure."""
    many = [one_by_one(embed), in_groups(embed, 8), in_groups(embed, 32)]
    best = {}
    for line in sys.stdin:
        work = json.loads(line)
        texts = work["texts"]
        if work.get("vectors"):
            answer = {"vectors": embed(texts).tolist()}
        elif len(texts) == 1:
            answer = timed(embed, texts, work["repeat"])
        else:
            key = sum(len(text) for text in texts)
            if key not in best:  # the first time all ways, then the one that was best
                best[key] = min(many, key=lambda way: timed(way, texts, 1)["cpu_ms"])
            answer = timed(best[key], texts, work["repeat"])
        print(json.dumps(answer), flush=True)
