#!/usr/bin/python3
"""Asks an SMT solver what `laneway analyze` asks, and holds the answers against each other.

Needs python3-z3 (Debian), cargo, and a built laneway. From this folder:

    ./compare.py --laneway ../../../target/release/laneway --sizes 5,500

How a matrix is given to the solver:

- The triggers are those of `laneway show MATRIX --format json`. A test that is not encoded ends the run.
- An enum is a sort of its own, a whole number an Int, money and numbers are Reals, a text is a String with `=` and
  `str.prefixof`, a list is one Bool for each item that a test of it names. Ranges are asserted.
- A field that may be missing has a Bool that says whether it is there. Each expression is two formulas, as in Kleene's
  logic: when it is surely true, and when it is not surely false. `if present` makes one of them.
- A measure is a Bool of its own: it has any amount.

An event is of one kind, so there is a solver for each kind, which knows the ranges; for what is asked behind the
`always deny`, it also knows that none of them surely applies. Each question is one check between a push and a pop.
"""

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import z3

HERE = Path(__file__).resolve().parent
RUNNING = {"continue", "degrade", "slow"}
SIGNS = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class Kind:
    """The fields of one kind as terms."""

    def __init__(self, event, context):
        self.name = event["event"]
        self.terms = {}
        self.present = {}
        self.items = {}
        self.measures = {}
        self.ranges = []
        for field in event["fields"]:
            self.declare(field, context)

    def declare(self, field, context):
        path, sort = field["path"], field["type"]
        name = f"{self.name}.{path}"
        if sort.startswith("one of "):
            words = sort.removeprefix("one of ").split(", ")
            if sort not in context:
                serial = len(context)
                labels = [f"{word}~{serial}" for word in words]
                enum, values = z3.EnumSort(f"enum{serial}", labels)
                context[sort] = (enum, dict(zip(words, values)))
            self.terms[path] = (z3.Const(name, context[sort][0]), context[sort][1])
        elif sort == "text":
            self.terms[path] = (z3.String(name), "text")
        elif sort == "yes/no":
            self.terms[path] = (z3.Bool(name), "flag")
        elif sort.startswith(("money", "number", "whole number")):
            make = z3.Int if sort.startswith("whole") else z3.Real
            term = make(name)
            self.terms[path] = (term, "number")
            low, high = re.search(r"(\S+) to (\S+)", sort).groups()
            self.ranges += [term >= number(low), term <= number(high)]
        elif sort == "list of text":
            self.terms[path] = (None, "list")
        elif path != "at":
            sys.exit(f"not encoded: a field of `{sort}`")
        if field.get("optional"):
            self.present[path] = z3.Bool(f"{name}?")

    def item(self, path, text):
        key = (path, text)
        if key not in self.items:
            self.items[key] = z3.Bool(f"{self.name}.{path}:{text}")
        return self.items[key]

    def rails(self, expr):
        """When it is surely true, and when it is not surely false."""
        if "all of" in expr:
            parts = [self.rails(part) for part in expr["all of"]]
            return tuple(z3.And(*rail) for rail in zip(*parts))
        if "any of" in expr:
            parts = [self.rails(part) for part in expr["any of"]]
            return tuple(z3.Or(*rail) for rail in zip(*parts))
        if "not" in expr:
            yes, maybe = self.rails(expr["not"])
            return z3.Not(maybe), z3.Not(yes)
        if "measure" in expr:
            name = expr["measure"]
            term = self.measures.setdefault(name, z3.Bool(f"{self.name}.{name}"))
            return term, term
        if "test" not in expr:
            sys.exit(f"not encoded: {expr}")
        holds = self.test(expr["test"].removesuffix(" if present"))
        present = self.present.get(expr["field"])
        if present is None:
            return holds, holds
        surely = z3.And(present, holds)
        if expr["if_present"]:
            return surely, surely
        return surely, z3.Or(z3.Not(present), holds)

    def test(self, text):
        path, rest = text.split(" ", 1)
        term, sort = self.terms[path]
        if found := re.fullmatch(r"contains (any|all|none) of \((.*)\)", rest):
            items = [self.item(path, word) for word in words(found[2])]
            any_of, all_of = z3.Or(*items), z3.And(*items)
            return {"any": any_of, "all": all_of, "none": z3.Not(any_of)}[found[1]]
        if found := re.fullmatch(r'starts with "(.*)"', rest):
            return z3.PrefixOf(z3.StringVal(found[1]), term)
        if found := re.fullmatch(r"(not )?in \((.*)\)", rest):
            among = z3.Or(*(term == value(sort, word) for word in words(found[2])))
            return z3.Not(among) if found[1] else among
        if found := re.fullmatch(r"is (not )?(.*)", rest):
            same = term == value(sort, found[2])
            return z3.Not(same) if found[1] else same
        if found := re.fullmatch(r"([<>]=?) ([0-9.]+)( [A-Z]{3})?", rest):
            return SIGNS[found[1]](term, number(found[2]))
        sys.exit(f"not encoded: `{text}`")


def number(text):
    exact = Fraction(text)
    whole = exact.denominator == 1
    return int(exact) if whole else z3.Q(exact.numerator, exact.denominator)


def words(text):
    return re.findall(r'"[^"]*"|[^\s,]+', text)


def value(sort, word):
    if sort == "text":
        return z3.StringVal(word.strip('"'))
    if sort == "flag":
        return z3.BoolVal(word == "yes")
    return sort[word.strip('"')]


class Questions:
    """The questions about one matrix."""

    def __init__(self, matrix, seconds):
        context = {}
        self.kinds = {it["event"]: Kind(it, context) for it in matrix["events"]}
        self.lanes = matrix["lanes"]
        self.rules = matrix["rules"]
        self.undecided = 0
        self.checking = 0.0
        denies = [rule for rule in self.rules if rule["does"] == "always deny"]
        # One that is not ruled out asks as `unreadable` does, which may be to deny.
        rail = 1 if matrix["unreadable"] == "deny" else 0
        self.reach = {
            (lane["lane"], kind): self.trigger(lane, kind) for lane in self.lanes for kind in lane["on"]
        }
        self.open, self.behind = {}, {}
        for name, kind in self.kinds.items():
            denied = [kind.rails(rule["when"])[rail] for rule in denies if name in rule["on"]]
            self.open[name] = z3.Solver()
            self.behind[name] = z3.Solver()
            for solver in (self.open[name], self.behind[name]):
                solver.set("timeout", int(seconds * 1000))
                solver.add(*kind.ranges)
            self.behind[name].add(*(z3.Not(one) for one in denied))

    def trigger(self, lane, kind):
        maybe = self.kinds[kind].rails(lane["when"])[1]
        if lane.get("unless"):
            surely = self.kinds[kind].rails(lane["unless"])[0]
            return z3.And(maybe, z3.Not(surely))
        return maybe

    def is_possible(self, solver, *formulas):
        start = time.perf_counter()
        solver.push()
        solver.add(*formulas)
        answer = solver.check()
        solver.pop()
        self.checking += time.perf_counter() - start
        if answer == z3.unknown:
            self.undecided += 1
        return answer != z3.unsat

    def reaches(self, lane, solvers):
        name = lane["lane"]
        return any(self.is_possible(solvers[kind], self.reach[name, kind]) for kind in lane["on"])

    def dead(self):
        for lane in self.lanes:
            if not self.reaches(lane, self.open):
                yield (lane["lane"],)
        for rule in self.rules:
            kinds = ((self.kinds[kind], self.open[kind]) for kind in rule["on"])
            if not any(self.is_possible(solver, kind.rails(rule["when"])[1]) for kind, solver in kinds):
                yield (rule["rule"],)

    def shadowed(self):
        for lane in self.lanes:
            if not self.reaches(lane, self.behind) and self.reaches(lane, self.open):
                yield (lane["lane"],)

    def conflict(self):
        for one, other in itertools.combinations(self.lanes, 2):
            kinds = [kind for kind in one["on"] if kind in other["on"]]
            if not kinds or not contradict(one, other):
                continue
            names = one["lane"], other["lane"]
            reach = lambda kind: [self.reach[name, kind] for name in names]
            if any(self.is_possible(self.behind[kind], *reach(kind)) for kind in kinds):
                yield names


def contradict(one, other):
    ends = [lane["timeout"][-1]["do"].split()[0] for lane in (one, other)]
    allows = [end == "allow" for end in ends]
    runs = [lane["meanwhile"]["hold"] in RUNNING for lane in (one, other)]
    if allows[0] != allows[1]:
        return True
    if runs[0] != runs[1] and not allows[0]:
        return True
    return one["owner"] == other["owner"] and ends[0] != ends[1]


def laneway(program, *args):
    start = time.perf_counter()
    ran = subprocess.run([program, *args], stdout=subprocess.PIPE, check=False)
    seconds = time.perf_counter() - start
    if ran.returncode not in (0, 1):
        sys.exit(f"laneway {' '.join(args)} ended with {ran.returncode}")
    return json.loads(ran.stdout), seconds


def generated(sort, lanes, seed, folder):
    command = ["cargo", "run", "--quiet", "--locked", "--manifest-path", HERE / "Cargo.toml", "--"]
    text = subprocess.run([*command, sort, str(lanes), str(seed)], stdout=subprocess.PIPE, check=True).stdout
    path = Path(folder) / f"{sort}-{lanes}.lane"
    path.write_bytes(text)
    return str(path)


def compare(args, sort, lanes, folder):
    path = generated(sort, lanes, args.seed, folder)
    matrix, _ = laneway(args.laneway, "show", path, "--format", "json")
    analysis, ours = laneway(args.laneway, "analyze", path, "--format", "json", "--budget", args.budget)
    start = time.perf_counter()
    questions = Questions(matrix, args.timeout)
    made = time.perf_counter() - start
    print(f"\n{sort}, {lanes} lanes: laneway answers all its questions in {ours:.2f} s, with starting and checking;")
    print(f"the solver's formulas are made in {made:.2f} s")
    print("| question | laneway | z3 | s | s in checks | not decided |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    is_same = True
    for question in ("dead", "shadowed", "conflict"):
        given = {
            tuple(it["about"])
            for it in analysis["answers"]
            if it["question"] == question and it["grade"] != "not_decided"
        }
        questions.undecided, questions.checking = 0, 0.0
        start = time.perf_counter()
        found = set(getattr(questions, question)())
        seconds = time.perf_counter() - start
        print(
            f"| {question} | {len(given)} | {len(found)} | {seconds:.3f} | {questions.checking:.3f} "
            f"| {questions.undecided} |"
        )
        for what, names in (("laneway", given - found), ("z3", found - given)):
            for name in sorted(names)[:5]:
                print(f"only {what} says {question}: {' and '.join(name)}", file=sys.stderr)
                is_same = False
    return is_same


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--laneway", default=str(HERE / "../../../target/release/laneway"))
    parser.add_argument("--sizes", default="5,500")
    parser.add_argument("--sorts", default="realistic,random")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--budget", default="60s", help="of laneway, for one question")
    parser.add_argument("--timeout", type=float, default=60, help="of z3, seconds for one check")
    args = parser.parse_args()
    print(f"z3 {z3.get_version_string()}, seed {args.seed}")
    with tempfile.TemporaryDirectory() as folder:
        cases = itertools.product(args.sorts.split(","), map(int, args.sizes.split(",")))
        same = [compare(args, sort, lanes, folder) for sort, lanes in cases]
    sys.exit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
