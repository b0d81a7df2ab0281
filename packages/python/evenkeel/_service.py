"""Serving what clients send (PROTOCOL.md, What services receive)."""
import asyncio
import collections
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aio_pika.abc
from aiormq.exceptions import ChannelPreconditionFailed

from ._amqp import LOST, Broker, Consumer, data_of, message_of
from ._errors import EvenkeelError, PublishError, ServiceError
from ._parts import Follower, send_parts

_log = logging.getLogger("evenkeel")
_REPLY_LIVES_S = 30
_METHOD_HELD_MS = 60_000
_REMEMBERED = 1_000
_TRACE = ("traceparent", "tracestate")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent: `method` or topic, `data`, and who it is, as the gateway checked it."""

    method: str
    data: Any
    user: str
    session: str
    id: str | None
    headers: dict[str, Any] = field(default_factory=dict)


Handler = Callable[[Request], Any]
Answer = tuple[Any, dict[str, Any]]  # data, and headers: the code of an error, how many parts came before


@dataclass(slots=True)
class _Lane:
    """What one session sent is handled one after another."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0  # messages that are handled, or wait


class Service:
    """Serves one method or topic until `stop()`."""

    def __init__(self, broker: Broker, replies: Broker, name: str, kind: str, pattern: str, handler: Handler, prefetch: int, grace_ms: int):
        self._broker, self._replies, self._name, self._kind, self._pattern = broker, replies, name, kind, pattern
        self._follower = Follower(broker, name)
        self._handler, self._prefetch, self._grace_ms = handler, prefetch, grace_ms
        self._lanes: dict[str, _Lane] = {}
        self._known: collections.OrderedDict[str, Answer] = collections.OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._consumer: Consumer | None = None
        self._channel: aio_pika.abc.AbstractRobustChannel | None = None

    async def start(self) -> None:
        """Raises EvenkeelError `method-taken`, `queue-differs`."""
        self._channel = await self._broker.channel()
        await self._channel.set_qos(prefetch_count=self._prefetch)
        consumer = Consumer(self._broker, self._channel)
        words = self._pattern.replace("*", "+").replace("#", "++")
        try:
            if self._kind == "request":
                root = words.split(".")[0]
                held: dict[str, Any] = {"x-expires": _METHOD_HELD_MS, "x-dead-letter-exchange": f"service.{root}.owner:{self._name}"}
                mark = await self._channel.declare_queue(f"service.{root}.method:{words}", durable=True, arguments=held)
                await consumer.consume(mark, _ignore)
        except ChannelPreconditionFailed as error:
            raise EvenkeelError("method-taken", f"method {self._pattern} is served by another service: {error}") from error
        name = f"service.{self._name}.{'publish:' if self._kind == 'publish' else ''}{words}"
        try:
            queue = await self._channel.declare_queue(name, durable=True, arguments={"x-expires": self._grace_ms})
        except ChannelPreconditionFailed as error:
            raise EvenkeelError("queue-differs", f"queue {name} exists with other settings: {error}") from error
        await queue.bind("mesh.inbound", self._pattern)
        await consumer.consume(queue, self._take)
        self._consumer = consumer

    async def stop(self, within_s: float = 10.0) -> None:
        """Takes no more, waits for handlers that run, and gives the rest back."""
        if self._consumer and self._channel and not self._channel.is_closed:
            await self._consumer.cancel()
            if self._running:
                await asyncio.wait(self._running, timeout=within_s)
            await self._channel.close()

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        kind = message.type or ("request" if message.reply_to else "publish")
        if kind != self._kind or (message.routing_key or "").startswith("$"):
            return await message.ack()
        task = asyncio.current_task()
        assert task
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        name = f"{message.headers.get('evenkeel-uid')!r} {message.headers.get('evenkeel-session')!r}"
        if inspect.isasyncgenfunction(self._handler):  # an answer in parts lasts, and keeps nobody waiting
            name = f"{name} {message.delivery_tag}"
        lane = self._lanes.setdefault(name, _Lane())
        lane.users += 1
        try:
            async with lane.turn:
                await self._handle(message)
        except LOST as error:
            _log.warning("A message is handled again: the broker was lost (%r)", error)
        finally:
            lane.users -= 1
            if lane.users == 0:
                del self._lanes[name]

    async def _handle(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        key = message.message_id
        if self._follower.is_followed(key):  # it is being answered
            return await message.ack()
        answer = self._known.get(key) if key else None
        if answer is None:
            answer = await self._run(message)
            if key:
                self._known[key] = answer
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        if self._kind == "request" and message.reply_to:
            try:
                await self._reply(message, *answer)
            except PublishError as error:
                _log.error("A reply was not sent: %s", error)
        if not message.processed:
            await message.ack()

    async def _run(self, message: aio_pika.abc.AbstractIncomingMessage) -> Answer:
        headers = dict(message.headers)
        user, session = str(headers.get("evenkeel-user", "")), str(headers.get("evenkeel-session", ""))
        request = Request(message.routing_key or "", data_of(message), user, session, message.message_id, headers)
        try:
            told = self._handler(request)
            if inspect.isasyncgen(told):
                return await self._parts(message, told)
            result = await told if isinstance(told, Awaitable) else told
            if self._kind == "request":
                message_of(result, None)  # what is no answer is a failure of the handler
            return result, {}
        except Exception as error:
            return self._failed(error)

    async def _parts(self, message: aio_pika.abc.AbstractIncomingMessage, parts: AsyncIterator[Any]) -> Answer:
        key = message.message_id or ""
        followed = await self._follower.follow(key)

        async def send(part: Any, headers: dict[str, Any]) -> bool:
            return await self._reply(message, part, headers)

        async def begun() -> None:  # no other instance could go on in the same words
            await message.ack()

        data: Any = None
        headers: dict[str, Any] = {}
        try:
            await send_parts(parts, followed, self._follower.word, send, begun)
        except Exception as error:
            data, headers = self._failed(error)
        finally:
            self._follower.forget(key)
        return data, {**headers, "evenkeel-parts": followed.sent}

    def _failed(self, error: Exception) -> Answer:
        if isinstance(error, ServiceError):
            return str(error), {"evenkeel-error": error.code}
        _log.error("The handler of %s failed", self._pattern, exc_info=error)  # nothing of it leaves the service
        return "the service failed", {"evenkeel-error": "service-error"}

    async def _reply(self, message: aio_pika.abc.AbstractIncomingMessage, data: Any, headers: dict[str, Any]) -> bool:
        """Whether somebody got it."""
        trace = {name: message.headers[name] for name in _TRACE if name in message.headers}
        kind = "text/plain" if "evenkeel-error" in headers else None
        # Parts, and what comes behind them, wait in the session's queue as its events do.
        is_part = "evenkeel-part" in headers or "evenkeel-parts" in headers
        lasting: dict[str, Any] = {"delivery_mode": 2} if is_part else {"expiration": _REPLY_LIVES_S}
        reply = message_of(data, kind, correlation_id=message.correlation_id, headers={**trace, **headers}, **lasting)
        if "evenkeel-part" in headers:
            return await self._replies.publish("mesh.replies", message.reply_to or "", reply, channel="mesh.replies")
        is_new = message.headers.get("evenkeel-reply-exchange") == "mesh.replies"
        for exchange in ("mesh.replies", "") if is_new else ("", "mesh.replies"):
            try:  # a user without the right to the default exchange loses the channel: one of its own
                if await self._replies.publish(exchange, message.reply_to or "", reply, channel=exchange or "default"):
                    return True
            except PublishError as error:
                if exchange or error.code != "publish-refused":
                    raise
        return False


async def _ignore(message: aio_pika.abc.AbstractIncomingMessage) -> None:
    await message.ack()
