"""The `data` of made-up events, many of one type at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from shared.simulation.event_texts import Error, PageView, SystemMetric, Transaction, UserAction
from shared.simulation.regions import REGIONS, USUAL_AMOUNTS
from shared.simulation.sessions import Sessions, Sitting, how_far

if TYPE_CHECKING:
    import numpy as np

    type Numbers = np.ndarray[Any, Any]

_PAGES = ("/home", "/search", "/products", "/product/17", "/product/42", "/cart", "/checkout", "/account")
_PAGES_SHARES = (0.26, 0.16, 0.18, 0.12, 0.1, 0.08, 0.05, 0.05)
_ACTIONS = ("click", "scroll", "search", "add_to_cart", "share", "log_in")
_ACTIONS_SHARES = (0.45, 0.25, 0.12, 0.1, 0.03, 0.05)
_ACTIONS_SECONDS = (2.0, 4.5, 9.0, 6.0, 8.0, 12.0)
_METHODS = ("card", "wallet", "transfer")
_METHODS_SHARES = (0.62, 0.3, 0.08)
_SERVICES = ("web", "search", "checkout", "payments")
_FAILURES = ((500, "internal error"), (502, "bad gateway"), (503, "overloaded"), (504, "timed out"))
_HOSTS = 6
_FRAUDSTERS = 5

# Of pages the latency is a part; the rest is the browser's.
_PAGE_LATENCIES = 3.0
_ITEMS_MEAN = 0.8
# How much users differ in what they spend, and one user's payments among themselves; as logarithms.
_USERS_SPREAD, _PAYMENTS_SPREAD = 0.5, 0.45
_FRAUD_LEAST, _FRAUD_MOST = 20.0, 60.0
_SPENDING, _CURRENCY, _METHOD = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Scene:
    """What some events follow from, one number of each for every event. `regions` are positions, `busy` and
    `errors` are 0 to 1, `latency` is in milliseconds, `frauds` are true or false."""

    micros: Numbers
    regions: Numbers
    busy: Numbers
    latency: Numbers
    errors: Numbers
    frauds: Numbers

    def only(self, rows: Numbers) -> Scene:
        """The scene of the events at these positions."""
        return Scene(*(getattr(self, field.name)[rows] for field in fields(self)))

    def __len__(self) -> int:
        return len(self.micros)


class Bodies:
    """Makes `data`; which, follows from `chance` and the order of calls."""

    def __init__(self, sessions: Sessions, chance: np.random.Generator) -> None:
        self._sessions = sessions
        self._chance = chance

    def of(self, event_type: str, scene: Scene) -> Iterable[Any]:
        """The `data` of the events of `scene`, in its order."""
        return {
            "page_view": self._page_views,
            "user_action": self._user_actions,
            "transaction": self._transactions,
            "error": self._errors,
            "system_metric": self._system_metrics,
        }[event_type](scene)

    def _page_views(self, scene: Scene) -> Iterable[PageView]:
        sitting = self._sitting("page_view", scene)
        value = scene.latency * _PAGE_LATENCIES * self._around_one(scene, 0.3)
        return map(
            PageView,
            sitting.user_ids(),
            sitting.session_ids(),
            _named(_PAGES, self._picked(_PAGES_SHARES, scene)),
            _rounded(value, 1),
            _regions(scene),
        )

    def _user_actions(self, scene: Scene) -> Iterable[UserAction]:
        import numpy as np

        sitting = self._sitting("user_action", scene)
        actions = self._picked(_ACTIONS_SHARES, scene)
        value = np.array(_ACTIONS_SECONDS)[actions] * self._around_one(scene, 0.5)
        return map(
            UserAction,
            sitting.user_ids(),
            sitting.session_ids(),
            _named(_ACTIONS, actions),
            _rounded(value, 1),
            _regions(scene),
        )

    def _transactions(self, scene: Scene) -> Iterable[Transaction]:
        import numpy as np

        sitting = self._sitting("transaction", scene)
        thieves = sitting.users // len(REGIONS) % _FRAUDSTERS * len(REGIONS) + scene.regions
        sitting = Sitting(sitting.sessions, np.where(scene.frauds, thieves, sitting.users))
        items = np.where(scene.frauds, 1, 1 + self._chance.poisson(_ITEMS_MEAN, len(scene)))
        currencies = _currencies(scene, sitting)
        method = np.searchsorted(np.cumsum(_METHODS_SHARES)[:-1], sitting.trait(_METHOD), side="right")
        return map(
            Transaction,
            sitting.user_ids(),
            sitting.session_ids(),
            _rounded(self._amounts(scene, sitting, currencies, items), 2),
            currencies,
            items.tolist(),
            _named(_METHODS, np.where(scene.frauds, 0, method)),
            _regions(scene),
        )

    def _amounts(self, scene: Scene, sitting: Sitting, currencies: Sequence[str], items: Numbers) -> Numbers:
        import numpy as np

        usual = np.array([USUAL_AMOUNTS[currency] for currency in currencies])
        spending = np.exp(_USERS_SPREAD * _normal(sitting.trait(_SPENDING)))
        fraud = np.where(scene.frauds, self._chance.uniform(_FRAUD_LEAST, _FRAUD_MOST, len(scene)), 1.0)
        share_of_items = items / (1 + _ITEMS_MEAN)
        return usual * spending * share_of_items * self._around_one(scene, _PAYMENTS_SPREAD) * fraud

    def _errors(self, scene: Scene) -> Iterable[Error]:
        import numpy as np

        # The busier a region, the more of its errors are of the kind that load makes.
        overload = self._chance.random(len(scene)) < scene.busy
        failures = np.where(overload, 2, 0) + self._chance.integers(0, 2, len(scene))
        found = [_FAILURES[at] for at in failures.tolist()]
        services = self._chance.integers(0, len(_SERVICES), len(scene))
        return map(
            Error,
            _named(_SERVICES, services),
            self._hosts(scene),
            [code for code, _ in found],
            [message for _, message in found],
            _regions(scene),
        )

    def _system_metrics(self, scene: Scene) -> Iterable[SystemMetric]:
        import numpy as np

        cpu = np.clip(scene.busy * self._around_one(scene, 0.08), 0.0, 1.0)
        errors = np.clip(scene.errors * self._around_one(scene, 0.2), 0.0, 1.0)
        return map(
            SystemMetric,
            ["latency_ms"] * len(scene),
            self._hosts(scene),
            _rounded(scene.latency * self._around_one(scene, 0.1), 1),
            _rounded(cpu, 3),
            _rounded(errors, 4),
            _regions(scene),
        )

    def _sitting(self, event_type: str, scene: Scene) -> Sitting:
        wanted = how_far(event_type, self._chance.random(len(scene)))
        return self._sessions.at(scene.micros, scene.regions, wanted)

    def _around_one(self, scene: Scene, spread: float) -> Numbers:
        """Log-normal factors whose median is one."""
        return self._chance.lognormal(0.0, spread, len(scene))

    def _picked(self, shares: Sequence[float], scene: Scene) -> Numbers:
        """Positions in `shares`, each as often as its share says."""
        import numpy as np

        return np.searchsorted(np.cumsum(shares)[:-1], self._chance.random(len(scene)), side="right")

    def _hosts(self, scene: Scene) -> list[str]:
        hosts = self._chance.integers(1, _HOSTS + 1, len(scene)).tolist()
        return [f"{region}-{host}" for region, host in zip(_regions(scene), hosts, strict=True)]


def _currencies(scene: Scene, sitting: Sitting) -> list[str]:
    """The currency of each event, which is always the same for a user."""
    import numpy as np

    shares = np.array([region.other_share for region in REGIONS])
    other = sitting.trait(_CURRENCY) < shares[scene.regions]
    choices = [(region.main, region.other) for region in REGIONS]
    picked = zip(scene.regions.tolist(), other.tolist(), strict=True)
    return [choices[region][is_other] for region, is_other in picked]


def _normal(even: Numbers) -> Numbers:
    """Numbers between 0 and 1 as a normal distribution's; by the logistic one, which is much like it."""
    import numpy as np

    even = np.clip(even, 1e-6, 1 - 1e-6)
    return np.log(even / (1 - even)) / 1.702  # type: ignore[no-any-return]


def _regions(scene: Scene) -> list[str]:
    return _named([region.name for region in REGIONS], scene.regions)


def _named(names: Sequence[str], at: Numbers) -> list[str]:
    return [names[position] for position in at.tolist()]


def _rounded(numbers: Numbers, digits: int) -> list[float]:
    import numpy as np

    found: list[float] = np.round(numbers, digits).tolist()
    return found
