"""Who counts as whom: addresses, accounts, plans, and those who guess at keys."""

from __future__ import annotations

from typing import Any

import pytest

from shared.platform.errors import StorageUnavailable
from tests.http.conftest import KEY, Configure, call
from tests.limits.instances import NOON, Instance
from tests.limits.things import TRIGGERS, Authenticator, limits_of


async def test_addresses_count_apart(
    app_triggers: dict[str, Any], served: Instance, configure: Configure
) -> None:
    configure(rate_anonymous="1")

    async def status(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (await call(app_triggers["fallback"], path="/x", key=None, headers=headers)).status

    assert [await status("192.0.2.1:1234"), await status("192.0.2.2")] == [404, 404]
    # What stands before the last address is the client's own word.
    assert [await status("192.0.2.1:99"), await status("10.0.0.1, 192.0.2.2")] == [429, 429]
    assert await status("10.0.0.1, " * 1000 + "192.0.2.2") == 429


@pytest.mark.parametrize(("key", "limit"), [("ada", 1000), ("bob", 10_000), ("eve", 100_000), (KEY, 100_000)])
async def test_plans(
    key: str, limit: int, served: Instance, authenticator: Authenticator, documented: None
) -> None:
    answer = await call(TRIGGERS["list_tasks"], key=key)
    assert (answer.status, limits_of(answer)) == (200, (limit, limit - 1, NOON + 3600))


async def test_an_account_with_numbers_of_its_own(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_accounts='{"eve": {"plan": 7, "events": 5}}')
    assert limits_of(await call(TRIGGERS["list_tasks"], key="eve"))[0] == 7
    assert limits_of(await call(TRIGGERS["list_things"], key="eve"))[0] == 5
    assert limits_of(await call(TRIGGERS["list_tasks"], key="bob"))[0] > 7


async def test_the_keys_of_an_account_count_together_from_wherever_they_come(
    served: Instance, authenticator: Authenticator
) -> None:
    left = [
        limits_of(await call(TRIGGERS["list_tasks"], key=key, headers={"X-Forwarded-For": address}))[1]
        for key, address in (("ada", "192.0.2.1"), ("ada2", "192.0.2.2"), ("bob", "192.0.2.1"))
    ]
    assert left[0] - left[1] == 1
    assert left[2] == left[0]


async def test_the_wrong_scope_counts_too(served: Instance, authenticator: Authenticator) -> None:
    answers = [await call(TRIGGERS["list_tasks"], key="max") for _ in range(2)]
    assert [answer.status for answer in answers] == [403, 403]
    assert limits_of(answers[0])[1] - limits_of(answers[1])[1] == 1


async def test_guessing_keys_is_bounded_and_locks_nobody_out_who_is_known(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="10")
    assert (await call(TRIGGERS["list_tasks"], key="ada")).status == 200
    answers = [await call(TRIGGERS["list_tasks"], key=f"guess {number}") for number in range(20)]
    assert [answer.status for answer in answers] == [401] * 10 + [429] * 10
    assert limits_of(answers[9])[:2] == (10, 0)
    assert "Retry-After" in answers[10].headers
    # Not even looked at: whether a guess was right is not to be learned any more.
    looked_up = authenticator.looked_up
    assert (await call(TRIGGERS["list_tasks"], key="bob")).status == 429
    assert authenticator.looked_up == looked_up
    elsewhere = {"X-Forwarded-For": "192.0.2.9"}
    assert (await call(TRIGGERS["list_tasks"], key="bob", headers=elsewhere)).status == 200
    for key in ("ada", "bob", KEY):
        assert (await call(TRIGGERS["list_tasks"], key=key)).status == 200


async def test_good_keys_that_are_new_count_as_no_guesses(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="2")
    for _ in range(20):
        authenticator.remembered.clear()
        assert (await call(TRIGGERS["list_tasks"], key="ada")).status == 200


async def test_storage_that_is_down_counts_against_nobody(
    served: Instance, authenticator: Authenticator, configure: Configure
) -> None:
    configure(rate_credentials="2", rate_anonymous="2")
    authenticator.broken = StorageUnavailable("down")
    answers = [await call(TRIGGERS["list_tasks"], key="ada") for _ in range(9)]
    assert {(answer.status, limits_of(answer)[:2]) for answer in answers} == {(503, (2, 2))}


async def test_logins_count_by_address_whoever_it_is(served: Instance, configure: Configure) -> None:
    configure(rate_auth="2")
    answers = [
        await call(TRIGGERS["enter"], method="POST", path="/auth/enter", body=b"{}", key=key)
        for key in (None, KEY, None)
    ]
    # The first two are the handler's own refusals.
    assert [answer.headers["Retry-After"] for answer in answers] == ["900", "900", "60"]
    assert [limits_of(answer)[1] for answer in answers] == [1, 0, 0]


async def test_what_is_open_locally_counts_by_address(served: Instance, configure: Configure) -> None:
    configure(auth="local", rate_batch="2")
    answers = [
        await call(TRIGGERS["take_batch"], method="POST", body=b"1", key=key) for key in (None, KEY, None)
    ]
    assert [answer.status for answer in answers] == [200, 200, 429]
