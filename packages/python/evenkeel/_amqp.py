"""The broker: two connections, since an alarm of the broker blocks one that publishes whole."""
import asyncio
import json
import logging
from typing import Any

import aio_pika
import aio_pika.abc
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, PublishError as Returned
from aiormq.exceptions import AMQPConnectionError, ChannelAccessRefused, ChannelInvalidStateError

from ._errors import PublishError
from ._types import JsonObject

_log = logging.getLogger("evenkeel")
_AGAIN_AFTER_S = 0.5
LOST = (AMQPConnectionError, ChannelInvalidStateError, ConnectionError, asyncio.InvalidStateError, RuntimeError)


def message_of(data: Any, content_type: str | None, **properties: Any) -> aio_pika.Message:
    """Bytes stay bytes; all else is sent as JSON. Raises PublishError `bad-body`."""
    if isinstance(data, bytes | bytearray | memoryview):
        return aio_pika.Message(bytes(data), content_type=content_type or "application/octet-stream", **properties)
    if content_type and "json" not in content_type:
        if not isinstance(data, str):
            raise PublishError("bad-body", f"a body of type {content_type} is given as text or bytes")
        return aio_pika.Message(data.encode(), content_type=content_type, **properties)
    try:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PublishError("bad-body", f"the body cannot be written as JSON: {error}") from error
    return aio_pika.Message(text.encode(), content_type=content_type or "application/json", **properties)


def data_of(message: aio_pika.abc.AbstractIncomingMessage) -> Any:
    """JSON as its value, text as text, all else as bytes. What says that it is JSON and is none is text."""
    kind = message.content_type or "application/json"
    if "json" not in kind and not kind.startswith("text/"):
        return message.body
    text = message.body.decode(errors="replace")
    try:
        return json.loads(text) if "json" in kind else text
    except ValueError:
        return text


class Broker:
    """A connection that comes back by itself, and a channel with confirms."""

    def __init__(self, connection: aio_pika.abc.AbstractRobustConnection, timeout_s: float) -> None:
        self.connection, self._timeout_s = connection, timeout_s
        self._channels: dict[str, aio_pika.abc.AbstractChannel] = {}
        self._opening = asyncio.Lock()

    @classmethod
    async def connect(cls, url: str, name: str, timeout_s: float) -> "Broker":
        properties: JsonObject = {"connection_name": name}
        return cls(await aio_pika.connect_robust(url, client_properties=properties), timeout_s)

    async def wait_for(self, exchange: str) -> None:
        """Until the mesh has declared it: nobody else may."""
        while True:
            channel = await self.connection.channel()
            try:
                await channel.get_exchange(exchange)
                return
            except ChannelNotFoundEntity:
                _log.warning("The broker has no exchange %s yet: no mesh has been started there; trying again", exchange)
                await asyncio.sleep(_AGAIN_AFTER_S * 2)
            finally:
                await channel.close()

    async def publish(self, exchange: str, key: str, message: aio_pika.Message, channel: str = "main") -> bool:
        """Whether a queue took it, once the broker has confirmed. Raises PublishError when it has not within the time."""
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        while True:
            try:
                return await self._publish(exchange, key, message, channel)
            except Returned:
                return False
            except ChannelAccessRefused as error:
                raise PublishError("publish-refused", str(error)) from error
            except asyncio.TimeoutError as error:
                raise PublishError("not-confirmed", f"the broker has not confirmed it within {self._timeout_s:g} s; it may have it or not") from error
            except (*LOST, AMQPError) as error:
                if asyncio.get_running_loop().time() > deadline or self.connection.is_closed:
                    raise PublishError("not-confirmed", f"the broker did not confirm it: {error!r}; it may have it or not") from error
                self._channels.pop(channel, None)
                await asyncio.sleep(_AGAIN_AFTER_S)  # the same message_id: clients drop the second

    async def _publish(self, exchange: str, key: str, message: aio_pika.Message, channel: str) -> bool:
        async with self._opening:  # who comes meanwhile goes behind
            opened = self._channels.get(channel)
            if opened is None or opened.is_closed:
                opened = await self.connection.channel(publisher_confirms=True, on_return_raises=True)
                self._channels[channel] = opened
        to = opened.default_exchange if exchange == "" else await opened.get_exchange(exchange, ensure=False)
        await to.publish(message, key, mandatory=True, timeout=self._timeout_s)
        return True

    async def close(self) -> None:
        await self.connection.close()
