"""Tests train.py as the scheduler runs it, in processes of its own. Run: python3 -m unittest (with requirements.txt installed)."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import numpy as np

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "train.py")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def speak_as_stranger(port):
    """Sends what no rank sends and returns the answer: nothing, when the connection is closed."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\n" + b"x" * 100)
                return stranger.recv(100)
        except ConnectionResetError:
            return b""
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("rank 0 never listened")


class Ranks:
    """A gang of processes; whatever still runs at the end is killed."""

    def __init__(self, size, checkpoints, *options):
        self.port = free_port()
        self.size = size
        self.checkpoints = checkpoints
        self.options = options
        self.processes = []

    def start_next(self):
        rank = len(self.processes)
        gang = {"RANK": str(rank), "WORLD_SIZE": str(self.size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(self.port)}
        # Only rank 0 has the checkpoint: the others must learn the state from it.
        checkpoints = {"SUANPAN_CHECKPOINT_DIR": self.checkpoints if rank == 0 else ""}
        command = [sys.executable, SCRIPT, *self.options]
        environment = {**os.environ, **gang, **checkpoints}
        pipe = subprocess.PIPE
        self.processes.append(subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True))

    def start(self):
        while len(self.processes) < self.size:
            self.start_next()
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()

    def wait_for_line(self, prefix):
        """Reads rank 0's output up to a line."""
        for line in self.processes[0].stdout:
            if line.startswith(prefix):
                return line
        raise AssertionError(f"rank 0 ended without a line '{prefix}': {self.processes[0].stderr.read()}")

    def finish(self):
        """Exit codes and rank 0's remaining output."""
        output, _ = self.processes[0].communicate(timeout=60)
        for process in self.processes[1:]:
            process.communicate(timeout=60)
        return [process.returncode for process in self.processes], output.splitlines()


class TrainTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def directory(self, name):
        return os.path.join(self.folder, name)

    def parameters(self, name):
        with np.load(os.path.join(self.directory(name), "digits.npz"), allow_pickle=False) as file:
            return file["parameters"]

    def train(self, size, name, *options):
        with Ranks(size, self.directory(name), "--pace", "0", *options).start() as ranks:
            return ranks.finish()

    def test_two_ranks_learn_what_one_learns(self):
        codes, lines = self.train(2, "two")
        self.assertEqual(codes, [0, 0])
        self.assertRegex(lines[-1], r"^accuracy=0\.\d{3}$")
        self.assertGreaterEqual(float(lines[-1].removeprefix("accuracy=")), 0.95)
        self.assertEqual(sum(line.startswith("epoch ") for line in lines), 30)
        self.train(1, "one")
        np.testing.assert_allclose(self.parameters("two"), self.parameters("one"), rtol=1e-6, atol=1e-6)

    def test_stop_on_one_rank_stops_all_and_a_restart_goes_on_exactly(self):
        self.train(2, "unbroken", "--epochs", "8")
        for number in (signal.SIGUSR1, signal.SIGTERM):
            with Ranks(2, self.directory("broken"), "--epochs", "8", "--pace", "0.5").start() as ranks:
                ranks.wait_for_line("epoch ")
                ranks.processes[1].send_signal(number)
                codes, _ = ranks.finish()
            self.assertEqual(codes, [75, 75])
        codes, lines = self.train(2, "broken", "--epochs", "8")
        self.assertEqual(codes, [0, 0])
        first = int(lines[0].rsplit(" ", 1)[1])
        self.assertGreaterEqual(first, 3)
        np.testing.assert_array_equal(self.parameters("broken"), self.parameters("unbroken"))

    def test_a_lost_rank_fails_the_others_and_the_checkpoint_survives(self):
        with Ranks(2, self.directory("lost"), "--epochs", "8", "--pace", "0.3").start() as ranks:
            ranks.wait_for_line("epoch 2/")
            ranks.processes[1].kill()
            codes, _ = ranks.finish()
        self.assertEqual(codes, [1, -signal.SIGKILL])
        codes, lines = self.train(2, "lost", "--epochs", "8")
        self.assertEqual(codes, [0, 0])
        self.assertGreaterEqual(int(lines[0].rsplit(" ", 1)[1]), 3)

    def test_other_options_do_not_resume_a_checkpoint(self):
        self.train(1, "options", "--epochs", "2")
        codes, _ = self.train(1, "options", "--epochs", "2", "--seed", "8")
        self.assertEqual(codes, [1])

    def test_strangers_at_the_port_are_turned_away(self):
        with Ranks(2, self.directory("strangers"), "--epochs", "2", "--pace", "0") as ranks:
            ranks.start_next()
            self.assertEqual(speak_as_stranger(ranks.port), b"")
            ranks.start_next()
            codes, _ = ranks.finish()
        self.assertEqual(codes, [0, 0])


if __name__ == "__main__":
    unittest.main()
