"""Summaries as they are folded out of the entries of a log."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.lake.summary import Share, TableSummary, fold

_names = st.sampled_from(["a", "b", "ü/ \U0001f600"])


_actions = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), _names, st.integers(0, 2**40)),
        st.tuples(st.just("remove"), st.integers(0, 30), _names, st.just(0)),
        st.tuples(st.just("txn"), st.integers(0, 3), _names, st.integers(0, 2**60)),
    ),
    max_size=12,
)


_notes = st.one_of(
    st.none(),
    st.dictionaries(
        st.sampled_from(["kind", "rows", "bytes", "messages", "last_message", "share"]),
        st.one_of(st.integers(0, 9), st.sampled_from(["flush", "upload", "x"]), st.floats(0, 1), st.none()),
    ),
)


@given(st.lists(st.tuples(_actions, _notes), max_size=12))
def test_a_fold_of_any_log(entries: list[tuple[list[Any], Any]]) -> None:
    summary, stored = TableSummary(), dict[int, tuple[str, int]]()
    progress: dict[str, int] = {}
    for actions, notes in entries:
        lines: list[Any] = [{"commitInfo": {"timestamp": 1} | ({} if notes is None else {"floe": notes})}]
        for kind, number, name, size in actions:
            if kind == "txn":
                lines.append({"txn": {"appId": f"{name}{number}", "version": size}})
                progress[f"{name}{number}"] = size
            elif kind == "add" and number not in stored:
                stored[number] = (name, size)
                lines.append({"add": line_of(number, *stored[number])})
            elif kind == "remove" and number in stored:
                lines.append({"remove": line_of(number, *stored.pop(number))})
        fold(summary, "\n".join(map(json.dumps, lines)).encode(), "key")
    shares = Counter(name for name, _ in stored.values())
    assert summary.keys == {
        name: Share(count, sum(size for key, size in stored.values() if key == name))
        for name, count in shares.items()
    }
    assert (summary.files, summary.bytes) == (len(stored), sum(size for _, size in stored.values()))
    assert summary.progress == progress
    assert summary.version == len(entries) - 1
    assert summary.exact


def line_of(number: int, key: str, size: int) -> dict[str, Any]:
    return {"path": f"{number}", "size": size, "partitionValues": {"key": key}, "dataChange": True}


def test_an_entry_in_another_form_leaves_its_progress() -> None:
    summary = TableSummary()
    odd = {"add": {"path": "a", "size": "large", "partitionValues": {"key": 3}}}
    moved = {"txn": {"appId": "a", "version": 7}}
    fold(summary, f"{json.dumps(odd)}\n{json.dumps(moved)}".encode(), "key")
    assert (summary.version, summary.progress, summary.exact, summary.files) == (0, {"a": 7}, False, 0)


def test_a_copy_is_not_moved_by_what_follows() -> None:
    summary = TableSummary(keys={"a": Share(1, 2)}, done={"flush": {"rows": 1}}, messages={"t": 1})
    copy = summary.copy()
    entry = {"commitInfo": {"floe": {"kind": "flush", "rows": 5, "messages": {"t": 2}}}}
    added = {"add": line_of(1, "a", 3)}
    fold(summary, f"{json.dumps(entry)}\n{json.dumps(added)}".encode(), "key")
    assert (copy.keys, copy.done, copy.messages) == ({"a": Share(1, 2)}, {"flush": {"rows": 1}}, {"t": 1})
    assert (summary.keys, summary.messages) == ({"a": Share(2, 5)}, {"t": 3})
