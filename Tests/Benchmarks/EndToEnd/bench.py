#!/usr/bin/env python3
"""End-to-end figures of one coordinator and one agent on this machine, beside a floor taken in the same run.

  (a) tasks a second and CPU ms a task of an array of /bin/true, over all processes
  (b) submit -> first instruction on an idle cluster, through one keep-alive connection
  (c) resident memory of the idle daemons; bytes on disk of a finished task
  (d) accepted submissions a second with 1 ms added to every fsync, 100 clients (needs wrk)
  (e) kill -9 of an agent -> its node is shown as suspect
  (f) GET /metrics with 1,000 simulated nodes and 100,000 queued tasks: in one array, and as jobs of their own; memory and
      CPU of the coordinator meanwhile
  (g) a job with a directory of 2,000 files and 100 MB: until it is accepted and until it has ended, the first time and again,
      beside cp and sync of the same directory

Usage: bench.py --programs .build/release [--tasks 10000] [--only a,b,c,d,e,f,g] [--json FILE]
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TICK = os.sysconf("SC_CLK_TCK")


def compile_c(name, directory, *options):
    output = os.path.join(directory, name)
    subprocess.run(["cc", "-O2", "-o", output, os.path.join(HERE, name.replace(".so", "") + ".c"), *options], check=True)
    return output


def cpu_seconds(pid):
    """Own and awaited children's CPU time, from /proc (10 ms ticks)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return [int(fields[11]) / TICK + int(fields[12]) / TICK, int(fields[13]) / TICK + int(fields[14]) / TICK]


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024


class Cluster:
    def __init__(self, programs, preload=None, cpus="2"):
        self.directory = tempfile.mkdtemp(prefix="suanpan-bench-", dir="/var/tmp")
        os.chmod(self.directory, 0o711)
        self.programs = programs
        environment = dict(os.environ)
        if preload:
            environment |= {"LD_PRELOAD": preload, "SLOW_SYNC_US": "1000"}
        self.log = open(os.path.join(self.directory, "daemons.log"), "w")
        read, write = os.pipe()
        self.coordinator = subprocess.Popen(
            [f"{programs}/suanpan-coordinator", "--data-dir", self.directory, "--http", "127.0.0.1:0",
             "--agents-endpoint", "tcp://127.0.0.1:0", "--enroll-endpoint", "tcp://127.0.0.1:0", "--log-endpoint", "tcp://127.0.0.1:0",
             "--bootstrap-token-file", f"{self.directory}/token", "--ready-fd", str(write)],
            env=environment, stderr=self.log, stdout=self.log, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            ready.readline()
        self.cpus = cpus
        self.start_agent()
        with open(f"{self.directory}/client.yaml") as file:
            client = dict(line.strip().split(": ", 1) for line in file if ": " in line and not line.startswith("#"))
        self.key = client["key"]
        self.port = int(client["url"].rsplit(":", 1)[1])
        self.connection = socket.create_connection(("127.0.0.1", self.port))
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.launcher = int(subprocess.run(
            ["pgrep", "-f", f"suanpan-launcher --run-dir {self.directory}/"], capture_output=True, text=True, check=True).stdout.split()[0])

    def start_agent(self):
        programs = self.programs
        read, write = os.pipe()
        self.agent = subprocess.Popen(
            [f"{programs}/suanpan-agent", "--data-dir", f"{self.directory}/agent", "--token-file", f"{self.directory}/token", "--name", "n1",
             "--cpus", self.cpus, "--ready-fd", str(write)], stderr=self.log, stdout=self.log, pass_fds=[write])
        os.close(write)
        with os.fdopen(read) as ready:
            ready.readline()

    def call(self, method, path, body=None):
        # Header and body in one write, as HTTP clients do; Python's own sends two and waits for a turn between them.
        text = json.dumps(body) if body is not None else ""
        self.connection.sendall(
            (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\nContent-Type: application/json\r\n"
             f"Content-Length: {len(text)}\r\n\r\n{text}").encode())
        answer = http.client.HTTPResponse(self.connection, method=method)
        answer.begin()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data)

    def submit(self, command, cpu="1", memory="16MiB", array=None):
        return self.call("POST", "/v1/jobs", {"name": "bench", "command": command, "array": array, "resources": {"cpu": cpu, "memory": memory}})["id"]

    def wait(self, job):
        while True:
            shown = self.call("GET", f"/v1/jobs/{job}")
            if shown["state"] in ("succeeded", "failed", "cancelled"):
                return shown
            time.sleep(0.1)

    def cpu(self):
        parts = {name: cpu_seconds(pid) for name, pid in (("coordinator", self.coordinator.pid), ("agent", self.agent.pid), ("launcher", self.launcher))}
        return {"coordinator": parts["coordinator"][0], "agent": parts["agent"][0], "launcher": parts["launcher"][0], "tasks": parts["launcher"][1]}

    def stop(self):
        for process in (self.agent, self.coordinator):
            process.terminate()
        for process in (self.agent, self.coordinator):
            process.wait(30)
        subprocess.run(["kill", str(self.launcher)], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.directory, ignore_errors=True)


def throughput(programs, floor, tasks):
    rows = []
    for label, cpu, width in (("--cpus 1, 2 wide", "1", 2), ("--cpus 100m, 20 wide", "100m", 20)):
        cluster = Cluster(programs)
        cluster.wait(cluster.submit(["/bin/true"], cpu, array="0-199"))
        before, begin = cluster.cpu(), time.monotonic()
        shown = cluster.wait(cluster.submit(["/bin/true"], cpu, array=f"0-{tasks - 1}"))
        wall = time.monotonic() - begin
        time.sleep(0.5)
        after = cluster.cpu()
        assert shown["state"] == "succeeded", shown
        floor_rate, floor_cpu = map(float, subprocess.run([floor, str(tasks), str(width)], capture_output=True, text=True, check=True).stdout.split())
        parts = {name: (after[name] - before[name]) * 1000 / tasks for name in after}
        total = sum(parts.values())
        row = {"case": label, "tasks": tasks, "rate": tasks / wall, "floorRate": floor_rate, "rateRatio": tasks / wall / floor_rate,
               "cpuMs": total, "floorCpuMs": floor_cpu, "cpuRatio": total / floor_cpu, "parts": parts}
        rows.append(row)
        print(f"(a) {label}: {row['rate']:.0f} tasks/s ({row['rateRatio']:.2f} of the floor's {floor_rate:.0f}), "
              f"{total:.3f} ms CPU a task ({row['cpuRatio']:.2f} x the floor's {floor_cpu:.3f}): "
              + ", ".join(f"{name} {value:.3f}" for name, value in parts.items()))
        cluster.stop()
    return rows


def latency(programs, count=300):
    cluster = Cluster(programs)
    stamp = os.path.join(cluster.directory, "stamp")
    source = stamp + ".c"
    with open(source, "w") as file:
        file.write('#include <stdio.h>\n#include <time.h>\nint main(void){struct timespec t;clock_gettime(CLOCK_REALTIME,&t);'
                   'printf("%ld.%09ld\\n",t.tv_sec,t.tv_nsec);return 0;}\n')
    subprocess.run(["cc", "-O2", "-static", "-o", stamp, source], check=True)
    os.chmod(stamp, 0o755)
    taken = []
    for index in range(count + 20):
        begin = time.time()
        job = cluster.submit([stamp])
        cluster.wait(job)
        text = ""
        while not text:
            connection = http.client.HTTPConnection("127.0.0.1", cluster.port)
            connection.request("GET", f"/v1/jobs/{job}/logs?stream=stdout&follow=true", headers={"Authorization": f"Bearer {cluster.key}"})
            text = connection.getresponse().read().decode()
        if index >= 20:
            taken.append((float(text) - begin) * 1000)
    taken.sort()
    result = {"count": count, "p50": statistics.median(taken), "p99": taken[int(len(taken) * 0.99) - 1]}
    environment = dict(os.environ, SUANPAN_DATA_DIR=cluster.directory)
    cold = []
    for _ in range(30):
        begin = time.monotonic()
        subprocess.run([f"{programs}/suanpan", "submit", "--", "/bin/true"], env=environment, stdout=subprocess.DEVNULL, check=True)
        cold.append((time.monotonic() - begin) * 1000)
    result["coldSubmit"] = statistics.median(cold)
    print(f"(b) submit -> first instruction: p50 {result['p50']:.2f} ms, p99 {result['p99']:.2f} ms of {count}; "
          f"a cold `suanpan submit` as a whole: median {result['coldSubmit']:.1f} ms")
    cluster.stop()
    return result


def sizes(programs, tasks):
    cluster = Cluster(programs)
    time.sleep(1)
    idle = {name: resident_mib(pid) for name, pid in (("coordinator", cluster.coordinator.pid), ("agent", cluster.agent.pid), ("launcher", cluster.launcher))}
    database = os.path.join(cluster.directory, "journal.sqlite")

    def used():
        import sqlite3
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0] - connection.execute("PRAGMA freelist_count").fetchone()[0]
            return pages * connection.execute("PRAGMA page_size").fetchone()[0]

    cluster.wait(cluster.submit(["/bin/true"], "100m", array="0-99"))
    before = used()
    cluster.wait(cluster.submit(["/bin/true"], "100m", array=f"0-{tasks - 1}"))
    result = {"idleRssMiB": idle, "bytesPerTask": (used() - before) / tasks,
              "coordinatorAfterMiB": resident_mib(cluster.coordinator.pid)}
    print(f"(c) idle RSS MiB: " + ", ".join(f"{name} {value:.1f}" for name, value in idle.items())
          + f"; {result['bytesPerTask']:.0f} bytes on disk a finished task; coordinator after {tasks} tasks {result['coordinatorAfterMiB']:.1f} MiB")
    cluster.stop()
    return result


def submissions(programs, shim, seconds=10):
    if not shutil.which("wrk"):
        print("(d) skipped: wrk is not installed")
        return None
    cluster = Cluster(programs, preload=shim)
    script = os.path.join(cluster.directory, "post.lua")
    body = json.dumps({"name": "bench", "command": ["/bin/true"], "resources": {"cpu": "1", "memory": "16MiB"}, "beginAt": "2099-01-01T00:00:00Z"})
    with open(script, "w") as file:
        file.write(f'wrk.method = "POST"\nwrk.body = [[{body}]]\nwrk.headers["Content-Type"] = "application/json"\n'
                   f'wrk.headers["Authorization"] = "Bearer {cluster.key}"\n')
    before = cluster.cpu()["coordinator"]
    output = subprocess.run(["wrk", "-t1", "-c100", f"-d{seconds}s", "--latency", "-s", script, f"http://127.0.0.1:{cluster.port}/v1/jobs"],
                            capture_output=True, text=True, check=True).stdout
    after = cluster.cpu()["coordinator"]
    rate = float(next(line for line in output.splitlines() if "Requests/sec" in line).split()[1])
    refused = any("Non-2xx" in line for line in output.splitlines())
    result = {"rate": rate, "cpuMs": (after - before) * 1000 / (rate * seconds), "someRefused": refused}
    print(f"(d) {rate:.0f} accepted submissions/s at 100 clients, fsync + 1 ms; coordinator {result['cpuMs']:.3f} ms CPU each"
          + ("; SOME WERE REFUSED\n" + output if refused else ""))
    cluster.stop()
    return result


def notice(programs, count=15):
    """Looks every millisecond or so: the figure is at most one look too large."""
    cluster, taken = Cluster(programs), []
    for _ in range(count):
        begin = time.monotonic()
        cluster.agent.kill()
        while cluster.call("GET", "/v1/nodes")["items"][0]["state"] == "ready":
            time.sleep(0.001)
        taken.append((time.monotonic() - begin) * 1000)
        cluster.agent.wait()
        cluster.start_agent()
        while cluster.call("GET", "/v1/nodes")["items"][0]["state"] != "ready":
            time.sleep(0.01)
    taken.sort()
    result = {"count": count, "p50": statistics.median(taken), "worst": taken[-1]}
    print(f"(e) kill -9 of the agent -> noticed: p50 {result['p50']:.1f} ms, worst {result['worst']:.1f} ms of {count}")
    cluster.stop()
    return result


def scrapes(programs, nodes=1000, tasks=100_000, count=20):
    """A text is kept for a second, so scrapes are further apart. What a batch waits for it shows in submissions meanwhile."""
    profile = os.path.join(HERE, "..", "..", "..", "Deploy", "profiles", "demo.yaml")
    directory = tempfile.mkdtemp(prefix="suanpan-bench-", dir="/var/tmp")
    log = open(os.path.join(directory, "up.log"), "w")
    up = subprocess.Popen(
        [f"{programs}/suanpan", "up", "--data-dir", directory, "--http", "127.0.0.1:0", "--agents-endpoint", "tcp://127.0.0.1:0",
         "--enroll-endpoint", "tcp://127.0.0.1:0", "--log-endpoint", "tcp://127.0.0.1:0", "--agents", str(nodes), "--profile", profile],
        stdout=log, stderr=log)
    try:
        client = {}
        while "key" not in client or "url" not in client:
            time.sleep(0.2)
            try:
                with open(f"{directory}/client.yaml") as file:
                    client = dict(line.strip().split(": ", 1) for line in file if ": " in line and not line.startswith("#"))
            except FileNotFoundError:
                pass
        connection = http.client.HTTPConnection("127.0.0.1", int(client["url"].rsplit(":", 1)[1]))
        headers = {"Authorization": f"Bearer {client['key']}", "Content-Type": "application/json"}

        def call(method, path, body=None):
            begin = time.monotonic()
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            data = answer.read()
            assert answer.status < 300, (path, answer.status, data[:300])
            return data, (time.monotonic() - begin) * 1000

        while json.loads(call("GET", "/v1/cluster")[0])["nodesReady"] < nodes:
            time.sleep(0.5)

        coordinator = int(subprocess.run(
            ["pgrep", "-P", str(up.pid), "-f", "suanpan-coordinator"], capture_output=True, text=True, check=True).stdout.split()[0])

        def measure(label):
            taken, size = [], 0
            before, begin = sum(cpu_seconds(coordinator)), time.monotonic()
            # It may have been idle for too long; the next request opens it again.
            connection.close()
            for _ in range(count):
                time.sleep(1.1)
                data, milliseconds = call("GET", "/metrics")
                taken.append(milliseconds)
                size = len(data)
            taken.sort()
            share = (sum(cpu_seconds(coordinator)) - before) / (time.monotonic() - begin)
            figures = {"coordinatorRSSMiB": resident_mib(coordinator), "coordinatorCores": share, "nodes": nodes, "queued": json.loads(call("GET", "/v1/cluster")[0])["tasksQueued"], "bytes": size,
                       "p50": statistics.median(taken), "worst": taken[-1]}
            print(f"(f) {label}: scrape of {figures['bytes'] / 1024:.0f} KiB with {nodes} nodes and {figures['queued']} queued tasks: "
                  f"p50 {figures['p50']:.1f} ms, worst {figures['worst']:.1f} ms of {count}; coordinator "
                  f"{figures['coordinatorRSSMiB']:.0f} MiB, {100 * share:.1f} % of a core", flush=True)
            return figures

        job = {"name": "bench", "command": ["work"], "beginAt": "2099-01-01T00:00:00Z", "resources": {"cpu": "1", "memory": "16MiB"}}
        idle = measure("idle")
        array = json.loads(call("POST", "/v1/jobs", job | {"array": f"0-{tasks - 1}"})[0])["id"]
        whole = measure("one array")
        call("POST", f"/v1/jobs/{array}/cancel", {})
        port, text = int(client["url"].rsplit(":", 1)[1]), json.dumps(job)

        def submit_many(number):
            own = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(number):
                own.request("POST", "/v1/jobs", text, headers)
                answer = own.getresponse()
                answer.read()
                assert answer.status == 201, answer.status

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(submit_many, [tasks // 16] * 15 + [tasks - tasks // 16 * 15]))
        return {"idle": idle, "array": whole, "jobs": measure("jobs of one task")}
    finally:
        up.terminate()
        up.wait(60)
        log.close()
        shutil.rmtree(directory, ignore_errors=True)


def uploads(programs, files=2000, size=100_000_000):
    """The programs' own times, start and end with them. Contents are random: nothing is known before the first time."""
    tree = tempfile.mkdtemp(prefix="suanpan-bench-tree-", dir="/var/tmp")
    for number in range(files):
        folder = os.path.join(tree, f"{number % 50}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{number}"), "wb") as file:
            file.write(os.urandom(size // files))
    cluster = Cluster(programs)
    environment = dict(os.environ) | {"SUANPAN_DATA_DIR": cluster.directory}

    def timed(*command):
        begin = time.monotonic()
        output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        return (time.monotonic() - begin) * 1000, output.strip()

    result = {"files": files, "bytes": size}
    try:
        copy = tempfile.mkdtemp(prefix="suanpan-bench-copy-", dir="/var/tmp")
        result["floorMs"] = timed("sh", "-c", f"cp -r {tree} {copy} && sync -f {copy}")[0]
        shutil.rmtree(copy)
        for name in ("first", "again"):
            begin = time.monotonic()
            accepted, job = timed(f"{programs}/suanpan", "submit", "--input", f"{tree}:.", "--", "true")
            timed(f"{programs}/suanpan", "wait", job)
            result[name] = {"acceptedMs": accepted, "endedMs": (time.monotonic() - begin) * 1000}
        print(f"(g) {size / 1e6:.0f} MB in {files} files: accepted after {result['first']['acceptedMs']:.0f} ms, again "
              f"{result['again']['acceptedMs']:.0f} ms; ended after {result['first']['endedMs']:.0f} ms, again "
              f"{result['again']['endedMs']:.0f} ms; cp and sync {result['floorMs']:.0f} ms")
    finally:
        cluster.stop()
        shutil.rmtree(tree, ignore_errors=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--tasks", type=int, default=10000)
    parser.add_argument("--only", default="a,b,c,d,e,f,g")
    parser.add_argument("--json")
    options = parser.parse_args()
    programs, only, results = os.path.abspath(options.programs), options.only.split(","), {}
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        floor, shim = compile_c("floor", directory), compile_c("slow_sync.so", directory, "-shared", "-fPIC", "-ldl")
        if "a" in only:
            results["a"] = throughput(programs, floor, options.tasks)
        if "b" in only:
            results["b"] = latency(programs)
        if "c" in only:
            results["c"] = sizes(programs, options.tasks)
        if "d" in only:
            results["d"] = submissions(programs, shim)
        if "e" in only:
            results["e"] = notice(programs)
        if "f" in only:
            results["f"] = scrapes(programs)
        if "g" in only:
            results["g"] = uploads(programs)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
