"""How often one client may ask."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `per_minute` takes a minute and client. `name` keeps rules apart."""

    name: str
    per_minute: int


class RateLimiter(Protocol):
    """Counts across all replicas."""

    async def take(self, rule: Rule, client: str) -> None:
        """Counts one request.

        Raises:
            RateLimited: this one was too many.
        """
        ...

    async def check(self, rule: Rule, client: str) -> None:
        """Raises as `take` does when the limit has been reached, without counting."""
        ...
