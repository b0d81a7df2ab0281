"""Who has got an event: receipts (PROTOCOL.md, Receipts)."""
import asyncio
import collections
import inspect
import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aio_pika.abc

from ._amqp import Broker, Consumer
from ._types import JsonObject

_log = logging.getLogger("evenkeel")
_AWAITED = 10_000  # events whose receipts are handed on; of older ones they are not
_QUEUE: JsonObject = {"x-expires": 60_000, "x-max-length": 100_000}


@dataclass(frozen=True, slots=True)
class Receipt:
    """A session's client has acknowledged the event `id`. `at`: when, ms since the epoch."""

    id: str
    user: str
    session: str
    at: float


OnReceipt = Callable[[Receipt], Any]


class Receipts:
    """Hears, on `mesh.cancel`, which events of this instance clients have acknowledged; from the first that wants to know on."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.word = secrets.token_urlsafe(9)
        self._broker, self._name = broker, name
        self._awaited: collections.OrderedDict[str, OnReceipt] = collections.OrderedDict()
        self._listening: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        """Returns once no receipt can be missed."""
        if not self._listening or (self._listening.done() and (self._listening.cancelled() or self._listening.exception())):
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        await asyncio.shield(self._listening)

    def add(self, id: str, handler: OnReceipt) -> None:
        self._awaited.pop(id, None)
        self._awaited[id] = handler
        while len(self._awaited) > _AWAITED:
            self._awaited.popitem(last=False)

    async def _listen(self) -> None:
        channel = await self._broker.channel()
        queue = await channel.declare_queue(f"service.{self._name}.receipts:{self.word}", durable=True, arguments=_QUEUE)
        await queue.bind("mesh.cancel", f"$taken.{self.word}")
        await Consumer(self._broker, channel).consume(queue, self._take, no_ack=True)

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        try:
            told = json.loads(message.body)
            receipt = Receipt(str(told["id"]), str(told["user"]), str(told["session"]), float(told["at"]))
        except (ValueError, KeyError, TypeError):
            return
        handler = self._awaited.get(receipt.id) if message.type == "receipt" else None
        if not handler:
            return
        try:
            done = handler(receipt)
            if inspect.isawaitable(done):
                await done
        except Exception:
            _log.exception("The handler of a receipt failed")
