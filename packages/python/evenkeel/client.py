"""The client: one connection, over moves and reconnects."""
import asyncio
import inspect
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ._body import fields_of
from ._dispatch import Dispatch
from ._errors import EvenkeelError, Refused
from ._feeds import Feed
from ._names import check_name
from ._serving import AskHandler
from ._session import Session
from ._stream import Stream
from ._topic import Topic
from ._types import Event, JsonObject, Status

_log = logging.getLogger("evenkeel")
T = TypeVar("T")


class Client:
    """`async with evenkeel.Client(gateway, user="alice") as client: …`

    It connects on entry, comes back after losses with back-off, and moves when its edge asks. On exit the session stays for its lifetime,
    so that whoever passes `session` and `resume` goes on in it; `end()` ends it.

    `user` is for development; else `get_token`, a function or coroutine function that returns a token, asked whenever one is needed.
    `info`: what others see of this session where presence is kept, JSON of at most 1 KiB. `tls`: for a CA of your own.
    """

    def __init__(
        self, gateway: str, *, user: str | None = None, get_token: Callable[[], Any] | None = None, session: str | None = None,
        resume: str | None = None, info: Any = None, tls: ssl.SSLContext | None = None, request_timeout_s: float = 35.0,
    ) -> None:
        if not isinstance(gateway, str) or not gateway.startswith(("http://", "https://")):
            raise ValueError(f"the gateway's address begins with http:// or https://, not {gateway!r}")

        async def token() -> str:
            found = get_token() if get_token else None
            return str(await found if inspect.isawaitable(found) else found)

        self._to = Dispatch()
        self._session = Session(
            gateway, self._to, user=user, session=session, resume=resume, get_token=token if get_token else None, tls=tls, info=info,
            timeout_s=request_timeout_s,
        )
        self._to.session = self._session
        self._request_timeout_s = request_timeout_s
        self._running: asyncio.Task[None] | None = None
        self._why: Exception | None = None

    # The connection

    async def __aenter__(self) -> "Client":
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """What `async with` does on entry."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def ready(self) -> None:
        """Returns once it is connected. Raises Refused when it has given up."""
        waiting = asyncio.ensure_future(self._to.ready.wait())
        await asyncio.wait([waiting, *([self._running] if self._running else [])], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            raise self._why or EvenkeelError("closed", "the client is closed; make another")

    async def closed(self) -> None:
        """Returns when the client is closed. Raises Refused when it has given up by itself."""
        if self._running:
            await asyncio.wait([self._running])
        if self._why:
            raise self._why

    async def close(self) -> None:
        """Leaves; the session stays."""
        if self._running and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running])

    async def end(self) -> None:
        """Ends the session itself, as when somebody logs out. `closed()` returns once an edge has said so."""
        await self._session.say_bye()

    @property
    def node(self) -> str | None:
        """The edge that it is connected to."""
        return self._session.current.node if self._session.current else None

    @property
    def session(self) -> str | None:
        """The session's id; with `resume` it can be gone on with later."""
        return self._session.id

    @property
    def resume(self) -> str | None:
        return self._session.resume

    # What comes

    def on(self, name: str, handler: Callable[[Event], Awaitable[None] | None]) -> None:
        """`handler` gets each event of that name, one after another; it is acknowledged when all its handlers are done. `*`: of all names."""
        self._to.handlers.setdefault(name if name == "*" else check_name("event", name), []).append(handler)

    def events(self) -> Feed[Event]:
        """`async for event in client.events()`: an event is acknowledged when the next one is asked for."""
        return _feed(self._to.events)

    def on_status(self, handler: Callable[[Status], Awaitable[None] | None]) -> None:
        """What becomes of the connection, in order with events and messages: gaps, moves, losses."""
        self._to.status_handlers.append(handler)

    def statuses(self) -> Feed[Status]:
        """As on_status, to iterate over; nothing waits for it."""
        return _feed(self._to.statuses)

    def topic(
        self, name: str, *, since: str | None = None, last: int | None = None, presence: bool = False, echo: bool | None = None
    ) -> Topic:
        """Subscribes; iterate over it. `since`: a `position` to go on behind; `last`: how many past messages to begin with.

        Where the topic has history, the client keeps the position and what was missed comes after every loss. `presence`: `on_presence`
        is told who comes and goes. `echo=False`: without what this client publishes itself. A topic that is subscribed already is returned.
        """
        known = self._to.by_name.get(check_name("topic", name))
        if known:
            return known
        options = {"since": since, "last": last, "presence": presence or None, "echo": echo}
        topic = Topic(self._to, name, {key: value for key, value in options.items() if value is not None})
        self._to.join(topic)
        return topic

    def on_presence(self, topic: str, handler: Callable[[JsonObject], Awaitable[None] | None]) -> None:
        """`joined` and `left` of a topic that was subscribed with `presence=True`."""
        self._to.presence_handlers.setdefault(check_name("topic", topic), []).append(handler)

    def serve(self, method: str, handler: AskHandler) -> None:
        """Answers what services ask by `method`, with what `handler(asked)` returns (of a coroutine too); once for each question.

        A ServiceError reaches who asks with its code; of other exceptions it learns nothing. What is not served is answered `no-handler`:
        serve before entering the client. Raises EvenkeelError `already-served`.
        """
        self._session.serving.serve(check_name("method", method), handler)

    # What goes

    async def publish(self, topic: str, data: Any, *, traceparent: str | None = None, tracestate: str | None = None) -> None:
        """Returns once the broker has it. `data`: bytes, or what is JSON. Raises CallError."""
        check_name("topic", topic)
        await self._session.calls.ask({"t": "publish", "topic": topic, **fields_of(data), **_trace(traceparent, tracestate)})

    async def request(
        self, method: str, data: Any = None, *, timeout_s: float | None = None, traceparent: str | None = None, tracestate: str | None = None
    ) -> Any:
        """Returns a service's reply. Raises CallError, `timeout` after `timeout_s`."""
        check_name("method", method)
        frame = {"t": "request", "method": method, **fields_of(data), **_trace(traceparent, tracestate)}
        return await self._session.ask(frame, timeout_s)

    def stream(
        self, method: str, data: Any = None, *, timeout_s: float | None = None, traceparent: str | None = None, tracestate: str | None = None
    ) -> Stream:
        """Asks a service that answers in parts: `async for part in client.stream("shop.ask", question)`. Over moves, losses and crashes.

        `timeout_s` is for each part. Iterating raises CallError. Who leaves the loop early calls `cancel()`, or uses `async with`.
        """
        check_name("method", method)
        frame = {"t": "request", "method": method, **fields_of(data), **_trace(traceparent, tracestate)}
        session = self._session
        return Stream(session.calls, session.calls.begin(frame), session.say, timeout_s or self._request_timeout_s)

    async def _run(self) -> None:
        try:
            await self._session.run()
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self._why = error
            if not isinstance(error, Refused):
                _log.exception("The client has failed")
        finally:
            await self._to.end(self._why)


def _feed(feeds: list[Feed[T]]) -> Feed[T]:
    feed: Feed[T] = Feed(feeds.remove)
    feeds.append(feed)
    return feed


def _trace(traceparent: str | None, tracestate: str | None) -> JsonObject:
    given = {"traceparent": traceparent, "tracestate": tracestate}
    return {key: value for key, value in given.items() if value is not None}
