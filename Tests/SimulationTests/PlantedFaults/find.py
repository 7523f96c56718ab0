#!/usr/bin/env python3
"""Plants each fault of list.txt in a copy of the sources and says how many seeds the simulation takes to notice.

    Tests/SimulationTests/PlantedFaults/find.py [--only REGEX] [--max 1000]

A fault is found when the median over five starting points is at most 500 seeds. Exit status 1 when one is not.
"""
import argparse, concurrent.futures, os, re, shutil, statistics, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../../.."))
LIMIT = 500


def faults():
    text = open(os.path.join(HERE, "list.txt"), encoding="utf-8").read()
    for block in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, rest = block.partition("\n")
        file = re.search(r"^file: (.*)$", rest, re.M).group(1).strip()
        old = re.search(r"^--- .*?\n(.*?)^\+\+\+", rest, re.M | re.S).group(1)
        new = re.search(r"^\+\+\+.*?\n(.*?)^===", rest, re.M | re.S).group(1)
        yield title.strip(), file, old, new


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="a regular expression for titles")
    parser.add_argument("--max", type=int, default=1000)
    parser.add_argument("--scratch", default=os.path.join(tempfile.gettempdir(), "suanpan-planted"))
    arguments = parser.parse_args()
    copy = os.path.join(arguments.scratch, "tree")
    shutil.rmtree(copy, ignore_errors=True)
    # Times are kept, so that only what differs from the last run is built.
    for folder in ("Sources", "Tests"):
        shutil.copytree(os.path.join(ROOT, folder), os.path.join(copy, folder), symlinks=True)
    shutil.copy2(os.path.join(ROOT, "Package.swift"), copy)
    missed = 0
    print(f"{'seeds (median)':>14}  fault", flush=True)
    for title, file, old, new in faults():
        if not re.search(arguments.only, title):
            continue
        path = os.path.join(copy, file)
        stamp = os.stat(path)
        source = open(path, encoding="utf-8").read()
        if source.count(old) != 1:
            sys.exit(f"'{title}': its text occurs {source.count(old)} times in {file}; mend list.txt")
        open(path, "w", encoding="utf-8").write(source.replace(old, new))
        try:
            counts, how = find(copy, arguments)
        except ValueError as error:
            counts, how = [arguments.max + 1], f"does not compile: {error}"
        open(path, "w", encoding="utf-8").write(source)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        median = statistics.median(counts)
        isMissed = median > LIMIT
        missed += isMissed
        shown = "not found" if median > arguments.max else f"{median:g}"
        print(f"{shown:>14}  {title}: {how[:90]}", flush=True)
    sys.exit(1 if missed else 0)


def find(copy, arguments):
    environment = dict(os.environ, SUANPAN_CORE="1")
    scratch = os.path.join(arguments.scratch, "build")
    build = ["swift", "build", "--build-tests", "--package-path", copy, "--scratch-path", scratch]
    built = subprocess.run(build, env=environment, capture_output=True, text=True)
    if built.returncode:
        raise ValueError(next((line for line in built.stdout.splitlines() if "error:" in line), "?"))
    # Each start in a process of its own: where one ends in a trap, it takes only itself along. Two at a time.
    starts = [1, 100_001, 200_001, 300_001, 400_001]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda start: run(copy, scratch, start, arguments), starts))
    return [count for count, _ in found], next((how for _, how in found if how), "")


def run(copy, scratch, start, arguments):
    out = os.path.join(arguments.scratch, "found")
    file = f"{out}.{start}"
    if os.path.exists(file):
        os.remove(file)
    environment = dict(os.environ, SUANPAN_CORE="1", SUANPAN_FIRST_FAILURE=f"{out}:{arguments.max}:{start}")
    test = ["timeout", "600", "swift", "test", "--skip-build", "--package-path", copy, "--scratch-path", scratch, "--filter",
            "seedsUntilTheFirstFailure"]
    subprocess.run(test, env=environment, capture_output=True)
    count, _, how = open(file, encoding="utf-8").read().partition(" ")
    return (arguments.max + 1, "") if count == "none" else (int(count), how)


main()
