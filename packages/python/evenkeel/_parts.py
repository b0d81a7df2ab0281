"""Answers in parts, as a service sends them (PROTOCOL.md, Answers in parts)."""
import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aio_pika.abc

from ._amqp import Broker, Consumer
from ._errors import ServiceError
from ._types import JsonObject

_AHEAD = 32  # parts that may be sent and not acknowledged by the client
_ASK_EVERY = 8
_STALLED_S = 30.0
_QUEUE: JsonObject = {"x-expires": 60_000, "x-max-length": 10_000}

Send = Callable[[Any, JsonObject], Awaitable[bool]]


class Following:
    """One answer under way: how far its client has got, and whether it still wants the rest."""

    def __init__(self) -> None:
        self.sent, self.taken, self.is_cancelled = 0, -1, False
        self.changed = asyncio.Event()

    async def room(self) -> None:
        """Returns once the client is near enough. Raises ServiceError `stream-stalled`."""
        while self.sent - self.taken > _AHEAD and not self.is_cancelled:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), _STALLED_S)
            except asyncio.TimeoutError:
                raise ServiceError("stream-stalled", f"the client has taken no part for {_STALLED_S:g} s") from None


class Follower:
    """Hears, on `mesh.cancel`, what becomes of the answers of this process; from the first of them on."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.word = secrets.token_urlsafe(9)
        self._broker, self._name = broker, name
        self._followed: dict[str, Following] = {}
        self._listening: asyncio.Task[None] | None = None

    async def follow(self, key: str) -> Following:
        if self._listening is None or (self._listening.done() and (self._listening.cancelled() or self._listening.exception())):
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        await asyncio.shield(self._listening)
        followed = self._followed[key] = Following()
        return followed

    def forget(self, key: str) -> None:
        self._followed.pop(key, None)

    def is_followed(self, key: str | None) -> bool:
        return key in self._followed

    async def _listen(self) -> None:
        channel = await self._broker.channel()
        queue = await channel.declare_queue(f"service.{self._name}.cancel:{self.word}", durable=True, arguments=_QUEUE)
        await queue.bind("mesh.cancel", "*.*.*.#")  # ids of requests have three words at least
        await queue.bind("mesh.cancel", f"$taken.{self.word}")
        await Consumer(self._broker, channel).consume(queue, self._take, no_ack=True)

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        try:
            told = json.loads(message.body)
            followed = self._followed.get(told["id"])
            if followed and message.type == "taken":
                followed.taken = max(followed.taken, int(told["n"]))
            elif followed and message.type == "cancel":
                followed.is_cancelled = True
        except (ValueError, KeyError, TypeError):
            return
        if followed:
            followed.changed.set()


async def send_parts(parts: AsyncIterator[Any], followed: Following, word: str, send: Send, on_begun: Callable[[], Awaitable[None]]) -> None:
    """Sends each, never far ahead of the client. Raises ServiceError where nobody wants the rest, and what the generator does."""
    try:
        async for part in parts:
            n = followed.sent
            await followed.room()
            if followed.is_cancelled:
                raise ServiceError("cancelled", "the request was cancelled")
            asks: JsonObject = {"evenkeel-part-ack": word} if n % _ASK_EVERY == _ASK_EVERY - 1 else {}
            if not await send(part, {"evenkeel-part": n, **asks}):
                raise ServiceError("session-ended", "nobody is there to get the answer")
            followed.sent += 1
            if n == 0:
                await on_begun()
    finally:
        close = getattr(parts, "aclose", None)
        if close:
            await close()
