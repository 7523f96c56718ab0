"""Trains a classifier of handwritten digits, data-parallel over the tasks of a gang.

The data are scikit-learn's digits (1797 images of 8x8), the model is a small multilayer perceptron in plain numpy.
Every rank holds the whole model and computes gradients for its share of each mini-batch; rank 0 sums them over plain
TCP and sends the sum back, so all ranks take the same step. Because sums are shared, not means, the result does not
depend on the number of ranks beyond rounding.

Environment, as the scheduler sets it for a gang: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT. SUANPAN_CHECKPOINT_DIR is
where rank 0 keeps its checkpoint. On a restart rank 0 reads it and sends the state to the others, so they resume from
the same epoch even when they share no file system. Without these variables the script trains alone.

Exit codes: 0 trained; 1 a rank or the network failed; 2 bad options; 75 stopped by SIGTERM or SIGUSR1 after writing a
checkpoint (75 is EX_TEMPFAIL of sysexits.h: the work is not done, run it again to go on).
"""

import argparse
import hashlib
import os
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass

# The matrices are tiny: one thread is fastest, and one order of additions makes runs repeatable.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402  (after the variables that it reads)
from sklearn.datasets import load_digits  # noqa: E402

STOPPED = 75
CONNECT_DEADLINE_SECONDS = 60.0
# A peer computes for milliseconds between messages and pauses at most --pace seconds; longer silence means it is lost.
SILENCE_SECONDS = 30.0
MAGIC = b"SPDIGIT1"
FRAME_BYTES_MAX = 16 << 20

stop_requested = False


def request_stop(_number, _frame):
    global stop_requested
    stop_requested = True


class Failure(Exception):
    """Ends the run with a message and exit code 1."""


# --- Messages: arrays of float64, each preceded by its length ------------------------------------------------------


def send_array(connection, array):
    payload = np.ascontiguousarray(array, dtype="<f8").tobytes()
    connection.sendall(struct.pack("<I", len(payload)) + payload)


def receive_exactly(connection, count):
    chunks = bytearray()
    while len(chunks) < count:
        chunk = connection.recv(count - len(chunks))
        if not chunk:
            raise Failure("a peer closed its connection")
        chunks += chunk
    return bytes(chunks)


def receive_array(connection, shape):
    """The sender's shape is known by protocol; a frame of another size is an error, never an allocation."""
    (length,) = struct.unpack("<I", receive_exactly(connection, 4))
    expected = 8 * int(np.prod(shape, dtype=np.int64))
    if length != expected or length > FRAME_BYTES_MAX:
        raise Failure(f"a peer sent {length} bytes where {expected} were expected")
    return np.frombuffer(receive_exactly(connection, length), dtype="<f8").reshape(shape).copy()


# --- The gang: a star around rank 0 ---------------------------------------------------------------------------------


class Gang:
    """The connections of one rank: to all others on rank 0, to rank 0 on the others."""

    def __init__(self, rank, size, peers, listener=None):
        self.rank = rank
        self.size = size
        self.peers = peers
        self.listener = listener

    def sum(self, array):
        """The sum over all ranks, the same bits everywhere: added in the order of ranks, by rank 0."""
        if self.rank == 0:
            total = np.array(array, dtype=np.float64)
            for peer in self.peers:
                total += receive_array(peer, total.shape)
            for peer in self.peers:
                send_array(peer, total)
            return total
        send_array(self.peers[0], array)
        return receive_array(self.peers[0], np.shape(array))

    def from_first(self, array):
        """Rank 0's value on every rank; the others' argument only gives the shape."""
        if self.rank == 0:
            for peer in self.peers:
                send_array(peer, array)
            return np.array(array, dtype=np.float64)
        return receive_array(self.peers[0], np.shape(array))

    def close(self):
        for connection in self.peers + ([self.listener] if self.listener else []):
            connection.close()


def greeting(rank, size, fingerprint):
    """Who connects, and whether both sides run the same job with the same options."""
    job = os.environ.get("SUANPAN_JOB_ID", "")
    return MAGIC + struct.pack("<II", rank, size) + hashlib.sha256(f"{job}\n{fingerprint}".encode()).digest()


def prepare(connection, silence):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.settimeout(silence)
    return connection


def accept_peers(listener, size, fingerprint, silence, deadline):
    """Waits for every other rank. Strangers and ranks of another job are turned away and waited past."""
    peers = {}
    listener.settimeout(0.2)
    while len(peers) < size - 1:
        if stop_requested:
            return None
        if time.monotonic() > deadline:
            missing = sorted(set(range(1, size)) - set(peers))
            raise Failure(f"ranks {missing} did not connect within {CONNECT_DEADLINE_SECONDS:.0f} s")
        try:
            connection, _ = listener.accept()
        except socket.timeout:
            continue
        try:
            connection.settimeout(2)
            hello = receive_exactly(connection, len(greeting(0, size, fingerprint)))
            (rank,) = struct.unpack_from("<I", hello, len(MAGIC))
            if not 0 < rank < size or rank in peers or hello != greeting(rank, size, fingerprint):
                raise Failure("not a rank of this job")
            connection.sendall(greeting(0, size, fingerprint))
        except (Failure, OSError):
            connection.close()
            continue
        peers[rank] = prepare(connection, silence)
    return [peers[rank] for rank in range(1, size)]


def connect_to_first(address, rank, size, fingerprint, silence, deadline):
    """Rank 0 may start later than we do: keeps trying until the deadline."""
    problem = "no attempt was made"
    while not stop_requested:
        if time.monotonic() > deadline:
            raise Failure(f"no connection to rank 0 at {address[0]}:{address[1]}: {problem}")
        connection = None
        try:
            connection = socket.create_connection(address, timeout=2)
            connection.sendall(greeting(rank, size, fingerprint))
            if receive_exactly(connection, len(greeting(0, size, fingerprint))) != greeting(0, size, fingerprint):
                raise Failure("it runs another job")
            return [prepare(connection, silence)]
        except (Failure, OSError) as error:
            problem = str(error)
            if connection is not None:
                connection.close()
            time.sleep(0.2)
    return None


def assemble(rank, size, fingerprint, silence):
    """Connects the ranks; None when a signal asked to stop meanwhile."""
    if size == 1:
        return Gang(0, 1, [])
    address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
    deadline = time.monotonic() + CONNECT_DEADLINE_SECONDS
    if rank == 0:
        listener = socket.create_server(address, backlog=size)
        peers = accept_peers(listener, size, fingerprint, silence, deadline)
        return None if peers is None else Gang(rank, size, peers, listener)
    peers = connect_to_first(address, rank, size, fingerprint, silence, deadline)
    return None if peers is None else Gang(rank, size, peers)


# --- The model: 64 inputs, one hidden layer, 10 classes; all parameters in one vector -------------------------------


@dataclass
class Batch:
    images: np.ndarray
    labels: np.ndarray


class Perceptron:
    INPUTS, CLASSES = 64, 10

    def __init__(self, hidden):
        self.shapes = [(self.INPUTS, hidden), (hidden,), (hidden, self.CLASSES), (self.CLASSES,)]
        self.size = sum(int(np.prod(shape)) for shape in self.shapes)

    def initial(self, seed):
        random = np.random.default_rng(seed)
        parts = [random.normal(0, np.sqrt(2 / s[0]), s) if len(s) == 2 else np.zeros(s) for s in self.shapes]
        return np.concatenate([part.ravel() for part in parts])

    def unpack(self, vector):
        parts, start = [], 0
        for shape in self.shapes:
            end = start + int(np.prod(shape))
            parts.append(vector[start:end].reshape(shape))
            start = end
        return parts

    def scores(self, vector, images):
        w1, b1, w2, b2 = self.unpack(vector)
        hidden = np.maximum(images @ w1 + b1, 0)
        return hidden, hidden @ w2 + b2

    def gradient(self, vector, batch):
        """Sum of the loss and of its gradient over the batch, as one vector with the loss last."""
        _, _, w2, _ = self.unpack(vector)
        hidden, scores = self.scores(vector, batch.images)
        scores = scores - scores.max(axis=1, keepdims=True)
        probabilities = np.exp(scores)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        rows = np.arange(len(batch.labels))
        loss = -np.log(probabilities[rows, batch.labels] + 1e-12).sum()
        probabilities[rows, batch.labels] -= 1
        back = (probabilities @ w2.T) * (hidden > 0)
        parts = [batch.images.T @ back, back.sum(axis=0), hidden.T @ probabilities, probabilities.sum(axis=0)]
        return np.concatenate([part.ravel() for part in parts] + [np.array([loss])])

    def accuracy(self, vector, batch):
        return float((self.scores(vector, batch.images)[1].argmax(axis=1) == batch.labels).mean())


def load(seed):
    """Training and test images, divided the same way on every rank."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    images, labels = digits.data[order] / 16.0, digits.target[order]
    cut = len(labels) * 4 // 5
    return Batch(images[:cut], labels[:cut]), Batch(images[cut:], labels[cut:])


# --- Checkpoints ---------------------------------------------------------------------------------------------------


@dataclass
class State:
    epoch: int
    parameters: np.ndarray
    velocity: np.ndarray


def checkpoint_path():
    directory = os.environ.get("SUANPAN_CHECKPOINT_DIR", "")
    return os.path.join(directory, "digits.npz") if directory else None


def save(state, fingerprint):
    """Complete or absent, also across a power failure: temporary file, fsync, rename, fsync of the directory."""
    path = checkpoint_path()
    if path is None:
        return
    directory = os.path.dirname(path)
    os.makedirs(directory, exist_ok=True)
    temporary = path + ".new"
    with open(temporary, "wb") as file:
        np.savez(file, epoch=state.epoch, parameters=state.parameters, velocity=state.velocity, fingerprint=fingerprint)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def restore(fingerprint, size):
    """The last checkpoint, or None when there is none."""
    path = checkpoint_path()
    if path is None or not os.path.exists(path):
        return None
    with np.load(path, allow_pickle=False) as file:
        if str(file["fingerprint"]) != fingerprint or file["parameters"].shape != (size,):
            raise Failure(f"{path} was written with other options; remove it to start anew")
        return State(int(file["epoch"]), file["parameters"], file["velocity"])


# --- Training ------------------------------------------------------------------------------------------------------


def agree_on_start(gang, model, options, fingerprint):
    """Rank 0's checkpoint, or a fresh model, on every rank."""
    fresh = model.initial(options.seed)
    state = (restore(fingerprint, model.size) if gang.rank == 0 else None) or State(0, fresh, np.zeros(model.size))
    packed = gang.from_first(np.concatenate([[state.epoch], state.parameters, state.velocity]))
    return State(int(packed[0]), packed[1 : 1 + model.size], packed[1 + model.size :])


def train_epoch(gang, model, state, data, options):
    """One pass over the training images; returns the mean loss."""
    # The order depends on seed and epoch alone, so a resumed run sees the batches that an unbroken one would.
    order = np.random.default_rng([options.seed, state.epoch]).permutation(len(data.labels))
    rate = options.rate * 0.5 * (1 + np.cos(np.pi * state.epoch / options.epochs))
    loss = 0.0
    for start in range(0, len(order), options.batch):
        batch = order[start : start + options.batch]
        share = batch[gang.rank :: gang.size]
        total = gang.sum(model.gradient(state.parameters, Batch(data.images[share], data.labels[share])))
        loss += total[-1]
        state.velocity = 0.9 * state.velocity - rate * total[:-1] / len(batch)
        state.parameters = state.parameters + state.velocity
    state.epoch += 1
    return loss / len(order)


def pause(seconds):
    """Stands for the computing that larger data would need. Ends early when a signal asks to stop."""
    end = time.monotonic() + seconds
    while not stop_requested and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))


def train(gang, model, options, fingerprint):
    training, test = load(options.seed)
    state = agree_on_start(gang, model, options, fingerprint)
    print(f"rank {gang.rank} of {gang.size}: starting at epoch {state.epoch + 1}", flush=True)
    while state.epoch < options.epochs:
        loss = train_epoch(gang, model, state, training, options)
        if gang.rank == 0:
            save(state, fingerprint)
            accuracy = model.accuracy(state.parameters, test)
            print(f"epoch {state.epoch}/{options.epochs} loss={loss:.4f} accuracy={accuracy:.4f}", flush=True)
        if state.epoch == options.epochs:
            break
        pause(options.pace)
        # A signal reaches the ranks at different moments; they leave together, after the same epoch.
        if gang.sum(np.array([float(stop_requested)]))[0] > 0:
            print(f"rank {gang.rank}: asked to stop after epoch {state.epoch}; the checkpoint is written", flush=True)
            return STOPPED
    if gang.rank == 0:
        print(f"accuracy={model.accuracy(state.parameters, test):.3f}", flush=True)
    return 0


def positive(kind):
    def parse(text):
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    return parse


def seconds(text):
    value = float(text)
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 3600")
    return value


def parse_options():
    parser = argparse.ArgumentParser(description="Data-parallel training on the scikit-learn digits.")
    parser.add_argument("--epochs", type=positive(int), default=30)
    parser.add_argument("--pace", type=seconds, default=0.4, help="pause after each epoch, seconds")
    parser.add_argument("--batch", type=positive(int), default=32, help="images in a mini-batch, over all ranks")
    parser.add_argument("--rate", type=positive(float), default=0.1, help="learning rate at the start")
    parser.add_argument("--hidden", type=positive(int), default=128, help="hidden units")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGUSR1, request_stop)
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    # What must be equal on all ranks and between a checkpoint and the run that resumes it.
    fingerprint = f"{options.epochs} {options.batch} {options.rate} {options.hidden} {options.seed}"
    gang = None
    try:
        gang = assemble(rank, size, fingerprint, options.pace + SILENCE_SECONDS)
        return STOPPED if gang is None else train(gang, Perceptron(options.hidden), options, fingerprint)
    except (Failure, OSError) as error:
        print(f"rank {rank}: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        if gang is not None:
            gang.close()


if __name__ == "__main__":
    sys.exit(main())
