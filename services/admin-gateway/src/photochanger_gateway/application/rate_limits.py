"""How often one client may ask."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `limit` takes a client in each `window` (whole seconds). `name` keeps rules apart.

    With `hold` whoever goes over the limit in any span of about that length is refused for a whole window from then on.
    """

    name: str
    limit: int
    window: timedelta = timedelta(minutes=1)
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a client stands with a rule: how much it may still take until the window ends."""

    rule: Rule
    remaining: int
    resets_in: timedelta


class RateLimiter(Protocol):
    """Counts across all replicas."""

    async def take(self, rule: Rule, client: str) -> Standing:
        """Counts one request and says how the client stands.

        Raises:
            RateLimited: this one was too many.
        """
        ...

    async def check(self, rule: Rule, client: str) -> None:
        """Raises as `take` does when the limit has been reached, without counting."""
        ...

    async def give_back(self, rule: Rule, client: str) -> None:
        """Takes back one `take` that should not count."""
        ...
