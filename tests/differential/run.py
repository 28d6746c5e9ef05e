#!/usr/bin/env python3
"""run.py OURS DCAP_QVL GO [--bench ATTESTATION_BENCH] runs the evidence corpus through other verifiers and prints where
they differ from us and from the stated verdict. OURS is `ephemeralml`, the other two are the programs of dcap_qvl/ and
go/; a program that is `-` is left out. explained.json says of each difference whose it is and why: exit 1 if one is not
explained, or if an explanation no longer fits anything.

What a peer's program reads, one JSON object a line: id, kind, evidence and collateral (base64), time (seconds), root.
What it prints, in the same order: id, verdict ("valid", "invalid", "unsupported"), tcb_status, error.
"""

import argparse
import collections
import datetime
import fnmatch
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from evidence_requests import corpus_of, graded_cases, request_of  # noqa: E402

# The same evidence as that of attestation_bench.
BENCH_CASES = {"tdx": "tdx_v4_gcp_cos113_00806f05@20250228", "sevsnp": "milan_v3_oak_release"}
OUR_BENCHES = {
    "tdx cold": "judge_cold/tdx_v4",
    "tdx second quote": "judge_second_quote/tdx_v4",
    "sevsnp cold": "sevsnp/cold",
    "nitro cold": "nitro_judge",
}
BENCH_ROUNDS = 7
BENCH_RUNS_A_ROUND = 200


def is_tdx_v4(evidence):
    return len(evidence) > 8 and evidence[:2] == b"\x04\x00" and evidence[4:8] == b"\x81\x00\x00\x00"


# What a peer says that it can do; what is outside is not asked of it.
PEERS = {
    "dcap-qvl": {"kinds": ("tdx",), "takes": lambda evidence: True},
    "go-tdx-guest": {"kinds": ("tdx",), "takes": is_tdx_v4},
    "go-sev-guest": {"kinds": ("sevsnp",), "takes": lambda evidence: True},
}


def line_of(corpus, kind, case):
    request = request_of(corpus, kind, case)
    time = datetime.datetime.fromisoformat(request["time"].replace("Z", "+00:00"))
    request.update(id=case["id"], time=int(time.timestamp()))
    request.pop("policy", None)
    return json.dumps(request)


def ask_peer(program, arguments, lines):
    given = "\n".join(lines) + "\n"
    done = subprocess.run([program, *arguments], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    # go-tdx-guest logs to the standard output.
    return [line for line in done.stdout.rstrip("\n").split("\n") if not line.startswith("WARN ")]


def ask_us(program, corpus):
    """{(kind, id): answer} of `ephemeralml corpus`."""
    done = subprocess.run([program, "corpus", str(corpus / "open")], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.split("\n") if line.startswith("{")]
    return {(line["kind"], line["id"]): line for line in lines}


def compare(name, program, corpus, ours):
    """Every graded case within the peer's scope: stated, ours, theirs."""
    rows = []
    for kind in PEERS[name]["kinds"]:
        cases = [c for c in graded_cases(corpus, kind) if c.get("evidence")]
        cases = [c for c in cases if PEERS[name]["takes"]((corpus / c["evidence"]).read_bytes())]
        answers = ask_peer(program, [], [line_of(corpus, kind, case) for case in cases])
        for case, line in zip(cases, answers, strict=True):
            theirs, expect = json.loads(line), case["expect"]
            if theirs["id"] != case["id"]:
                sys.exit(f"{name} answered {theirs['id']} for {case['id']}")
            rows.append(
                {
                    "peer": name,
                    "kind": kind,
                    "id": case["id"],
                    "stated": expect["verdict"],
                    "class": expect.get("error") or "",
                    "policy": bool(case.get("policy")),
                    "ours": ours[kind, case["id"]]["got"],
                    "theirs": theirs["verdict"],
                    "status": (expect.get("tcb_status"), theirs.get("tcb_status")),
                    "error": theirs.get("error", ""),
                }
            )
    return rows


def is_difference(row):
    stated_status, their_status = row["status"]
    other_status = row["theirs"] == "valid" and None not in row["status"] and stated_status != their_status
    return row["theirs"] != row["stated"] or row["theirs"] != row["ours"] or other_status


def explanation_of(row, explanations):
    """The first that fits. A member that is absent fits everything; `id`, `class` and `error` are shell patterns."""
    for one in explanations:
        fits = all(row[name] == one[name] for name in ("peer", "stated", "theirs", "policy") if name in one)
        if fits and all(fnmatch.fnmatchcase(row[name], one[name]) for name in ("id", "class", "error") if name in one):
            return one
    return None


def print_table(rows):
    print(f"{'peer':14} {'asked':>6} {'agree':>6} {'differ from the stated verdict':>31} {'from ours':>10}")
    for peer in dict.fromkeys(row["peer"] for row in rows):
        mine = [row for row in rows if row["peer"] == peer]
        stated = sum(row["theirs"] != row["stated"] for row in mine)
        ours = sum(row["theirs"] != row["ours"] for row in mine)
        agree = sum(not is_difference(row) for row in mine)
        print(f"{peer:14} {len(mine):>6} {agree:>6} {stated:>31} {ours:>10}")
    wrong = sum(row["ours"] != row["stated"] for row in rows)
    print(f"ours differs from the stated verdict in {wrong} of these cases")


def report(rows, explanations):
    """Prints all differences by explanation; returns the number of those that have none, and of idle explanations."""
    groups = collections.defaultdict(list)
    for row in filter(is_difference, rows):
        one = explanation_of(row, explanations)
        groups[one["name"] if one else "NOT EXPLAINED"].append(row)
    for name, members in sorted(groups.items()):
        whose = next((one["whose"] for one in explanations if one["name"] == name), "?")
        print(f"\n{name} ({whose}), {len(members)}:")
        for row in members:
            stated_status, their_status = row["status"]
            print(
                f"  {row['peer']} {row['id']}: stated {row['stated']} {row['class']} {stated_status or ''}, "
                f"ours {row['ours']}, theirs {row['theirs']} {their_status or ''} {row['error'][:140]}"
            )
    peers = {row["peer"] for row in rows}
    idle = [one["name"] for one in explanations if one["name"] not in groups and one["peer"] in peers]
    for name in idle:
        print(f"\nthe explanation {name} fits nothing any more")
    return len(groups.get("NOT EXPLAINED", ())), len(idle)


def our_nanoseconds(program, name):
    done = subprocess.run(
        [program, f"--benchmark_filter=^{name}$", "--benchmark_format=json", "--benchmark_min_time=0.2"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    result = json.loads(done.stdout)["benchmarks"][0]
    return result["real_time"] * {"ns": 1, "us": 1e3, "ms": 1e6}[result["time_unit"]]


def bench(ours, peers, corpus):
    """Medians of rounds in which all take turns; a round of a peer is itself a median."""
    samples = collections.defaultdict(list)
    lines = {}
    for kind, wanted in BENCH_CASES.items():
        case = next(c for c in graded_cases(corpus, kind) if c["id"] == wanted)
        lines[kind] = line_of(corpus, kind, case)
    for _ in range(BENCH_ROUNDS):
        for label, name in OUR_BENCHES.items():
            samples["ours", label].append(our_nanoseconds(ours, name))
        for peer, program in peers.items():
            flag = "--bench" if peer == "dcap-qvl" else "-bench"
            for kind in PEERS[peer]["kinds"]:
                runs = ask_peer(program, [flag, str(BENCH_RUNS_A_ROUND)], [lines[kind]])
                samples[peer, f"{kind} cold"].append(statistics.median(map(int, runs)))
    for (who, label), values in sorted(samples.items(), key=lambda item: item[0][1]):
        low, high = min(values) / 1e6, max(values) / 1e6
        print(f"{label:18} {who:14} {statistics.median(values) / 1e6:8.3f} ms  ({low:.3f} to {high:.3f})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("ours", "dcap_qvl", "go"):
        parser.add_argument(name)
    parser.add_argument("--bench", help="attestation_bench: measure side by side instead")
    options = parser.parse_args()
    corpus = corpus_of(HERE.parents[1])
    if corpus is None:
        print("no evidence corpus: EML_SHARED is not set, nor is there a folder `shared` beside the tree")
        return 77
    peers = {"dcap-qvl": options.dcap_qvl, "go-tdx-guest": options.go, "go-sev-guest": options.go}
    peers = {name: program for name, program in peers.items() if program != "-"}
    if options.bench:
        bench(options.bench, peers, corpus)
        return 0
    ours = ask_us(options.ours, corpus)
    rows = [row for name, program in peers.items() for row in compare(name, program, corpus, ours)]
    explanations = json.loads((HERE / "explained.json").read_text())
    page = (HERE.parents[1] / "docs/spec/evidence/differences.md").read_text()
    unwritten = [one["name"] for one in explanations if f"`{one['name']}`" not in page]
    print_table(rows)
    unexplained, idle = report(rows, explanations)
    for name in unwritten:
        print(f"\nthe explanation {name} is not in docs/spec/evidence/differences.md")
    print(f"\n{unexplained} differences without an explanation, {idle} explanations without a difference")
    return 1 if unexplained or idle or unwritten or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
