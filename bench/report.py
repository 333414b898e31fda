"""Figures, the table that shows them, and the files that keep them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.machine import Machine


@dataclass(frozen=True)
class Goal:
    """A bound that a figure should keep."""

    bound: float
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether `value` keeps it."""
        return value <= self.bound if self.at_most else value >= self.bound


def at_least(bound: float) -> Goal:
    """Higher is better."""
    return Goal(bound)


def at_most(bound: float) -> Goal:
    """Lower is better."""
    return Goal(bound, at_most=True)


@dataclass(frozen=True)
class Figure:
    """One measured number; ratios have the unit `x`."""

    what: str
    value: float
    unit: str
    goal: Goal | None = None

    @property
    def text(self) -> str:
        """The number with its unit."""
        return f"{_number(self.value)} {self.unit}".strip()

    @property
    def goal_text(self) -> str:
        """The bound, empty where there is none."""
        return "" if self.goal is None else f"{'≤' if self.goal.at_most else '≥'} {_number(self.goal.bound)}"

    @property
    def verdict(self) -> str:
        """`met` or `missed`, empty where there is no goal."""
        return "" if self.goal is None else ("met" if self.goal.met(self.value) else "missed")


@dataclass
class Result:
    """What one benchmark found. `details` are what the figures came from."""

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, what: str, value: float, unit: str, goal: Goal | None = None) -> None:
        """Adds a figure."""
        self.figures.append(Figure(what, value, unit, goal))


@dataclass(frozen=True)
class Kept:
    """A benchmark's result as it is kept: `bystanders` is the share of all cores that other programs took
    meanwhile, `reference` the CPU milliseconds that a fixed piece of work took before and after."""

    benchmark: str
    command: str
    when: str
    revision: str
    seconds: float
    bystanders: float
    reference: float
    result: Result

    def as_json(self) -> dict[str, Any]:
        """For the JSON file."""
        whole = asdict(self)
        for entry, figure in zip(whole["result"]["figures"], self.result.figures, strict=True):
            entry["verdict"] = figure.verdict
        return whole

    @classmethod
    def from_json(cls, whole: dict[str, Any]) -> Kept:
        """The inverse of `as_json`."""
        result = whole["result"]
        figures = [
            Figure(
                entry["what"], entry["value"], entry["unit"], Goal(**entry["goal"]) if entry["goal"] else None
            )
            for entry in result["figures"]
        ]
        return cls(**{**whole, "result": Result(figures, result["notes"], result["details"])})


def table(figures: Sequence[Figure]) -> Iterator[str]:
    """The figures as aligned lines."""
    rows = [(figure.what, figure.text, figure.goal_text, figure.verdict) for figure in figures]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(4)]
    for what, value, goal, verdict in rows:
        line = f"  {what:<{widths[0]}}  {value:>{widths[1]}}  {goal:<{widths[2]}}  {verdict}"
        yield line.rstrip()


def keep(folder: Path, machine: Machine, found: Iterable[Kept]) -> Path:
    """Writes the day's JSON and Markdown files; benchmarks that were not run again stay in them."""
    new = {one.benchmark: one for one in found}
    date = max(one.when for one in new.values())[:10]
    path = folder / f"{date}-{machine.slug}.json"
    old = json.loads(path.read_text())["benchmarks"] if path.exists() else []
    merged = {one["benchmark"]: Kept.from_json(one) for one in old} | new
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"machine": asdict(machine), "benchmarks": [one.as_json() for one in merged.values()]}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text("\n".join(_markdown(date, machine, merged.values())) + "\n")
    return path


def _markdown(date: str, machine: Machine, found: Iterable[Kept]) -> Iterator[str]:
    yield f"# Measured on {date}\n"
    yield f"{machine}.\n"
    yield "Beside each benchmark's name stand the share of all cores that other programs took meanwhile, and"
    yield "the CPU time of a fixed piece of work; where that is higher, CPU times of the run are higher too."
    for one in found:
        crowd = f"others {one.bystanders:.0%}, reference {one.reference:.0f} ms"
        yield f"\n## {one.benchmark} ({crowd})\n"
        yield f"`{one.command}`, {one.when}, {one.seconds:.0f} s, revision {one.revision or 'unknown'}\n"
        yield "| what | measured | goal | |\n| --- | ---: | ---: | --- |"
        for figure in one.result.figures:
            yield f"| {figure.what} | {figure.text} | {figure.goal_text} | {figure.verdict} |"
        if one.result.notes:
            yield ""
        for note in one.result.notes:
            yield f"- {note}"


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:.2f}"
