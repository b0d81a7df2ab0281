"""A topic that the client has subscribed."""
import asyncio
import collections
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ._body import fields_of
from ._past import TopicHistory
from ._types import JsonObject, Message

if TYPE_CHECKING:
    from ._dispatch import Dispatch

_MAX_WAITING = 10_000
_OPTIONS = ("presence", "echo")
_PAST_BEGINS_WITHIN_S = 5.0  # of the answer


class Topic:
    """An async iterator of its messages, in order: those that came since `client.topic` was called.

    More than 10,000 that nobody takes are dropped; the next one has `gap` "slow-consumer".
    """

    def __init__(self, desk: "Dispatch", name: str, options: JsonObject) -> None:
        self.name = name
        self.position: str | None = options.get("since")  # of the last message; for `since` later
        self.is_recovered: bool | None = None  # whether all since the position asked for was there
        self._desk, self._options = desk, options
        self._waiting: collections.deque[Message] = collections.deque()
        self._changed = asyncio.Event()
        self._gap: str | None = None
        self._ending: Exception | bool = False
        self._no_past: asyncio.TimerHandle | None = None
        self.is_asked = False  # its own `subscribe` is under way or answered
        self.subscribing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.subscribing.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._on_message: list[Callable[[Message], Any]] = []

    async def subscribed(self) -> "Topic":
        """Returns once the mesh has it: what is published from then on comes, or a gap. Raises CallError."""
        await asyncio.shield(self.subscribing)
        return self

    async def publish(self, data: Any, **trace: str) -> None:
        """As client.publish."""
        await self._desk.asks().ask({"t": "publish", "topic": self.name, **fields_of(data), **trace})

    async def presence(self) -> JsonObject:
        """`count`, and `users`: who is subscribed, where the mesh keeps that for the topic. Raises CallError."""
        answer: JsonObject = await self._desk.asks().ask({"t": "presence", "topic": self.name})
        return answer

    async def history(self, *, since: str | None = None, last: int | None = None) -> TopicHistory:
        """What the topic has kept: behind a position, or the last so many; all of it without either. Not part of the iteration.

        Raises CallError: `history-lost` where some of what came behind `since` is gone, `no-history`, `broker-unavailable`.
        """
        wanted = {key: value for key, value in (("since", since), ("last", last)) if value is not None}
        return await self._desk.asks().history({"t": "history", "topic": self.name, **wanted})

    def on_message(self, handler: Callable[[Message], Awaitable[None] | None]) -> None:
        """Called for each message, one after another; what comes next waits for it, events too."""
        self._on_message.append(handler)

    async def unsubscribe(self) -> None:
        """The iteration ends."""
        await self._desk.leave(self)

    def __aiter__(self) -> "Topic":
        return self

    async def __anext__(self) -> Message:
        """Raises CallError where the mesh has refused or taken away the topic."""
        while not self._waiting:
            if isinstance(self._ending, Exception):
                raise self._ending
            if self._ending:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    # What the client calls.

    def entry(self) -> str | JsonObject:
        """How hello and subscribe name it."""
        entry: JsonObject = {key: self._options[key] for key in _OPTIONS if self._options.get(key) is not None}
        if self.position is not None:
            entry["since"] = self.position
        elif self._options.get("last") is not None:
            entry["last"] = self._options["last"]
        return {"topic": self.name, **entry} if entry else self.name

    def joined(self, told: Any) -> None:
        told = told if isinstance(told, dict) else {}
        self.is_recovered = told.get("recovered")
        position = told.get("position")
        if isinstance(position, str):
            self._begun_at(position)
        if not self.subscribing.done():
            self.subscribing.set_result(None)

    def _begun_at(self, position: str) -> None:
        if self._options.get("last") is None:
            if self.position is None or not self.is_recovered:
                self.position = position
        elif self.position is None:  # past messages come behind this, each with its own; where there is none, it is known from now on
            self.lost()
            self._no_past = asyncio.get_running_loop().call_later(_PAST_BEGINS_WITHIN_S, self._has_no_past, position)

    def _has_no_past(self, position: str) -> None:
        self.position = self.position or position

    def lost(self) -> None:
        """There is no connection: a past that has not begun is asked for again."""
        if self._no_past:
            self._no_past.cancel()

    def lacks(self, reason: str) -> None:
        self._gap = reason

    async def got(self, message: Message) -> None:
        if message.position is not None:
            self.position = message.position
        for handler in self._on_message:
            await self._desk.call(handler, message)
        if self._on_message:
            return
        if len(self._waiting) >= _MAX_WAITING:
            self._waiting.clear()
            await self._desk.lost_some(self, "slow-consumer")
        self._waiting.append(message)
        self._changed.set()

    def take_gap(self) -> str | None:
        gap, self._gap = self._gap, None
        return gap

    def end(self, why: Exception | None = None) -> None:
        self._ending = why or True
        self.lost()
        if not self.subscribing.done():
            self.subscribing.set_exception(why) if why else self.subscribing.cancel()
        self._changed.set()
