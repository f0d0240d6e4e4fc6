"""Rate limits over all replicas, by JetStream's message counters.

A counter is a subject: `limits.<rule>.<client>.<window>`; adding to it and reading the sum is one message each way
(0.15 ms measured on loopback). Counters need NATS 2.12 (ADR-49 of nats-io/nats-architecture-and-design).
"""

import hashlib
import json
from datetime import timedelta
from typing import Final

import nats.errors
import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.nats.connection import NatsConnection

from photochanger_gateway.application.rate_limits import Rule, Standing
from photochanger_gateway.domain.refusals import RateLimited

_log: Final = structlog.stdlib.get_logger(__name__)

_STREAM: Final = "LIMITS"
_KEPT_SECONDS: Final = 2 * 3600
"""Longer than any window."""
_TIMEOUT_SECONDS: Final = 0.5
_CLIENT_DIGEST_BYTES: Final = 12


class JetStreamRateLimiter:
    """Counts in windows that begin at whole multiples of their length; for a rule with `hold` in one that slides.

    While NATS is away nothing is refused: a guest's picture matters more than a limit, and the services behind
    have limits of their own.
    """

    def __init__(self, connection: NatsConnection, clock: Clock) -> None:
        self._client = connection.client
        self._replicas = connection.replicas
        self._clock = clock
        self._stream_known = False

    async def take(self, rule: Rule, client: str) -> Standing:
        """See `application.rate_limits.RateLimiter`."""
        earlier = await self._lingering(rule, client) if rule.hold else 0
        count = earlier + await self._add(rule, client, 1)
        if rule.hold and count > rule.limit:
            await self._hold(rule, client)
            raise RateLimited(rule.window)
        self._refuse_over(rule, count)
        return Standing(rule, rule.limit - max(0, count), self._left(rule))

    async def check(self, rule: Rule, client: str) -> None:
        """See `application.rate_limits.RateLimiter`."""
        self._refuse_over(rule, await self._add(rule, client, 0) + 1)

    async def give_back(self, rule: Rule, client: str) -> None:
        """See `application.rate_limits.RateLimiter`."""
        await self._add(rule, client, -1)

    async def _lingering(self, rule: Rule, client: str) -> int:
        """Returns how many takes of the last window still count, as if they had come evenly; raises when held.

        A hold is noted in the window it began in, as the second it began at (from 1), and ends in the next. It was the
        answer to what came before it, which counts no more.
        """
        length = int(rule.window.total_seconds())
        now = self._into_window(rule)
        held_before = False
        for windows_ago in (0, 1):
            began = await self._add(_hold_of(rule), client, 0, windows_ago=windows_ago)
            left = (began - 1) + length * (1 - windows_ago) - now
            if began and left > 0:
                raise RateLimited(timedelta(seconds=left))
            held_before = held_before or began > 0
        if held_before:
            return 0
        return int(await self._add(rule, client, 0, windows_ago=1) * (length - now) / length)

    async def _hold(self, rule: Rule, client: str) -> None:
        began = 1 + int(self._into_window(rule))
        if await self._add(_hold_of(rule), client, began) != began:  # somebody else was first
            await self._add(_hold_of(rule), client, -began)

    def _into_window(self, rule: Rule) -> float:
        return self._clock.now().timestamp() % rule.window.total_seconds()

    def _refuse_over(self, rule: Rule, count: int) -> None:
        if count > rule.limit:
            raise RateLimited(self._left(rule))

    def _left(self, rule: Rule) -> timedelta:
        return rule.window - timedelta(seconds=self._into_window(rule))

    async def _add(self, rule: Rule, client: str, amount: int, *, windows_ago: int = 0) -> int:
        window = int(self._clock.now().timestamp() // rule.window.total_seconds()) - windows_ago
        # A digest, because an address is personal data and may hold characters a subject may not.
        digest = hashlib.blake2b(client.encode(), digest_size=_CLIENT_DIGEST_BYTES).hexdigest()
        subject = f"limits.{rule.name}.{digest}.{window}"
        if not self._client.is_connected:
            return 0
        try:
            return await self._increment(subject, amount)
        except nats.errors.NoRespondersError:
            self._stream_known = False  # there is no stream: this is a new NATS, or one that lost its store
        except (nats.errors.Error, TimeoutError, ValueError, KeyError) as error:
            _log.warning("rate_limit.not_counted", error=type(error).__name__)
            return 0
        try:
            await self._ensure_stream()
            return await self._increment(subject, amount)
        except (nats.errors.Error, TimeoutError, ValueError, KeyError) as error:
            _log.warning("rate_limit.not_counted", error=type(error).__name__)
            return 0

    async def _increment(self, subject: str, amount: int) -> int:
        answer = await self._client.request(
            subject, b"", timeout=_TIMEOUT_SECONDS, headers={"Nats-Incr": str(amount)}
        )
        return int(json.loads(answer.data)["val"])

    async def _ensure_stream(self) -> None:
        """Creates the stream; creating it again with the same configuration is no error.

        By the raw API, because nats-py's `StreamConfig` has no `allow_msg_counter` yet (2.16).
        """
        if self._stream_known:
            return
        config = {
            "name": _STREAM,
            "subjects": ["limits.>"],
            # On disk, as a hold on a guesser must outlive a restart of NATS.
            "storage": "file",
            "allow_msg_counter": True,
            "max_msgs_per_subject": 1,
            "max_age": _KEPT_SECONDS * 1_000_000_000,
            "discard": "old",
            "num_replicas": self._replicas,
        }
        await self._client.request(
            f"$JS.API.STREAM.CREATE.{_STREAM}", json.dumps(config).encode(), timeout=_TIMEOUT_SECONDS
        )
        self._stream_known = True


def _hold_of(rule: Rule) -> Rule:
    return Rule(f"{rule.name}-hold", rule.limit, rule.window)
