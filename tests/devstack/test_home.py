"""The stack's folder: its key and its locks."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.home import Home, StackError, holders


def test_admin_key_is_made_once_and_private(tmp_path: Path) -> None:
    home = Home(tmp_path)
    key = home.admin_key()
    assert len(key) >= 43  # 256 bits in base64
    assert Home(tmp_path).admin_key() == key
    assert stat.S_IMODE((tmp_path / "admin.key").stat().st_mode) == 0o600


def test_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(StackError, match="/dev/null/home cannot be the stack's folder: Not a directory"):
        Home(Path("/dev/null/home"))


def test_home_has_one_supervisor(tmp_path: Path) -> None:
    with (
        Home(tmp_path).locked(),
        pytest.raises(StackError, match=f"supervisor pid {os.getpid()}"),
        Home(tmp_path).locked(),
    ):
        pass
    with Home(tmp_path).locked():
        pass


def test_children_that_outlive_their_supervisor_are_ended_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devstack.home.LEFTOVERS_SECONDS", 0.0)
    with Home(tmp_path).locked() as keep_open:
        sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
        child = subprocess.Popen(sleeper, pass_fds=[keep_open])
    assert holders(tmp_path / "children.lock") == [child.pid]
    with Home(tmp_path).locked():
        assert child.wait(5) == -9
