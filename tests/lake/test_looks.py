"""Which look serves whom: never one that began before it was asked for."""

from __future__ import annotations

import pytest

from shared.lake.looks import Looks


def test_a_look_serves_all_who_asked_before_it_began() -> None:
    looks = Looks()
    first, second = looks.ask(), looks.ask()
    assert not looks.serves(first)
    with looks.look():
        assert not looks.serves(first)
    assert looks.serves(first)
    assert looks.serves(second)


def test_a_look_that_had_begun_does_not_serve() -> None:
    looks = Looks()
    with looks.look():
        late = looks.ask()
    assert not looks.serves(late)
    with looks.look():
        pass
    assert looks.serves(late)


def test_a_look_that_failed_serves_nobody() -> None:
    looks = Looks()
    asked = looks.ask()
    with pytest.raises(ZeroDivisionError), looks.look():
        raise ZeroDivisionError
    assert not looks.serves(asked)
    with looks.look():
        pass
    assert looks.serves(asked)
