"""Circuit breakers, in the table `breakers`. No row: closed, without a failure."""

from datetime import datetime, timedelta

from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction

from photochanger_providers.domain.breaker import Breaker, BreakerPolicy, BreakerState, Verdict
from photochanger_providers.domain.catalogue import ProviderId


class PostgresBreakerStore:
    """The circuit breakers, shared by all replicas."""

    def __init__(self, pool: Pool, policy: BreakerPolicy) -> None:
        self._pool = pool
        self._policy = policy

    async def peek(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """Returns how long to stay away from the provider, or None when it may be called."""
        async with connection(self._pool) as conn:
            breaker = await _read(conn, provider_id, model, lock=False)
        return breaker.refusal(now)

    async def enter(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """As `peek`, and when the answer is None for a breaker that was open, the caller is its one trial."""
        async with connection(self._pool) as conn:
            breaker = await _read(conn, provider_id, model, lock=False)
        if breaker.state is BreakerState.CLOSED or breaker.refusal(now) is not None:
            return breaker.refusal(now)
        async with transaction(self._pool) as conn:
            breaker = await _read(conn, provider_id, model, lock=True)
            refusal = breaker.refusal(now)
            if refusal is None:
                await _write(conn, provider_id, model, breaker.entered(now, self._policy))
        return refusal

    async def record(self, provider_id: ProviderId, model: str, verdict: Verdict, *, now: datetime) -> None:
        """Takes note of how a call ended. A call that went well costs one read while all is well."""
        async with connection(self._pool) as conn:
            breaker = await _read(conn, provider_id, model, lock=False)
        if breaker == breaker.after(verdict, now, self._policy):
            return
        async with transaction(self._pool) as conn:
            # A row to lock: two first failures at once must count as two.
            await conn.execute(
                """
                INSERT INTO breakers (provider_id, model, state, failures, openings)
                VALUES (%s, %s, 'closed', 0, 0) ON CONFLICT DO NOTHING
                """,
                (provider_id, model),
            )
            breaker = await _read(conn, provider_id, model, lock=True)
            await _write(conn, provider_id, model, breaker.after(verdict, now, self._policy))

    async def reset(self, provider_id: ProviderId) -> None:
        """Closes all breakers of a provider."""
        async with connection(self._pool) as conn:
            await conn.execute("DELETE FROM breakers WHERE provider_id = %s", (provider_id,))

    async def any_open(self, provider_id: ProviderId, *, now: datetime) -> bool:
        """Tells whether any of the provider's breakers keeps callers away now."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT 1 FROM breakers WHERE provider_id = %s AND state <> 'closed' AND until > %s LIMIT 1",
                (provider_id, now),
            )
            return await cursor.fetchone() is not None

    async def open_now(self, *, now: datetime) -> list[tuple[str, str]]:
        """Lists provider and model of the breakers that keep callers away now."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT provider_id, model FROM breakers WHERE state <> 'closed' AND until > %s", (now,)
            )
            return [(provider_id, model) for provider_id, model in await cursor.fetchall()]


async def _read(conn: Connection, provider_id: str, model: str, *, lock: bool) -> Breaker:
    query = "SELECT state, failures, openings, until FROM breakers WHERE provider_id = %s AND model = %s"
    cursor = await conn.execute(query + " FOR UPDATE" if lock else query, (provider_id, model))
    row = await cursor.fetchone()
    if row is None:
        return Breaker()
    state, failures, openings, until = row
    return Breaker(BreakerState(state), failures, openings, until)


async def _write(conn: Connection, provider_id: str, model: str, breaker: Breaker) -> None:
    await conn.execute(
        """
        UPDATE breakers SET state = %s, failures = %s, openings = %s, until = %s
        WHERE provider_id = %s AND model = %s
        """,
        (breaker.state.value, breaker.failures, breaker.openings, breaker.until, provider_id, model),
    )
