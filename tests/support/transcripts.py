#!/usr/bin/env python3
"""transcripts.py PROGRAM TRANSCRIPT runs a transcript and compares. Each paragraph has a fresh directory.

    = A sentence that says what is shown
    needs: model unshare          skip the paragraph where the machine lacks that
    % shell command               preparation; must succeed
    $ shell command               what is tested; then what it must do:
    > line                        of standard output, in order
    ! line                        of standard error
    ? 2                           exit status; 0 if there is none
    + path                        a file that is new afterwards; `-` one that is gone, `~` one that changed
    @ request                     that the origin server saw, in order

Of all files that are not named by + - ~ the bytes must be as before. In expected lines `...` stands for anything.
A line that starts with `#` is a remark. A file prelude.sh beside the transcript is read by every command's shell.
{origin} is the server's address, {http} the same as HOST:PORT, {silent} a port that takes connections and says nothing,
{closed} one where nobody listens, {tls} that of another with TLS and the certificate {certificate}, {here} the folder of
the transcript, `ephemeralml` the program, `weak` runs a command without root's power to read everything, `no_network` one
without a network."""

import hashlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from origin import Origin, make_certificate

PRELUDE = """
ephemeralml() { "$PROGRAM" "$@"; }
weak() { if [ "$(id -u)" = 0 ]; then setpriv --bounding-set=-all --inh-caps=-all "$@"; else "$@"; fi; }
no_network() { unshare -rn "$@"; }
export -f ephemeralml
"""


def real_model():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.environ.get("HOME", "/"), ".cache")
    return pathlib.Path(os.environ.get("EML_MODEL_DIR") or cache + "/ephemeralml/models/all-minilm-l6-v2")


def has(need):
    if need == "model":
        return (real_model() / "model.safetensors").is_file()
    if need == "tls":
        return shutil.which("openssl") is not None
    if need == "unshare":
        return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0
    if need == "tmpfs":
        mount = "mount -t tmpfs -o size=64k none /mnt"
        return subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True).returncode == 0
    raise SystemExit(f"what is a need of {need}?")


def fingerprint(path):
    status = path.stat()
    # A file that is huge on purpose is sparse: its size and its first bytes tell enough.
    head = b""
    if status.st_mode & 0o400 or os.getuid() == 0:
        with path.open("rb") as file:
            head = file.read(1 << 20)
    return f"{status.st_size} {hashlib.sha256(head).hexdigest()}"


def tree(directory):
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        elif path.is_file():
            found[name] = fingerprint(path)
        elif path.is_dir():
            found[name + "/"] = "directory"
    return found


def changes(before, after):
    out = [f"+ {name}" for name in after if name not in before]
    out += [f"- {name}" for name in before if name not in after]
    out += [f"~ {name}" for name in after if name in before and after[name] != before[name]]
    return sorted(out)


def matches(expected, got):
    pattern = ".*".join(re.escape(piece) for piece in expected.split("..."))
    return re.fullmatch(pattern, got) is not None


class Runner:
    def __init__(self, program, transcript):
        self.here = transcript.parent
        self.origin = Origin()
        self.tls = None
        self.keys = tempfile.TemporaryDirectory(prefix="eml-cli-")
        self.environment = dict(os.environ, PROGRAM=str(program), HERE=str(self.here), REAL_PYTHON=sys.executable,
                                MODEL=str(real_model()), NO_COLOR="1")
        prelude = self.here / "prelude.sh"
        self.prelude = PRELUDE + (prelude.read_text() if prelude.is_file() else "")
        # Bound for as long as the transcript runs, so that nobody else gets them.
        self.silent, self.closed = socket.socket(), socket.socket()
        self.silent.bind(("127.0.0.1", 0))
        self.silent.listen(64)
        self.closed.bind(("127.0.0.1", 0))
        self.failures = 0
        self.skipped = 0
        self.passed = 0

    def start_tls(self):
        if self.tls is None:
            make_certificate(pathlib.Path(self.keys.name) / "localhost.pem")
            self.tls = Origin(pathlib.Path(self.keys.name) / "localhost.pem", self.origin.url())
            self.tls.requests = self.origin.requests
            self.tls.directory = self.here / "origin"

    def expand(self, text):
        if self.tls is not None:
            text = text.replace("{tls}", self.tls.url())
        text = text.replace("{certificate}", self.keys.name + "/localhost.pem.crt")
        text = text.replace("{http}", "%s:%d" % self.origin.server_address)
        text = text.replace("{silent}", "%s:%d" % self.silent.getsockname())
        text = text.replace("{closed}", "%s:%d" % self.closed.getsockname())
        return text.replace("{origin}", self.origin.url()).replace("{here}", str(self.here))

    def shell(self, command, directory):
        return subprocess.run(["bash", "-c", self.prelude + self.expand(command)], cwd=directory, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=250)

    def paragraph(self, title, lines):
        needs = [word for line in lines if line.startswith("needs: ") for word in line[7:].split()]
        if not all(has(need) for need in needs):
            print(f"skipped: {title} (needs {' '.join(needs)})")
            self.skipped += 1
            return
        problems = []
        with tempfile.TemporaryDirectory(prefix="eml-cli-") as name:
            directory = pathlib.Path(name)
            self.origin.directory = real_model() if "model" in needs else self.here / "origin"
            if "tls" in needs:
                self.start_tls()
            for step in steps_of(lines):
                problems += self.step(step, directory)
                if problems:
                    break
            subprocess.run(["chmod", "-R", "u+rwX", name])
        if problems:
            self.failures += 1
            print(f"FAILED: {title}", *problems, sep="\n    ")
        else:
            self.passed += 1

    def step(self, step, directory):
        command = step["command"]
        if command.startswith("% "):
            done = self.shell(command[2:], directory)
            return [] if done.returncode == 0 else [command, done.stderr.decode()]
        self.origin.requests.clear()
        before = tree(directory)
        done = self.shell(command[2:], directory)
        problems = compare("exit", [step["exit"]], [str(done.returncode)])
        problems += compare("stdout", map(self.expand, step[">"]), done.stdout.decode().splitlines())
        problems += compare("stderr", map(self.expand, step["!"]), done.stderr.decode().splitlines())
        problems += compare("files", sorted(step["files"]), changes(before, tree(directory)))
        if step["@"]:
            problems += compare("requests", step["@"], self.origin.requests)
        return [command] + problems if problems else []


def compare(what, expected, got):
    expected = list(expected)
    if len(expected) == len(got) and all(map(matches, expected, got)):
        return []
    return [f"{what} must be:"] + [f"  {line}" for line in expected] + ["but is:"] + [f"  {line}" for line in got]


def steps_of(lines):
    steps = []
    for line in lines:
        if line[:2] in ("% ", "$ "):
            steps.append({"command": line, "exit": "0", ">": [], "!": [], "@": [], "files": []})
        elif line.startswith("? "):
            steps[-1]["exit"] = line[2:]
        elif line[:2] in ("> ", "! ", "@ "):
            steps[-1][line[0]].append(line[2:])
        elif line[:2] in ("+ ", "- ", "~ "):
            steps[-1]["files"].append(line)
        elif not line.startswith("needs: "):
            raise SystemExit(f"what is this line? {line}")
    return steps


def paragraphs(text):
    title, lines = None, []
    for line in text.splitlines():
        if line.startswith("= "):
            if title is not None:
                yield title, lines
            title, lines = line[2:], []
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    if title is not None:
        yield title, lines


def main():
    program, transcript = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    runner = Runner(program, transcript)
    for title, lines in paragraphs(transcript.read_text()):
        runner.paragraph(title, lines)
    print(f"{runner.passed} passed, {runner.failures} failed, {runner.skipped} skipped")
    if runner.failures:
        sys.exit(1)
    if runner.passed == 0:
        sys.exit(77)


if __name__ == "__main__":
    if shutil.which("bash") is None:
        raise SystemExit("needs bash")
    main()
