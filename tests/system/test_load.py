"""Load: many requests over few channels. None fails, every receipt verifies, no id twice, no sequence with a gap."""

import concurrent.futures
import pathlib
import re
import shlex
import subprocess

from harness import CTI, PROGRAM, RECEIPT, SANITIZED, SEQUENCE, SystemTest, claims, main, read_dossier, run


class Load(SystemTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.world.start()

    def load(self, name, requests, channels, concurrency):
        """Runs the load with its dossiers kept, and returns what was said and their receipts' claims."""
        saved = self.world.path(name)
        done = self.world.infer("--count", requests, "--channels", channels, "--concurrency", concurrency,
                                "--save", saved, "--json")
        said = self.assert_load(done, requests)
        self.assertEqual((said["channels"], said["concurrency"]), (channels, concurrency))
        dossiers = sorted(pathlib.Path(saved).iterdir())
        self.assertEqual(len(dossiers), requests)
        receipts = [claims(read_dossier(path)[RECEIPT]) for path in dossiers]
        self.assertEqual(len({receipt[CTI] for receipt in receipts}), requests, "an id occurred twice")
        self.assert_channels_without_gaps([receipt[SEQUENCE] for receipt in receipts], channels)
        self.assert_all_verify(dossiers)
        self.world.server.wait_metric("connections", 0)

    def assert_channels_without_gaps(self, sequences, channels):
        # 0, 1, 2 ... on each channel: each number occurs at most as often as the one before it, 0 once a channel.
        counts = [sequences.count(number) for number in range(max(sequences) + 1)]
        self.assertEqual(counts[0], channels)
        self.assertEqual(counts, sorted(counts, reverse=True))

    def assert_all_verify(self, dossiers):
        def judge(path):
            done = run("verify", path, "--policy", self.world.policy)
            return None if done.returncode == 0 else f"{path.name}: {done.stdout}{done.stderr}"

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            self.assertEqual([failure for failure in pool.map(judge, dossiers) if failure], [])

    def test_a_hundred_requests_over_one_channel(self):
        self.load("hundred", 100, 1, 1)

    def test_two_hundred_requests_over_one_channel(self):
        self.load("two-hundred", 200, 1, 8)

    def test_many_requests_over_many_channels(self):
        if SANITIZED:
            self.load("many", 200, 8, 32)
        else:
            self.load("many", 2000, 32, 64)

    def test_a_full_disk_is_said_once_and_leaves_whole_dossiers_only(self):
        small = self.world.path("small")
        small.mkdir()
        inside = " ".join(shlex.quote(str(part)) for part in [PROGRAM, *self.world.infer_arguments(
            "--text", "a text", "--count", 12, "--save", small / "dossiers")])
        mount = f"mount -t tmpfs -o size=64k none {small} && {{ {inside}; echo exit $?; find {small} -type f -printf '%s %f\\n'; }}"
        done = subprocess.run(["unshare", "-rm", "bash", "-c", mount], capture_output=True, text=True)
        if "exit" not in done.stdout:
            self.skipTest("no private file system can be mounted here: " + done.stderr.strip())
        self.assertIn("exit 2", done.stdout, done.stderr)
        complaints = [line for line in done.stderr.splitlines() if "the disk is full" in line]
        self.assertEqual(len(complaints), 1, done.stderr)
        self.assertRegex(complaints[0], r"dossiers/0000\d\d\.dossier: the disk is full")
        files = [line.split() for line in done.stdout.splitlines() if re.match(r"\d+ \S+$", line)]
        self.assertEqual([name for _, name in files if not name.endswith(".dossier")], [])
        sizes = [int(size) for size, _ in files]
        self.assertGreater(len(sizes), 1)
        self.assertLess(len(sizes), 12)
        self.assertGreater(min(sizes), 0.9 * max(sizes))

    def test_a_line_a_request_and_percentiles_by_nearest_rank(self):
        done = self.world.infer("--count", 10)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual([int(line.split()[-1]) for line in lines[:10]], list(range(10)))
        self.assertIn("10 requests, 0 failures", done.stdout)
        self.assertIn("nearest rank", done.stdout)


if __name__ == "__main__":
    main()
