"""The broker: two connections, since an alarm of the broker blocks one that publishes whole."""
import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import aio_pika
import aio_pika.abc
from aio_pika.exceptions import AMQPError, ChannelNotFoundEntity, PublishError as Returned
from aiormq.exceptions import AMQPConnectionError, ChannelAccessRefused, ChannelInvalidStateError

from ._errors import PublishError
from ._types import JsonObject

_log = logging.getLogger("evenkeel")
_AGAIN_AFTER_S = 0.5
_LOOK_S, _LONGEST_S = 1.0, 30.0  # between looks whether a consumer is there still, and after one that could not be made again
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


class Consumer:
    """Consumes queues on one channel until it is cancelled.

    Again also where the broker has cancelled that, since a queue was deleted or its node went down: a lost connection alone is what
    aio-pika sees to.
    """

    def __init__(self, broker: "Broker", channel: aio_pika.abc.AbstractRobustChannel) -> None:
        self._broker, self._channel = broker, channel
        self._consumed: list[tuple[aio_pika.abc.AbstractRobustQueue, str]] = []
        self._watching: asyncio.Task[None] | None = None

    async def consume(self, queue: aio_pika.abc.AbstractRobustQueue, take: Callable[[Any], Any], no_ack: bool = False) -> None:
        self._consumed.append((queue, await queue.consume(take, no_ack=no_ack)))
        if self._watching is None:
            self._watching = self._broker.spawn(self._watch())

    async def cancel(self) -> None:
        if self._watching:
            self._watching.cancel()
        for queue, tag in self._consumed:
            await queue.cancel(tag)

    async def _watch(self) -> None:
        pause = _LOOK_S
        while True:
            await asyncio.sleep(pause)
            try:
                cancelled = [queue.name for queue, tag in self._consumed if not await _is_consumed(queue, tag)]
                if cancelled:
                    await self._again(cancelled)
                pause = _LOOK_S
            except (*LOST, AMQPError, asyncio.TimeoutError) as error:
                pause = min(_LONGEST_S, pause * 2)
                _log.warning("A queue is not consumed again yet: %r", error)

    async def _again(self, names: list[str]) -> None:
        _log.warning("The broker has cancelled the consumer of %s; consuming again", ", ".join(names))
        trial = await self._broker.connection.channel()  # of its own: what the broker refuses closes it
        try:
            for queue, _ in self._consumed:
                await trial.declare_queue(queue.name, durable=queue.durable, arguments=queue.arguments, robust=False)
        finally:
            await trial.close()
        await self._channel.reopen()


async def _is_consumed(queue: Any, tag: str) -> bool:
    channel = queue.channel
    if hasattr(channel, "get_underlay_channel"):  # aio-pika 9
        channel = await channel.get_underlay_channel()
    return channel.is_closed or tag in channel.consumers  # a closed one comes back with its consumers


class Broker:
    """A connection that comes back by itself, and a channel with confirms."""

    def __init__(self, connection: aio_pika.abc.AbstractRobustConnection, timeout_s: float) -> None:
        self.connection, self._timeout_s = connection, timeout_s
        self._channels: dict[str, aio_pika.abc.AbstractChannel] = {}
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def connect(cls, url: str, name: str, timeout_s: float) -> "Broker":
        properties: JsonObject = {"connection_name": name}
        return cls(await aio_pika.connect_robust(url, client_properties=properties), timeout_s)

    async def channel(self) -> aio_pika.abc.AbstractRobustChannel:
        """One that comes back with the connection, with what was declared and consumed on it."""
        return await self.connection.channel()  # type: ignore[return-value]

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

    def spawn(self, coroutine: Any) -> asyncio.Task[None]:
        """A task that ends with the connection."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await self.connection.close()
