"""Small values shared by all replicas, in JetStream key-value buckets that are made when they are first written to."""

from datetime import timedelta
from math import ceil
from typing import Final

import nats.js.errors
from nats.js import api
from nats.js.kv import KeyValue
from photochanger_chassis.nats.connection import NatsConnection, nats_errors

_LONGEST_VALUE_BYTES: Final = 4096
_MARKER_SECONDS: Final = 60


class Bucket:
    """A bucket whose values are forgotten after `kept`. Reads are the leader's: what was deleted is gone for everyone.

    Every method raises `NatsUnavailable` when NATS does not answer.
    """

    def __init__(self, connection: NatsConnection, name: str, *, description: str, kept: timedelta) -> None:
        self._connection = connection
        self._name = name
        self._description = description
        self._kept = kept

    async def get(self, key: str) -> bytes | None:
        """The value, or None: also where the bucket itself is gone, with a store that was wiped."""
        with nats_errors():
            try:
                entry = await self._values().get(key)
            except nats.js.errors.NotFoundError:
                return None
        return entry.value or b""

    async def put(self, key: str, value: bytes) -> None:
        """Stores a value under a key that may have one already."""
        with nats_errors():
            try:
                await self._values().put(key, value)
            except nats.js.errors.NoStreamResponseError:
                await self._make()
                await self._values().put(key, value)

    async def add(self, key: str, value: bytes, *, lifetime: timedelta) -> None:
        """Stores a value under a new key, for its lifetime (at most the bucket's)."""
        seconds = ceil(lifetime.total_seconds())
        with nats_errors():
            try:
                await self._values().create(key, value, msg_ttl=seconds)
            except nats.js.errors.NoStreamResponseError:
                await self._make()
                await self._values().create(key, value, msg_ttl=seconds)

    async def delete(self, key: str) -> None:
        """Removes a value, if there is one."""
        with nats_errors():
            try:
                # A purge, because its marker goes by itself; that of a delete would stay until `kept` is over.
                await self._values().purge(key, msg_ttl=_MARKER_SECONDS)
            except nats.js.errors.NoStreamResponseError:
                return

    def _values(self) -> KeyValue:
        return KeyValue(
            name=self._name,
            stream=f"KV_{self._name}",
            pre=f"$KV.{self._name}.",
            js=self._connection.jetstream,
            direct=False,
        )

    async def _make(self) -> None:
        await self._connection.jetstream.create_key_value(
            api.KeyValueConfig(
                bucket=self._name,
                description=self._description,
                history=1,
                ttl=self._kept.total_seconds(),
                max_value_size=_LONGEST_VALUE_BYTES,
                storage=api.StorageType.FILE,
                replicas=self._connection.replicas,
            )
        )
