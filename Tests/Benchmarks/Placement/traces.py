#!/usr/bin/env python3
"""How much each policy leaves idle on traces that others published: the protocol of Weng et al., USENIX ATC 2023.

Reads the folder that SUANPAN_TRACES names: openb/nodes*.csv.gz and openb/pods_VARIANT.csv.gz, as alibaba/clusterdata
(cluster-trace-gpu-v2023) has them. Tasks are sorted by name, shuffled under the seed and drawn again until 130 % of all GPUs are
asked for. A figure is the part of all GPUs, in per cent, that is idle when as much has been asked for as there is.

    SUANPAN_TRACES=DIR traces.py --programs .build/release [--seeds 42,43,44] [--only VARIANT,...] [--learned] [--json FILE]
"""

import argparse
import concurrent.futures
import csv
import glob
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile

# As published with the paper: means of ten seeds of its authors' scheduler.
PUBLISHED = {
    "default": {"random": 13.70, "bestfit": 7.14, "fgd": 4.77},
    "gpushare40": {"random": 15.14, "bestfit": 8.56, "fgd": 6.04},
    "multigpu20": {"random": 13.08, "bestfit": 6.27, "fgd": 4.47},
    "gpuspec10": {"random": 13.74, "bestfit": 6.90, "fgd": 5.34},
}
POLICIES = ["suanpan", "fgd", "bestfit", "firstfit", "random"]
COLUMNS = ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"]


def read(path):
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def demand(pod):
    return int(pod["num_gpu"]) * int(pod["gpu_milli"])


def arrivals(pods, capacity, seed):
    generator = random.Random(seed)
    ordered = sorted(pods, key=lambda pod: pod["name"])
    sequence = ordered[:]
    generator.shuffle(sequence)
    total = sum(map(demand, sequence))
    while True:
        pod = ordered[generator.randrange(len(ordered))]
        if total + demand(pod) > 1.3 * capacity:
            return sequence
        sequence.append(dict(pod, name=f"{pod['name']}-x{len(sequence)}"))
        total += demand(pod)


def run(programs, nodes, workload, sequence, seed, learned, directory):
    trace = os.path.join(directory, "trace.csv")
    with open(trace, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(sequence)
    report = os.path.join(directory, "report.json")
    expectation = [] if learned else ["--workload", workload]
    subprocess.run(
        [f"{programs}/suanpan", "simulate", "--nodes", nodes, "--trace", trace, "--policy", "all", "--seed", str(seed), "--report", report,
         *expectation], check=True, stdout=subprocess.DEVNULL)
    with open(report) as file:
        return {entry["policy"]: entry["unallocatedPercentAtFull"] for entry in json.load(file)["runs"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--seeds", default="42,43,44")
    parser.add_argument("--only", default="")
    parser.add_argument("--learned", action="store_true", help="nothing is expected beforehand: it is learned as tasks come")
    parser.add_argument("--json")
    options = parser.parse_args()
    folder = os.environ.get("SUANPAN_TRACES")
    if not folder or not os.path.isdir(f"{folder}/openb"):
        sys.exit("skipped: SUANPAN_TRACES names no folder with openb/")
    nodes = sorted(glob.glob(f"{folder}/openb/nodes_gpu*.csv.gz"))[-1]
    capacity = sum(int(row["gpu"]) for row in read(nodes)) * 1000
    variants = [os.path.basename(path)[5:-7] for path in sorted(glob.glob(f"{folder}/openb/pods_*.csv.gz"))]
    variants = [name for name in variants if not options.only or name in options.only.split(",")]
    seeds = [int(seed) for seed in options.seeds.split(",")]

    def one(task):
        variant, seed = task
        path = f"{folder}/openb/pods_{variant}.csv.gz"
        with tempfile.TemporaryDirectory() as directory:
            return run(os.path.abspath(options.programs), nodes, path, arrivals(read(path), capacity, seed), seed, options.learned, directory)

    tasks = [(variant, seed) for variant in variants for seed in seeds]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(tasks, pool.map(one, tasks)))
    means = {name: {policy: sum(found[name, seed][policy] for seed in seeds) / len(seeds) for policy in POLICIES} for name in variants}
    print(f"{'variant':14}" + "".join(f"{policy:>10}" for policy in POLICIES) + f"{'published fgd':>15}{'better of':>11}{'suanpan':>9}")
    ratios = []
    for name in variants:
        published = PUBLISHED.get(name, {}).get("fgd")
        better = min(value for value in (means[name]["fgd"], means[name]["firstfit"], published) if value)
        ratios.append(means[name]["suanpan"] / better)
        print(f"{name:14}" + "".join(f"{means[name][policy]:10.2f}" for policy in POLICIES)
              + (f"{published:15.2f}" if published else f"{'-':>15}") + f"{better:11.2f}{100 * (ratios[-1] - 1):+8.1f} %")
    print(f"mean of suanpan against the better of FGD (here or published) and first-fit: {100 * (sum(ratios) / len(ratios) - 1):+.1f} %")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"seeds": seeds, "means": means}, file, indent=2)


if __name__ == "__main__":
    main()
