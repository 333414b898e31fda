"""The regions of made-up traffic."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """A region: its share of the events, by how many hours its clocks are ahead of UTC, what is paid with.

    `main` currency is that of most users, `other` that of `other_share` of them.
    """

    name: str
    share: float
    ahead: float
    main: str
    other: str
    other_share: float


# Clocks do not change here in spring and autumn.
REGIONS = (
    Region("us-east", 0.38, -5.0, "USD", "CAD", 0.1),
    Region("us-west", 0.24, -8.0, "USD", "CAD", 0.05),
    Region("eu-west", 0.25, 1.0, "EUR", "GBP", 0.25),
    Region("ap-south", 0.13, 5.5, "INR", "SGD", 0.2),
)

# What half of all payments stay below, by currency.
USUAL_AMOUNTS = {"USD": 45.0, "CAD": 60.0, "EUR": 42.0, "GBP": 36.0, "INR": 1_900.0, "SGD": 55.0}
