#!/usr/bin/env python3
"""A large fleet of simulated nodes against one coordinator: real agents' machines, real CURVE connections, several processes.

  (h) enrolment; memory and CPU of the coordinator with all of them at the intervals it asks for; with a heartbeat of each every
      5 seconds; the latency of submissions in both, and in a storm of ten times as many heartbeats
  (i) kill -9 of the coordinator and a new start: until all are attached again, and its CPU, beside a bare C ROUTER with ZAP that
      the same agents come back to in the same run
  (j) kill -9 and a new start with 100,000 queued and 1,000 running tasks: until it answers
  (k) 1,000,000 tasks in 1,000 classes for nodes with eight GPUs, all ready at one instant: tasks placed a second through the
      journal, and started by their nodes; then, with everything full, the latency of a submission that finds no room, and from
      the cancellation of a task to the start of the one that waits for its place; a round after a restart

Usage: fleet.py --programs .build/release [--nodes 10000] [--processes 5] [--only h,i,j,k] [--json FILE]
"""

import argparse
import base64
import http.client
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from bench import compile_c, cpu_seconds, resident_mib

PORT = 18470
AGENTS, ENROLL, LOGS = PORT + 1, PORT + 2, PORT + 3


def token_from(text, address):
    """The same token for agents that call from another loopback address: an address enrols 20 nodes a second (ZeroMQ's
    "tcp://SOURCE;DESTINATION")."""
    body = text.strip().removeprefix("spj_").replace("-", "+").replace("_", "/")
    data = base64.b64decode(body + "=" * (-len(body) % 4))
    for port in (AGENTS, ENROLL, LOGS):
        old = f"tcp://127.0.0.1:{port}".encode()
        new = f"tcp://{address}:0;127.0.0.1:{port}".encode()
        assert bytes([len(old)]) + old in data, "the token has another form"
        data = data.replace(bytes([len(old)]) + old, bytes([len(new)]) + new)
    return "spj_" + base64.b64encode(data).decode().replace("+", "-").replace("/", "_").replace("=", "")


class Fleet:
    """One coordinator and the processes whose agents it has."""

    def __init__(self, programs, parent="/var/tmp", port=PORT):
        self.programs, self.port = programs, port
        self.directory = tempfile.mkdtemp(prefix="suanpan-fleet-", dir=parent)
        self.log = open(os.path.join(self.directory, "daemons.log"), "w")
        self.agents = []
        self.start()
        with open(f"{self.directory}/client.yaml") as file:
            self.key = dict(line.strip().split(": ", 1) for line in file if ": " in line and not line.startswith("#"))["key"]

    def start(self, *options):
        """Returns the seconds until it said that it is ready."""
        read, write = os.pipe()
        begin = time.monotonic()
        self.coordinator = subprocess.Popen(
            [f"{self.programs}/suanpan-coordinator", "--data-dir", self.directory, "--http", f"127.0.0.1:{self.port}",
             "--agents-endpoint", f"tcp://127.0.0.1:{self.port + 1}", "--enroll-endpoint", f"tcp://127.0.0.1:{self.port + 2}",
             "--log-endpoint", f"tcp://127.0.0.1:{self.port + 3}", "--bootstrap-token-file", f"{self.directory}/token", "--ready-fd", str(write), *options],
            stderr=self.log, stdout=self.log, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            assert ready.readline(), "the coordinator did not start: see " + self.log.name
        self.connection = None
        return time.monotonic() - begin

    def kill(self):
        self.coordinator.kill()
        self.coordinator.wait()

    def join(self, nodes, processes, machine="cpus: 16\n    memory: 64GiB"):
        with open(f"{self.directory}/token") as file:
            text = file.read()
        for number in range(processes):
            directory = f"{self.directory}/agents-{number}"
            os.mkdir(directory)
            with open(f"{directory}.token", "w") as file:
                file.write(token_from(text, f"127.0.0.{number + 2}"))
            with open(f"{directory}.yaml", "w") as file:
                file.write(f"nodes:\n  - prefix: fleet{number}\n    weight: 1\n    {machine}\n")
            share = nodes // processes + (1 if number < nodes % processes else 0)
            self.agents.append(subprocess.Popen(
                [f"{self.programs}/suanpan-agent", "--data-dir", directory, "--token-file", f"{directory}.token", "--simulate", str(share),
                 "--profile", f"{directory}.yaml"], stdout=self.log, stderr=self.log))

    def call(self, method, path, body=None):
        while True:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                        {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
                answer = self.connection.getresponse()
                data = answer.read()
                assert answer.status < 300, (path, answer.status, data[:300])
                return json.loads(data)
            except (ConnectionError, http.client.HTTPException):
                self.connection = None

    def wait_ready(self, nodes, limit=600):
        """Returns the seconds since it was called."""
        begin = time.monotonic()
        while True:
            ready = self.call("GET", "/v1/cluster")["nodesReady"]
            if ready >= nodes:
                return time.monotonic() - begin
            assert time.monotonic() - begin < limit, f"{ready} of {nodes} nodes after {limit} s: see {self.log.name}"
            time.sleep(0.1)

    def cpu(self):
        return sum(cpu_seconds(self.coordinator.pid)[:1])

    def heartbeats(self):
        """Those of current sessions since the start."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/metrics", headers={"Authorization": f"Bearer {self.key}"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("suanpan_heartbeats_total"))

    def share(self, seconds=30):
        """The coordinator's share of a core, and heartbeats a second."""
        cpu, beats, begin = self.cpu(), self.heartbeats(), time.monotonic()
        time.sleep(seconds)
        cpu, beats, span = self.cpu() - cpu, self.heartbeats() - beats, time.monotonic() - begin
        return cpu / span, beats / span

    def submissions(self, count=500):
        """p50 and p99 in ms of submissions one after another, 10 ms apart."""
        job = {"name": "bench", "command": ["work"], "constraints": ["simulated"], "beginAt": "2099-01-01T00:00:00Z", "resources": {"cpu": "1", "memory": "16MiB"}}
        taken = []
        for _ in range(count):
            begin = time.monotonic()
            self.call("POST", "/v1/jobs", job)
            taken.append((time.monotonic() - begin) * 1000)
            time.sleep(0.01)
        taken.sort()
        return statistics.median(taken), taken[int(count * 0.99)]

    def stop(self):
        for process in (*self.agents, self.coordinator):
            if process.poll() is None:
                process.kill()
        for process in (*self.agents, self.coordinator):
            process.wait(60)
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def heartbeats(fleet, bystander, nodes, empty_mib):
    """The bystander is a coordinator without nodes: what its submissions take is this machine's load, not the heartbeats'."""
    rows = {}
    # A lease is the same for all sessions and an interval at most a third of it, so the lease sets the interval here.
    for name, options in (("default", []), ("5s", ["--lease", "15s"]), ("storm", ["--lease", "3s", "--heartbeat-interval", "1s"])):
        if options:
            fleet.kill()
            fleet.start(*options)
            fleet.wait_ready(nodes)
            # The answers to the first heartbeats carry the new interval.
            time.sleep(12)
        p50, p99 = fleet.submissions()
        idle50, idle99 = bystander.submissions()
        cores, beats = fleet.share()
        rows[name] = {"cores": cores, "heartbeatsPerSecond": beats, "submitP50": p50, "submitP99": p99, "bystanderP50": idle50,
                      "bystanderP99": idle99, "rssMiB": resident_mib(fleet.coordinator.pid)}
        rows[name]["kilobytesPerAgent"] = (rows[name]["rssMiB"] - empty_mib) * 1048.576 / nodes
        print(f"(h) {name}: {beats:.0f} heartbeats/s, {cores * 100:.1f} % of a core, {rows[name]['rssMiB']:.0f} MiB = {rows[name]['kilobytesPerAgent']:.1f} KB an agent; "
              f"submission p50 {p50:.2f} ms, p99 {p99:.2f} ms; to a coordinator without nodes {idle50:.2f} and {idle99:.2f} ms", flush=True)
    return rows


def reattachment(fleet, nodes, router):
    fleet.kill()
    floor = subprocess.run([router, f"{fleet.directory}/server.key", f"tcp://127.0.0.1:{AGENTS}", str(nodes)],
                           capture_output=True, text=True, check=True, timeout=300).stdout.split()
    floor_seconds, floor_cpu = map(float, floor)
    begin = time.monotonic()
    fleet.start()
    fleet.wait_ready(nodes)
    seconds, cpu = time.monotonic() - begin, fleet.cpu()
    print(f"(i) {nodes} agents attached {seconds:.1f} s after the start, {cpu:.2f} s CPU; bare ROUTER {floor_seconds:.1f} s, {floor_cpu:.2f} s CPU: "
          f"{cpu / floor_cpu:.2f} x", flush=True)
    return {"seconds": seconds, "cpu": cpu, "floorSeconds": floor_seconds, "floorCpu": floor_cpu}


def restart(programs, queued=100_000, running=1000):
    fleet = Fleet(programs)
    try:
        fleet.join(running // 16 + 1, 1)
        fleet.wait_ready(running // 16 + 1)
        work = {"constraints": ["simulated"], "command": ["work"], "resources": {"cpu": "1", "memory": "16MiB"}, "env": {"SUANPAN_SIM_SECONDS": "86400"}}
        fleet.call("POST", "/v1/jobs", work | {"name": "running", "array": f"0-{running - 1}"})
        while fleet.call("GET", "/v1/cluster")["tasksLive"] < running:
            time.sleep(0.2)
        result = {}
        queue = {"name": "queued", "constraints": ["simulated"], "command": ["work"], "beginAt": "2099-01-01T00:00:00Z", "resources": {"cpu": "1", "memory": "16MiB"}}
        for name in ("one array", "jobs of one task"):
            if name == "one array":
                job = fleet.call("POST", "/v1/jobs", queue | {"array": f"0-{queued - 1}"})["id"]
            else:
                fleet.call("POST", f"/v1/jobs/{job}/cancel", {})
                for _ in range(queued):
                    fleet.call("POST", "/v1/jobs", queue)
            fleet.kill()
            begin = time.monotonic()
            ready = fleet.start()
            shown = fleet.call("GET", "/v1/cluster")
            seconds = time.monotonic() - begin
            assert shown["tasksQueued"] == queued, shown
            print(f"(j) {queued} queued as {name}, {running} running: ready {ready:.2f} s after the start, first answer {seconds:.2f} s", flush=True)
            result[name] = {"readySeconds": ready, "answerSeconds": seconds}
        return result
    finally:
        fleet.stop()


GPU_MACHINE = 'cpus: 128\n    memory: 1TiB\n    devices: {kind: gpu, vendor: nvidia, model: "NVIDIA H100 80GB HBM3", count: 8, memory: 80GiB}'


def placement(programs, nodes, processes, data, classes=1000, tasks=1000):
    fleet = Fleet(programs, data)
    try:
        fleet.join(nodes, processes, GPU_MACHINE)
        fleet.wait_ready(nodes)
        base = {"constraints": ["simulated"], "command": ["work"], "labels": {"sim.seconds": "86400"}}
        held = fleet.call("POST", "/v1/jobs", base | {"name": "held", "resources": {"cpu": 8, "memory": "1GiB", "gpu": 1}})["id"]
        # Late enough that all are accepted before: what is measured is placing, not submitting.
        begin = time.time() + 10 + classes * 0.012
        instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(begin) + 1))
        for number in range(classes):
            share = [1000, 500, 250, 125, 470, 810, 320, 160][number % 8]
            resources = {"cpu": f"{1000 + number // 8 * 40}m", "memory": "1GiB", "gpu": {"count": 1, "share": share / 1000}}
            fleet.call("POST", "/v1/jobs", base | {"name": f"class-{number}", "array": f"0-{tasks - 1}", "beginAt": instant, "resources": resources})
        assert time.time() < int(begin) + 1, "submitting took too long"
        cpu = fleet.cpu()
        time.sleep(max(0, int(begin) + 1 - time.time()))
        start, last, placed_at, shown = time.monotonic(), -1, 0, {}
        while time.monotonic() - placed_at < 5 or last <= 1:
            shown = fleet.call("GET", "/v1/cluster")
            live = shown["tasksLive"]
            if live != last:
                last, placed_at = live, time.monotonic()
            time.sleep(0.25)
        seconds, cpu = placed_at - start, fleet.cpu() - cpu
        # Settled: every node has said that what it was given runs.
        settled = time.monotonic()
        while sum(int(job["tasks"]["starting"]) for job in jobs(fleet)) > 0:
            time.sleep(0.25)
        started = time.monotonic() - start if time.monotonic() - settled > 0.3 else seconds
        used = sum(device["shareMilliAllocated"] for device in shown["devices"]) / 10 / sum(device["count"] for device in shown["devices"])
        print(f"(k) {nodes} nodes, {classes * tasks} tasks in {classes} classes: {last} placed in {seconds:.1f} s = {last / seconds:.0f} a second, "
              f"all started after {started:.1f} s; coordinator {cpu / last * 1000:.3f} ms CPU a task, {resident_mib(fleet.coordinator.pid):.0f} MiB; "
              f"{used:.2f} % of all GPUs in use", flush=True)
        result = {"placed": last, "seconds": seconds, "startedSeconds": started, "cpuMilliseconds": cpu / last * 1000, "used": used}
        result |= full(fleet, base, held)
        begin, cpu = time.monotonic(), 0
        fleet.kill()
        ready = fleet.start()
        fleet.wait_ready(nodes)
        result["restartSeconds"] = ready
        print(f"(k) a new start with all of it: ready {ready:.2f} s, all nodes back after {time.monotonic() - begin:.1f} s", flush=True)
        return result
    finally:
        fleet.stop()


def jobs(fleet):
    items, cursor = [], ""
    while True:
        page = fleet.call("GET", f"/v1/jobs?limit=500{cursor}")
        items += page["items"]
        if not page["nextCursor"]:
            return items
        cursor = f"&cursor={page['nextCursor']}"


def full(fleet, base, held, rounds=100):
    """With no room for anything: what a submission takes, and the way from one that leaves to the one that waits."""
    taken, handed = [], []
    for number in range(rounds):
        begin = time.monotonic()
        fleet.call("POST", "/v1/jobs", base | {"name": "late", "resources": {"cpu": f"{7000 + number}m", "memory": "2GiB", "gpu": 1}})
        taken.append((time.monotonic() - begin) * 1000)
    wish = base | {"name": "next", "priority": 1000, "resources": {"cpu": 8, "memory": "1GiB", "gpu": 1}}
    for _ in range(rounds):
        waiting = fleet.call("POST", "/v1/jobs", wish)["id"]
        begin = time.monotonic()
        fleet.call("POST", f"/v1/jobs/{held}/cancel", {})
        while fleet.call("GET", f"/v1/jobs/{waiting}")["state"] == "queued":
            pass
        handed.append((time.monotonic() - begin) * 1000)
        held = waiting
    taken.sort()
    handed.sort()
    place = int(rounds * 0.99) - 1
    print(f"(k) full: a submission that finds no room p50 {statistics.median(taken):.2f} ms, p99 {taken[place]:.2f} ms; from a cancellation to the start "
          f"of what waited p50 {statistics.median(handed):.2f} ms, p99 {handed[place]:.2f} ms", flush=True)
    return {"blockedP50": statistics.median(taken), "blockedP99": taken[place], "handedP50": statistics.median(handed), "handedP99": handed[place]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--only", default="h,i,j")
    parser.add_argument("--data", default="/var/tmp", help="where (h) and (i) keep their journal: /dev/shm takes the disk's moods out of p99")
    parser.add_argument("--json")
    options = parser.parse_args()
    programs, only, results = os.path.abspath(options.programs), options.only.split(","), {}
    # A descriptor for each connection here, and two for each agent's socket.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if {"h", "i"} & set(only):
        with tempfile.TemporaryDirectory() as directory:
            router = compile_c("router", directory, "-lzmq", "-lpthread")
            fleet = Fleet(programs, options.data)
            try:
                time.sleep(2)
                empty = resident_mib(fleet.coordinator.pid)
                fleet.join(options.nodes, options.processes)
                enrolled = fleet.wait_ready(options.nodes)
                print(f"(h) {options.nodes} nodes of {options.processes} processes joined in {enrolled:.0f} s; coordinator {fleet.cpu():.1f} s CPU", flush=True)
                if "h" in only:
                    bystander = Fleet(programs, options.data, PORT + 10)
                    try:
                        results["h"] = heartbeats(fleet, bystander, options.nodes, empty)
                    finally:
                        bystander.stop()
                if "i" in only:
                    results["i"] = reattachment(fleet, options.nodes, router)
            finally:
                fleet.stop()
    if "j" in only:
        results["j"] = restart(programs)
    if "k" in only:
        results["k"] = placement(programs, options.nodes, options.processes, options.data)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
