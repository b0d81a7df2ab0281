"""Who gets what comes: handlers, iterators and topics."""
import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ._body import data_of
from ._errors import CallError
from ._feeds import Feed
from ._past import TopicHistory, message_of
from ._topic import Topic
from ._types import Event, JsonObject, Status

_log = logging.getLogger("evenkeel")
Handler = Callable[[Any], Awaitable[None] | None]


class Asks(Protocol):
    """What of the session is needed here."""

    async def ask(self, frame: JsonObject) -> Any: ...

    async def history(self, frame: JsonObject) -> TopicHistory: ...

    def is_connected(self) -> bool: ...

    def forget(self, topic: str) -> None: ...

    def answer(self, frame: JsonObject) -> None: ...


class Dispatch:
    def __init__(self) -> None:
        self.session: Asks | None = None
        self.by_name: dict[str, Topic] = {}
        self.handlers: dict[str, list[Handler]] = {}
        self.status_handlers: list[Handler] = []
        self.presence_handlers: dict[str, list[Handler]] = {}
        self.events: list[Feed[Event]] = []
        self.statuses: list[Feed[Status]] = []
        self.ready = asyncio.Event()
        self._gap: str | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def asks(self) -> Asks:
        assert self.session
        return self.session

    def is_own(self, task: asyncio.Task[Any] | None) -> bool:
        return task in self._tasks

    def join(self, topic: Topic) -> None:
        self.by_name[topic.name] = topic
        if self.asks().is_connected():
            self._spawn(self._subscribe(topic))

    async def leave(self, topic: Topic) -> None:
        if self.by_name.get(topic.name) is topic:
            del self.by_name[topic.name]
            self.asks().forget(topic.name)
            topic.end()
            if self.asks().is_connected():
                await self.asks().ask({"t": "unsubscribe", "topic": topic.name})

    async def call(self, handler: Handler, given: Any) -> None:
        error = await self._told(handler, given)
        if error:
            await self.on_status("handler-failed", reason=repr(error))

    async def _told(self, handler: Handler, given: Any) -> Exception | None:
        """What the handler has raised."""
        try:
            told = handler(given)
            if inspect.isawaitable(told):
                await told
        except Exception as error:
            _log.exception("A handler failed")
            return error
        return None

    async def lost_some(self, topic: Topic, reason: str) -> None:
        topic.lacks(reason)
        await self.on_status("gap", topic=topic.name, reason=reason)

    def topics(self) -> list[Any]:
        for topic in self.by_name.values():
            topic.is_asked = True
        return [topic.entry() for topic in self.by_name.values()]

    async def on_event(self, frame: JsonObject) -> None:
        gap, self._gap = self._gap, None
        event = Event(
            frame["id"], frame["name"], data_of(frame), frame["at"], frame.get("headers", {}), frame.get("traceparent"),
            frame.get("tracestate"), frame.get("redelivered", False), gap,
        )
        handlers = [*self.handlers.get(event.name, ()), *self.handlers.get("*", ())]
        taken = [feed.push(event) for feed in self.events]
        for handler in handlers:
            await self.call(handler, event)
        for done in taken:
            await done.wait()
        if not handlers and not taken:
            await self.on_status("unhandled", name=event.name)

    async def on_frame(self, frame: JsonObject) -> None:
        kind, name = frame.get("t"), frame.get("topic")
        topic = self.by_name.get(name) if isinstance(name, str) else None
        if kind == "message" and topic:
            await topic.got(message_of(frame, topic.take_gap()))
        elif kind == "gap":
            if topic:
                topic.lacks(frame["reason"])
            elif "topic" not in frame:
                self._gap = frame["reason"]
            await self.on_status("gap", reason=frame["reason"], topic=frame.get("topic"))
        elif kind == "subscribed" and topic:
            topic.joined(frame)
        elif kind in ("error", "unsubscribed"):
            if topic:  # refused, or taken away: it does not come back by itself
                del self.by_name[topic.name]
                code, text = frame.get("code", "unsubscribed"), frame.get("message", f"the topic was taken away: {frame.get('reason')}")
                topic.end(CallError(code, text))
            await self.on_status(kind, **{key: value for key, value in frame.items() if key != "t"})
        elif kind == "presence" and isinstance(name, str):
            for handler in self.presence_handlers.get(name, ()):
                await self.call(handler, frame)

    async def on_status(self, type: str, **fields: Any) -> None:
        status = Status(type, {key: value for key, value in fields.items() if value is not None})
        if type == "duplicate-id":
            _log.warning("An event %(name)s came under the id of an earlier one, %(id)s, and was dropped; %(count)d so far", fields)
        if type == "connected":
            self._connected()
        elif type == "disconnected":
            for topic in self.by_name.values():
                topic.lost()
        for handler in self.status_handlers:
            await self._told(handler, status)
        for feed in self.statuses:
            feed.push(status)

    def on_answer(self, frame: JsonObject) -> None:
        self.asks().answer(frame)

    def _connected(self) -> None:
        self.ready.set()
        for topic in self.by_name.values():
            if topic.is_asked:
                topic.joined(None)
            else:
                self._spawn(self._subscribe(topic))

    async def _subscribe(self, topic: Topic) -> None:
        if topic.is_asked:
            return
        topic.is_asked = True
        entry = topic.entry()
        try:
            topic.joined(await self.asks().ask({"t": "subscribe", **({"topic": entry} if isinstance(entry, str) else entry)}))
        except CallError as error:
            if self.by_name.get(topic.name) is topic:
                del self.by_name[topic.name]
            topic.end(error)

    async def end(self, why: Exception | None) -> None:
        """The client is closed."""
        for task in self._tasks:
            task.cancel()
        for topic in self.by_name.values():
            topic.end(why)
        await self.on_status("closed", code=getattr(why, "code", None), reason=str(why) if why else None)
        for feed in list(self.events):
            feed.end()
        for status in list(self.statuses):
            status.end()

    def _spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
