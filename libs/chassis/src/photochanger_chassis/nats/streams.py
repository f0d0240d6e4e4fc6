"""Streams of JetStream: made when missing, changed when they differ."""

from typing import Final

import nats.js.errors
from nats.js import api

from photochanger_chassis.nats.connection import NatsConnection, nats_errors

_STREAM_EXISTS_OTHERWISE: Final = 10058  # JSStreamNameExistErr: same name, other configuration


async def ensure(connection: NatsConnection, config: api.StreamConfig) -> None:
    """Creates a stream, or brings it to this configuration.

    Raises:
        NatsUnavailable: JetStream did not do it.
    """
    with nats_errors():
        try:
            await connection.jetstream.add_stream(config)
        except nats.js.errors.BadRequestError as error:
            if error.err_code != _STREAM_EXISTS_OTHERWISE:
                raise
            await connection.jetstream.update_stream(config)
