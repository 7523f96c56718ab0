#!/usr/bin/env python3
"""How long jobs wait on a month of Microsoft's Philly clusters, under our scheduler and under those that it is compared with.

Reads philly/2017-10.csv.gz (Jeon et al., USENIX ATC 2019; columns job_id,submit_s,duration_s,num_gpus,vc) in the folder that
SUANPAN_TRACES names. Figures in brackets stand against first come first served with skipping, or, where run times are estimated, against
EASY backfill with true run times.

    SUANPAN_TRACES=DIR traces.py --programs .build/release [--nodes 80] [--json FILE]
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

POLICIES = ["suanpan", "fifo", "fifo-skip", "easy", "sjf-skip", "srtf", "las"]
# Mean, 99 %, longest wait and mean wait of gangs, in seconds, as an event simulation of others has them for 80 nodes.
PUBLISHED = {
    "fifo": (12739, 125454, 140512, 17134),
    "fifo-skip": (2744, 41000, 293786, 19683),
    "easy": (2833, 40598, 148351, 14651),
    "sjf-skip": (1492, 23322, 371786, 16349),
    "srtf": (515, 2907, 922646, 18182),
    "las": (2916, 51076, None, 26604),
}


def run(programs, trace, nodes, policy, estimates, preemption="off"):
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.json")
        subprocess.run(
            [f"{programs}/suanpan", "simulate", "--node-count", str(nodes), "--gpus-per-node", "8", "--trace", trace, "--policy", policy,
             "--estimates", estimates, "--report", report] + (["--preemption", "on"] if preemption == "on" else []), check=True, stdout=subprocess.DEVNULL)
        with open(report) as file:
            found = json.load(file)["runs"][0]
    return (found["waitSeconds"]["mean"], found["waitSeconds"]["p99"], found["waitSeconds"]["longest"], found["gangWaitSeconds"]["mean"],
            found["preemptions"] / found["jobs"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True)
    parser.add_argument("--nodes", type=int, default=80)
    parser.add_argument("--json")
    options = parser.parse_args()
    trace = os.path.join(os.environ.get("SUANPAN_TRACES", ""), "philly/2017-10.csv.gz")
    if not os.path.exists(trace):
        sys.exit("skipped: SUANPAN_TRACES names no folder with philly/2017-10.csv.gz")
    # The longest first.
    tasks = [("preempting", "suanpan")] + [("none", policy) for policy in POLICIES] + [(kind, "suanpan") for kind in ("doubled", "exact")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        def start(task):
            preempting = task[0] == "preempting"
            return run(options.programs, trace, options.nodes, task[1], "none" if preempting else task[0], "on" if preempting else "off")

        runs = pool.map(start, tasks)
        found = dict(zip(tasks, runs))
    print(f"{'estimates':10}{'policy':11}{'mean wait':>10}{'99 %':>9}{'longest':>10}{'gangs':>9}   published: mean, 99 %, longest, gangs")
    for (kind, policy), figures in found.items():
        published = PUBLISHED.get(policy) if options.nodes == 80 and kind == "none" else None
        print(f"{kind:10}{policy:11}" + "".join(f"{value:{width}.0f}" for value, width in zip(figures, (10, 9, 10, 9)))
              + ("   " + " ".join("-" if value is None else str(value) for value in published) if published else ""))

    def against(kind, base):
        ours, other = found[kind, "suanpan"], PUBLISHED[base] if options.nodes == 80 else found["none", base]
        print(f"suanpan, estimates {kind}, against {base}: mean {ours[0] / other[0]:.2f}, longest {ours[2] / other[2]:.2f}, "
              f"gangs {ours[3] / other[3]:.2f}")

    against("none", "fifo-skip")
    against("preempting", "fifo-skip")
    print(f"preemptions for each job: {found['preempting', 'suanpan'][4]:.3f}")
    against("doubled", "easy")
    against("exact", "easy")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({f"{kind} {policy}": figures for (kind, policy), figures in found.items()}, file, indent=2)


if __name__ == "__main__":
    main()
