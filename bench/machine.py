"""The machine that was measured, in words."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Machine:
    """What figures depend on."""

    cpu: str
    cores: int
    memory_gb: float
    kernel: str
    python: str

    @property
    def slug(self) -> str:
        """A short name, fit for a file name."""
        words = re.findall(r"[a-z0-9]+", self.cpu.lower())
        kept = [word for word in words if word not in ("r", "tm", "cpu", "processor")]
        return "-".join([*kept[:4], f"{self.cores}-cores"])

    def __str__(self) -> str:
        return f"{self.cpu}, {self.cores} cores, {self.memory_gb:.0f} GB; {self.kernel}; Python {self.python}"


def this_machine() -> Machine:
    """The machine that this process runs on."""
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=int(memory[1]) / 2**20 if memory else 0.0,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _cpu_model() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return " ".join(found[1].split()) if found else platform.machine()


def revision() -> str:
    """The commit that is measured, with a `+` when files differ from it; empty outside a repository."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return commit + (
            "+" if _git("status", "--porcelain", "--", "shared", "functions", "devstack") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*arguments: str) -> str:
    folder = Path(__file__).parent
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()
