#!/usr/bin/env python3
"""Makes man pages of what the programs say of themselves.

    manpages.py --programs DIR --output DIR [--gzip]

Every program prints its tree of commands with --experimental-dump-help; from that come suanpan(1), a page for each of its
verbs, suanpan-coordinator(8) and suanpan-agent(8), below DIR/man1 and DIR/man8. Pages of one version have equal bytes.
"""

import argparse
import gzip
import json
import pathlib
import re
import subprocess
import sys

DAEMONS = {
    "suanpan-coordinator": ["/etc/suanpan/coordinator.yaml", "/var/lib/suanpan"],
    "suanpan-agent": ["/etc/suanpan/agent.yaml", "/var/lib/suanpan-agent"],
}
SEE_ALSO_DAEMONS = [("suanpan-coordinator", 8), ("suanpan-agent", 8)]


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return re.sub(r"^\.", r"\\&.", text, flags=re.M)


def code(text):
    """What stands between backquotes in help is bold here."""
    parts = re.split(r"`([^`\n]+)`", text)
    return "".join(escaped(part) if index % 2 == 0 else "\\fB" + escaped(part) + "\\fR" for index, part in enumerate(parts))


def option_name(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def is_shown(item):
    return item.get("shouldDisplay", True) and item.get("valueName") not in ("help", "version")


def visible(command):
    return [item for item in command.get("subcommands", []) if is_shown(item) and item["commandName"] != "help"]


def synopsis(path, command):
    words = ["\\fB" + escaped(" ".join(path)) + "\\fR"]
    for argument in filter(is_shown, command.get("arguments", [])):
        value = "\\fI" + escaped(argument.get("valueName", "value")) + "\\fR"
        if argument["kind"] == "positional":
            word = value
        else:
            word = "\\fB" + escaped(option_name(argument["preferredName"])) + "\\fR"
            word += " " + value if argument["kind"] == "option" else ""
        word += " ..." if argument["isRepeating"] else ""
        words.append("[" + word + "]" if argument["isOptional"] else word)
    if visible(command):
        words.append("\\fIverb\\fR ...")
    return " ".join(words)


def arguments(command):
    lines = []
    for argument in filter(is_shown, command.get("arguments", [])):
        value = "\\fI" + escaped(argument.get("valueName", "value")) + "\\fR"
        if argument["kind"] == "positional":
            term = value
        else:
            names = ", ".join("\\fB" + escaped(option_name(name)) + "\\fR" for name in argument["names"])
            term = names + (" " + value if argument["kind"] == "option" else "")
        text = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
        if not all(value in text for value in argument.get("allValues", [])):
            text += " One of: " + ", ".join(argument["allValues"]) + "."
        if argument.get("defaultValue") and "default:" not in text.lower():
            text += " Default: " + argument["defaultValue"] + "."
        lines += [".TP", term, code(text or argument.get("valueName", ""))]
    return lines


def discussion(text):
    """Paragraphs; examples become examples."""
    lines = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        match = re.match(r"(?i)examples?:\s*(.*)", paragraph, flags=re.S)
        if match:
            lines += [".PP", "Example:", ".PP", ".nf", ".RS 4", escaped(match.group(1).strip()), ".RE", ".fi"]
        else:
            lines += [".PP", code(paragraph)]
    return lines


def section(title, lines):
    return [".SH " + title] + (lines[1:] if lines[:1] == [".PP"] else lines) if lines else []


def page(path, command, number, version, see_also, files=()):
    """One command with its subcommands; a default subcommand's options count as its own."""
    name = "-".join(path)
    shown = command
    default = command.get("defaultSubcommand")
    for item in command.get("subcommands", []):
        if item["commandName"] == default:
            shown = item
    lines = [f'.TH {name.upper().replace("-", "-")} {number} "" "Suanpan {version}" "Suanpan"']
    abstract = command.get("abstract", "").rstrip(".")
    lines += [".SH NAME", escaped(name) + " \\- " + escaped(abstract)]
    lines += [".SH SYNOPSIS", synopsis(path, {**shown, "subcommands": command.get("subcommands", [])})]
    lines += section("DESCRIPTION", discussion(command.get("discussion") or (command.get("abstract", ""))))
    lines += section("OPTIONS", arguments(shown))
    subcommands = [item for item in visible(command) if item["commandName"] != default]
    if len(path) == 1 and number == 1:
        entries = []
        for item in subcommands:
            verb = f"{name}-{item['commandName']}"
            entries += [".TP", f"\\fB{escaped(verb)}\\fR({8 if verb in DAEMONS else 1})", code(item.get("abstract", ""))]
        lines += section("VERBS", entries)
    else:
        for item in subcommands:
            own = path + [item["commandName"]]
            lines += [".SH " + '"' + escaped(" ".join(own)).upper().replace("\\(AQ", "") + '"']
            lines += [synopsis(own, item), ".PP", code(item.get("abstract", ""))]
            lines += discussion(item["discussion"]) if item.get("discussion") else []
            lines += arguments(item)
    if files:
        entries = []
        for file in files:
            entries += [".TP", escaped(file), "Settings." if file.endswith(".yaml") else "State."]
        lines += section("FILES", entries)
    others = [f"\\fB{escaped(other)}\\fR({place})" for other, place in see_also if other != name]
    lines += section("SEE ALSO", [",\n".join(others)])
    return "\n".join(line for line in lines if line) + "\n"


def dump(program):
    return json.loads(subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout)["command"]


def pages(programs):
    version = subprocess.run([programs / "suanpan", "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    root = dump(programs / "suanpan")
    yield 1, "suanpan", page(["suanpan"], root, 1, version, SEE_ALSO_DAEMONS)
    for command in visible(root):
        path = ["suanpan", command["commandName"]]
        # Two of them become the daemons, which have pages of their own.
        if "-".join(path) not in DAEMONS:
            yield 1, "-".join(path), page(path, command, 1, version, [("suanpan", 1)] + SEE_ALSO_DAEMONS)
    for name, files in DAEMONS.items():
        yield 8, name, page([name], dump(programs / name), 8, version, [("suanpan", 1)] + SEE_ALSO_DAEMONS, files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="DIR")
    parser.add_argument("--gzip", action="store_true", help="compress them, as packages hold them")
    options = parser.parse_args()
    count = 0
    for number, name, text in pages(options.programs):
        folder = options.output / f"man{number}"
        folder.mkdir(parents=True, exist_ok=True)
        data = text.encode()
        if options.gzip:
            (folder / f"{name}.{number}.gz").write_bytes(gzip.compress(data, 9, mtime=0))
        else:
            (folder / f"{name}.{number}").write_bytes(data)
        count += 1
    print(f"{count} pages in {options.output}", file=sys.stderr)


main()
