"""Our engine beside every engine that a user could pick instead: one process each, one at a time, in turn.

run.py --program EPHEMERALML --model DIR --files DIR [--candle PROGRAM] [--threads N] [--rounds N] [--cpu-time]
       [--profiles fp32,...] [--json FILE] [--missing TEXT]...

DIR of --files gets the peers' own forms of the model. Each round runs one load on every engine, then the next load.
The table shows medians, and each peer's time over ours of the same precision.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LENGTHS = (8, 16, 32, 64, 128, 256)
SAMPLE_MS = 60  # a sample is repeated to be about as long as this
TOKENIZER_TEXTS = 64


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--files", required=True)
    parser.add_argument("--candle")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--profiles", default="fp32,bf16,int8")
    parser.add_argument("--loads", help="only these, by name")
    parser.add_argument("--json")
    parser.add_argument("--missing", action="append", default=[], help="what to say about a peer that is not here")
    return parser.parse_args()


def prose():
    """The text that `bench engine` cuts its loads from."""
    with open(f"{ROOT}/engine/measure_text.inc", encoding="utf-8") as file:
        return "".join(re.findall(r'"([^"]*)"', file.read()))


def loads_of(tokenizer, text):
    """The loads of engine/measure.cc: the same ids."""
    ids = tokenizer.encode(text).ids
    inner = ids[1:-1]

    def cut(lengths):
        texts, at = [], 0
        for length in lengths:
            texts.append([ids[0]] + [inner[(at + i) % len(inner)] for i in range(length - 2)] + [ids[-1]])
            at += length - 2
        return texts

    loads = {str(length): cut([length]) for length in LENGTHS}
    loads["32x128"] = cut([128] * 32)
    loads["ragged"] = cut([5 + i * 83 % 196 for i in range(64)])
    return loads


class Worker:
    """One engine's process. Others run only while it waits."""

    def __init__(self, engine, label, precision, command, threads):
        self.engine, self.label, self.precision = engine, label, precision
        self.ms = {}
        cores = sorted(os.sched_getaffinity(0))[-threads:]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads),
                           OMP_WAIT_POLICY="PASSIVE", PYTHONPATH=HERE)
        self.process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores))] + command, cwd=HERE, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask(self, **work):
        try:
            self.process.stdin.write(json.dumps(work) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError):
            self.process.kill()
            raise SystemExit(f"{self.label} ended: {self.process.stderr.read()[-2000:]}")

    def sample(self, name, texts, by):
        known = self.ms.setdefault(name, [])
        if not known:  # warm, and find out how long it takes
            self.ask(texts=texts, repeat=1)
            known.append(self.ask(texts=texts, repeat=1)[by])
        else:
            known.append(self.ask(texts=texts, repeat=max(1, round(SAMPLE_MS / max(known[0], 0.1))))[by])

    def median(self, name):
        return statistics.median(self.ms[name]) if self.ms.get(name) else None

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)


def prepare_files(args, directory):
    """The peers' forms of the model, made once."""
    import safetensors.numpy

    import bert_onnx
    import ct2_model

    done = f"{directory}/complete"
    if os.path.exists(done):
        return
    os.makedirs(directory, exist_ok=True)
    weights = safetensors.numpy.load_file(f"{args.model}/model.safetensors")
    bert_onnx.save(weights, directory)
    with open(f"{args.model}/tokenizer.json", encoding="utf-8") as file:
        vocabulary = json.load(file)["model"]["vocab"]
    ct2_model.save(weights, sorted(vocabulary, key=vocabulary.get), f"{directory}/ctranslate2")
    with open(done, "w", encoding="utf-8"):
        pass


def workers_of(args):
    python, n = sys.executable, str(args.threads)
    files = args.files
    out = []
    for profile in args.profiles.split(","):
        command = [args.program, "bench", "engine", "--model", args.model, "--precision", profile, "--threads", n, "--lines"]
        out.append(Worker("ephemeralml", f"ephemeralml {profile}", profile, command, args.threads))
    for graph, precision in (("plain", "fp32"), ("fused", "fp32"), ("int8", "int8")):
        out.append(Worker("onnxruntime", f"onnxruntime {graph}", precision,
                          [python, "peer_onnxruntime.py", f"{files}/{graph}.onnx", n], args.threads))
    out.append(Worker("openvino", "openvino", "fp32", [python, "peer_openvino.py", f"{files}/plain.onnx", n],
                      args.threads))
    for kind, precision in (("float32", "fp32"), ("int8", "int8")):
        out.append(Worker("ctranslate2", f"ctranslate2 {precision}", precision,
                          [python, "peer_ctranslate2.py", f"{files}/ctranslate2", kind, n], args.threads))
    if args.candle:
        out.append(Worker("candle", "candle", "fp32", [args.candle, args.model], args.threads))
        out.append(Worker("candle_padded", "candle as the first system", "fp32", [args.candle, args.model, "--padded"],
                          args.threads))
    return out


def check_vectors(workers, texts):
    """No peer is timed at computing something else."""
    reference = None
    for worker in workers:
        if worker.engine == "ephemeralml":
            continue
        vectors = worker.ask(texts=texts, repeat=1, vectors=True)["vectors"]
        reference = reference or vectors
        least = min(sum(a * b for a, b in zip(u, v)) for u, v in zip(reference, vectors))
        # Padding without a mask is the first system's defect, and eight bits cost what they cost.
        bound = 0.9999 if worker.precision == "fp32" and worker.engine != "candle_padded" else 0.5
        if least < bound:
            raise SystemExit(f"{worker.label} computes other embeddings: cosine {least}")


def table(workers, names, by):
    ours = {w.precision: w for w in workers if w.engine == "ephemeralml"}
    unit = "processor time" if by == "cpu_ms" else "time"
    print(f"| ms, {unit}; in brackets: of ours in the same precision | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for worker in workers:
        cells = []
        for name in names:
            ms, base = worker.median(name), ours.get(worker.precision)
            ratio = "" if worker.engine == "ephemeralml" or not base else f" ({ms / base.median(name):.2f})"
            cells.append(f"{ms:.2f}{ratio}" if ms < 100 else f"{ms:.0f}{ratio}")
        print(f"| {worker.label} | " + " | ".join(cells) + " |")


def as_json(workers, loads, threads, machine):
    latency, throughput = [], []
    best = {}  # of an engine's graphs the better one counts
    for worker in workers:
        for name in loads:
            key = (worker.engine, worker.precision, name)
            best[key] = min(best.get(key, float("inf")), worker.median(name))
    for (engine, profile, name), ms in best.items():
        row = {"engine": engine, "profile": profile, "threads": threads}
        if name.isdigit():
            latency.append(dict(row, s=int(name), ms=round(ms, 4)))
        else:
            tokens = sum(len(text) for text in loads[name])
            throughput.append(dict(row, mix=name, tokens_per_s=round(tokens * 1e3 / ms, 1)))
    return dict(machine, latency=latency, throughput=throughput)


def machine_of(args):
    """What `bench engine` says about the machine: measured once, with one short round."""
    command = [args.program, "bench", "engine", "--model", args.model, "--precision", "fp32", "--threads", "1", "--rounds",
               "1", "--json"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {key: json.loads(out)[key] for key in ("machine", "isa", "peak_gflops")}


def tokenizer_row(args, tokenizer, text, by, rounds):
    """128 tokens with ours and with the official library: a batch call on one thread, over texts that differ."""
    words = text.split()
    texts = []
    for i in range(TOKENIZER_TEXTS):
        n = 1
        while len(tokenizer.encode(" ".join(words[i : i + n])).ids) < 128:
            n += 1
        texts.append(" ".join(words[i : i + n]))
    ours = Worker("ephemeralml", "ephemeralml", "fp32", [args.program, "bench", "engine", "--model", args.model,
                                                        "--precision", "fp32", "--threads", "1", "--lines"], 1)
    mine, theirs = [], []
    clock = time.process_time if by == "cpu_ms" else time.perf_counter
    for _ in range(rounds * 4):
        mine.append(ours.ask(tokenize=texts, repeat=20)[by] * 1e3 / len(texts))
        begin = clock()
        tokenizer.encode_batch(texts)
        theirs.append((clock() - begin) * 1e6 / len(texts))
    ours.end()
    a, b = statistics.median(mine), statistics.median(theirs)
    print(f"\nTokenizer, 128 tokens: {a:.2f} us; PyPI tokenizers, batch call: {b:.1f} us ({b / a:.0f} times ours)")


def main():
    args = arguments()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    import tokenizers

    by = "cpu_ms" if args.cpu_time else "ms"
    tokenizer = tokenizers.Tokenizer.from_file(f"{args.model}/tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    text = prose()
    prepare_files(args, args.files)
    loads = loads_of(tokenizer, text)
    if args.loads:
        loads = {name: loads[name] for name in args.loads.split(",")}
    machine = machine_of(args)
    workers = workers_of(args)
    check_vectors(workers, [texts[0] for texts in loads.values()])
    for _ in range(args.rounds):
        for name, texts in loads.items():
            for worker in workers:
                worker.sample(name, texts, by)
    print(f"{machine['machine']}, kernels {machine['isa']}, fp32 peak of one core {machine['peak_gflops']} GFLOP/s, "
          f"threads {args.threads}, load {os.getloadavg()[0]:.1f}\n")
    table(workers, list(loads), by)
    for missing in args.missing:
        print(f"\nMissing: {missing}")
    for worker in workers:
        worker.end()
    tokenizer_row(args, tokenizer, text, by, args.rounds)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(as_json(workers, loads, args.threads, machine), file)


main()
