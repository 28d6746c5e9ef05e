"""What the whole-system tests share: the real program, broker and server as processes on loopback, a reader of CBOR.

The program is $EML_PROGRAM, or else that of the build tree that runs the test. Everything lies in a private directory
that is removed at the end; processes are ended by their id. Nothing sleeps for a fixed time: tests wait for a condition,
with a deadline. Python's standard library only.
"""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

_BUILT = pathlib.Path(__file__).parents[2] / "build/release/ephemeralml"
PROGRAM = os.environ.get("EML_PROGRAM") or os.environ.get("EML_BUILT_PROGRAM") or str(_BUILT)
MODEL_ID = "all-minilm-l6-v2"
# A sanitizer's program is slower and its memory says nothing.
SANITIZED = b"__sanitizer_" in pathlib.Path(PROGRAM).read_bytes() if os.path.exists(PROGRAM) else False
PATIENCE = 120 if SANITIZED else 60  # seconds until a condition that must come is given up


class Skip(Exception):
    """Why nothing can be tested here."""


def main():
    """Runs the tests of the calling file. Exit 77 if they cannot be run here, with the reason in one line."""
    try:
        model_directory()
    except Skip as why:
        print(f"SKIPPED: {why}")
        sys.exit(77)
    unittest.main(module="__main__", verbosity=2)


def run(*arguments, program=None, timeout=None, **options):
    """One command of the program: its exit status, stdout and stderr as text."""
    options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
    if "input" in options:
        options.pop("stdin")
    return subprocess.run([program or PROGRAM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout or 10 * PATIENCE, **options)


def must(*arguments, **options):
    """The same, for what has to succeed."""
    done = run(*arguments, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def until(condition, what, patience=None):
    """Waits until condition() gives something true, and returns that."""
    deadline = time.monotonic() + (patience or PATIENCE)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting: {what}")
        time.sleep(0.01)


def model_directory():
    if not os.access(PROGRAM, os.X_OK):
        raise Skip(f"no program at {PROGRAM}")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "ephemeralml/models"
    cache.mkdir(parents=True, exist_ok=True)
    pulled = run("model", "pull", MODEL_ID, "--to", cache / MODEL_ID)
    if pulled.returncode != 0:
        raise Skip("the real model is not in the cache and cannot be pulled")
    return cache / MODEL_ID


def _with_parent():
    # A test that is killed leaves no process behind.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """A running command; its output goes to files."""

    def __init__(self, directory, name, arguments, program=None, stdin=subprocess.DEVNULL, env=None):
        self.name = name
        self.out_path, self.err_path = directory / f"{name}.out", directory / f"{name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen([program or PROGRAM, *map(str, arguments)], stdin=stdin, stdout=out,
                                          stderr=err, preexec_fn=_with_parent, env=env)
        self.pid = self.popen.pid

    def out(self):
        return self.out_path.read_text()

    def err(self):
        return self.err_path.read_text()

    def alive(self):
        return self.popen.poll() is None

    def ready(self):
        """Waits for the one JSON line that says where it listens."""

        def line():
            text = self.out()
            if text.endswith("\n"):
                return json.loads(text.splitlines()[0])
            if not self.alive():
                raise AssertionError(f"{self.name} ended with {self.popen.returncode}: {self.err()}")
            return None

        return until(line, f"{self.name} to be ready")

    def wait(self, patience=None):
        """Its exit status."""
        try:
            return self.popen.wait(patience or PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end") from None

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self):
        if self.alive():
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()
            try:
                self.popen.wait(35)
            except subprocess.TimeoutExpired:
                self.popen.kill()
        return self.popen.wait()

    def kill(self):
        if self.alive():
            self.popen.kill()
        self.popen.wait()

    def status(self, field):
        """A number of /proc/PID/status: kB, threads ..."""
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+)", text, re.M).group(1))


class Broker(Process):
    def __init__(self, directory, arguments, name="broker", **options):
        super().__init__(directory, name, ["broker", "--json", *arguments], **options)
        try:
            self.at = self.ready()["listen"]
        except AssertionError:
            self.kill()
            raise


class Server(Process):
    def __init__(self, directory, arguments, name="server", **options):
        super().__init__(directory, name, ["serve", "--json", *arguments], **options)
        try:
            said = self.ready()
        except AssertionError:
            self.kill()
            raise
        self.at, self.metrics_at, self.mode = said["server"], said["metrics"], said["mode"]

    def address(self):
        host, _, port = self.at.rpartition(":")
        return host, int(port)

    def connect(self):
        return socket.create_connection(self.address(), timeout=PATIENCE)

    def get(self, path):
        """Status and body of a GET on the port for the operator."""
        connection = http.client.HTTPConnection(self.metrics_at, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def metrics(self):
        lines = [line.split() for line in self.get("/metrics")[1].splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def metric(self, name):
        return self.metrics()["eml_" + name]

    def wait_metric(self, name, condition, patience=None):
        test = condition if callable(condition) else lambda value: value == condition
        until(lambda: test(self.metric(name)), f"eml_{name}", patience)


class World:
    """Keys, a package of the real model, configurations and a signed policy; and the processes on them."""

    def __init__(self, serve=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="eml-system-", dir=os.environ.get("EML_TEST_DIR")))
        self.processes = []
        try:
            self._prepare(serve or {})
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return self.directory / name

    def close(self):
        """Ends everything. A service that does not end well, or a sanitizer that found something, is a failure."""
        wrong = []
        for process in reversed(self.processes):
            service = process.alive() and isinstance(process, (Broker, Server))
            status = process.stop()
            said = process.err()
            if (service and status != 0) or re.search(r"Sanitizer|runtime error:", said):
                wrong.append(f"{process.name} ended with {status}: {said}")
        shutil.rmtree(self.directory)
        if wrong:
            raise AssertionError("\n".join(wrong))

    def key(self, purpose):
        return json.loads(must("keygen", "--purpose", purpose, "--to", self.path(f"{purpose}.key"), "--json").stdout)

    def _prepare(self, serve):
        self.publisher = self.key("publisher")["public_key"]
        broker = self.key("broker")
        self.broker_key = broker["public_key"]
        self.policy_owner = self.key("policy")["public_key"]
        self.package = self.path("minilm.pkg")
        must("model", "package", model_directory(), "--to", self.package, "--key", self.path("publisher.key"),
             "--key-id", broker["key_id"])
        self.serve_values = {
            "server.listen": "127.0.0.1:0",
            "server.metrics": "127.0.0.1:0",
            "server.mode": "evaluation",
            "server.attester": "local",
            "server.state_directory": str(self.path("state")),
            "server.issuer": "system.example",
            "model.package": str(self.package),
            "model.publishers": [self.publisher],
            "model.minimum_serials": {MODEL_ID: 1},
            "keys.broker": "http://127.0.0.1:1",
            "keys.broker_key": self.broker_key,
            # One address makes all of the load.
            "limits.hellos_per_second": 100000,
            "limits.hellos_burst": 100000,
            **serve,
        }
        self.serve_config = self.write_config("serve.toml", self.serve_values)
        self.broker_config = self.write_config("broker.toml", {
            "broker.listen": "127.0.0.1:0",
            "broker.issuer": "broker.system.example",
            "broker.key_file": str(self.path("broker.key")),
            "broker.log_file": str(self.path("release.log")),
            "policy.file": str(self.path("policy.json")),
            "policy.owner": self.policy_owner,
            "limits.releases_per_minute": 100000,
        })
        self.policy = self.make_policy("policy.json")

    def write_config(self, name, values):
        path = self.path(name)
        path.write_text(toml(values))
        return path

    def make_policy(self, name, config=None, program=None):
        """A signed policy that accepts what this program, with this configuration, is."""
        bundle, draft = self.path("draft.bundle"), self.path("draft.json")
        must("serve", "--config", config or self.serve_config, "--write-bundle", bundle, program=program)
        must("policy", "from-bundle", bundle, "--name", "this-machine", "--approved-by", "the system test",
             "--accept-evaluation", "--to", draft)
        must("policy", "sign", draft, "--key", self.path("policy.key"), "--to", self.path(name))
        bundle.unlink()
        draft.unlink()
        return self.path(name)

    def add(self, process):
        self.processes.append(process)
        return process

    def start_broker(self, *arguments, **options):
        self.broker = self.add(Broker(self.directory, ["--config", self.broker_config, *arguments], **options))
        return self.broker

    def serve_arguments(self, **settings):
        """Arguments of `serve`: this configuration, this broker, and what is set besides (server__listen="...")."""
        arguments = ["--config", self.serve_config]
        if hasattr(self, "broker"):
            arguments += ["--set", f"keys.broker=http://{self.broker.at}"]
        for key, value in settings.items():
            arguments += ["--set", f"{key.replace('__', '.')}={value}"]
        return arguments

    def start_server(self, name="server", program=None, env=None, **settings):
        arguments = self.serve_arguments(**settings)
        self.server = self.add(Server(self.directory, arguments, name=name, program=program, env=env))
        return self.server

    def start(self, **settings):
        self.start_broker()
        return self.start_server(**settings)

    def infer_arguments(self, *arguments, server=None, policy=None):
        at = (server or self.server).at
        return ["infer", "--server", at, "--policy", policy or self.policy, *arguments]

    def infer(self, *arguments, server=None, policy=None, text="a text of the system test", **options):
        return run(*self.infer_arguments("--text", text, *arguments, server=server, policy=policy), **options)

    def infer_in_background(self, name, *arguments, text="a text of the system test", server=None):
        return self.add(Process(self.directory, name,
                                self.infer_arguments("--text", text, *arguments, server=server)))

    def ask_for_dossier(self, name, server=None, **options):
        """One answer, kept: the path of its dossier."""
        done = self.infer("--save", self.path(name), server=server, **options)
        if done.returncode != 0:
            raise AssertionError(f"infer: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return self.path(name) / "000001.dossier"


class SystemTest(unittest.TestCase):
    """A class of tests with one world; `serve` are configuration values besides the harness's own."""

    serve = {}
    world: World

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.serve)
        cls.addClassCleanup(cls.world.close)

    def assert_load(self, done, requests):
        """`infer --json` with a count: everything succeeded, and every receipt verified."""
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        said = json.loads(done.stdout)
        self.assertEqual((said["requests"], said["failures"], said["sequences_complete"]), (requests, 0, True))
        return said

    def assert_serves(self, count=20, **options):
        return self.assert_load(self.world.infer("--count", count, "--json", **options), count)


def toml(values):
    sections = {}
    for key, value in values.items():
        section, name = key.split(".", 1)
        sections.setdefault(section, []).append(f"{name} = {_toml_value(value)}")
    return "".join(f"[{section}]\n" + "\n".join(lines) + "\n\n" for section, lines in sections.items())


def _toml_value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml_value(item)}" for key, item in value.items()) + " }"
    return json.dumps(value)  # text, number, list: as in JSON


# CBOR, as far as this project's files have it (deterministic, RFC 8949, 4.2.1).


class Tagged:
    def __init__(self, tag, value):
        self.tag, self.value = tag, value


def cbor_encode(value):
    if isinstance(value, bool) or value is None:
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor_encode, value))
    if isinstance(value, Tagged):
        return _head(6, value.tag) + cbor_encode(value.value)
    pairs = sorted((cbor_encode(key), cbor_encode(item)) for key, item in value.items())
    return _head(5, len(pairs)) + b"".join(key + item for key, item in pairs)


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for code, form in ((24, ">B"), (25, ">H"), (26, ">I"), (27, ">Q")):
        if number < 1 << 8 * struct.calcsize(form):
            return bytes([major << 5 | code]) + struct.pack(form, number)
    raise ValueError("number")


def cbor_decode(data):
    value, end = _item(data, 0)
    if end != len(data):
        raise ValueError("bytes behind the end")
    return value


def _item(data, at):
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return {20: False, 21: True, 22: None}[low], at
    if low >= 24:
        form = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}[low]
        low, at = struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    if major < 2:
        return (low if major == 0 else -1 - low), at
    if major in (2, 3):
        raw = data[at : at + low]
        if len(raw) != low:
            raise ValueError("cut")
        return (raw if major == 2 else raw.decode()), at + low
    if major == 6:
        value, at = _item(data, at)
        return Tagged(low, value), at
    items = []
    for _ in range(low * (2 if major == 5 else 1)):
        value, at = _item(data, at)
        items.append(value)
    return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at


# The members of a dossier (docs/spec/dossier.md) and of a receipt (docs/spec/receipt.md).
RECEIPT, REQUEST, RESPONSE, BUNDLE, CLEANUP = 2, 3, 4, 7, 8
CTI, MODE, SEQUENCE = 7, -65548, -65545


def read_dossier(path):
    return cbor_decode(pathlib.Path(path).read_bytes())


def write_dossier(path, members):
    pathlib.Path(path).write_bytes(cbor_encode(members))
    return path


def claims(statement):
    """The claims of a receipt or a statement: COSE_Sign1, not verified here."""
    return cbor_decode(cbor_decode(statement).value[2])


def flip(data, at):
    """The same bytes with one bit changed; a negative position counts from the end."""
    out = bytearray(data)
    out[at] ^= 1
    return bytes(out)


def verdict(path, *arguments):
    """`verify --json`: its exit status, and the failed checks as {id: error code}."""
    done = run("verify", path, "--json", *arguments)
    try:
        said = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise AssertionError(f"verify {path}: exit {done.returncode}: {done.stderr}") from None
    failed = {check["id"]: check["error"] for check in said["checks"] if check["outcome"] == "failed"}
    return done.returncode, failed
