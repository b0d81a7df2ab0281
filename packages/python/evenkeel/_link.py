"""One socket: what comes, what is acknowledged, whether it lives."""
import asyncio
import collections
import json
import logging
import time
import urllib.parse
from collections.abc import Awaitable, Callable
from typing import Any

import websockets
import websockets.exceptions

from ._types import JsonObject

MAX_HELD = 10_000  # frames that wait for handlers, or for the end of a move; over it the socket is given up
_ACK_AFTER_S = 0.02
_COMES_AGAIN = ("event", "message")

_log = logging.getLogger("evenkeel")

Route = Callable[["Link", JsonObject], None]
Handle = Callable[["Link", JsonObject], Awaitable[None]]


def moment() -> tuple[float, float]:
    """Now, by a clock that takes no step and by the host's."""
    return time.monotonic(), time.time()


class Link:
    """While `held` is a list, what comes is kept there and not delivered yet."""

    def __init__(self, ws: Any, held: list[JsonObject] | None) -> None:
        self.ws, self.held = ws, held
        self.node: str | None = None
        self.name: str | None = None  # the connection, as its edge calls it
        self.after: Link | None = None  # the connection that `hello` named
        self.window, self.heartbeat_s, self.heard = 64, 15.0, moment()
        self.handled, self.acked = 0, 0  # seq up to which all is handled; that is acknowledged
        self.busy_since: float | None = None  # an event is being handled
        self.is_left = False  # a move has left this socket
        self.sent, self.received = 0, 0  # calls; how many of them `moved` counted
        self.mark: str | None = None  # that `moved` named
        self.welcomed, self.told, self.moved = asyncio.Event(), asyncio.Event(), asyncio.Event()  # told: `moved` has come
        self.marked = asyncio.Event()
        self.gone, self.done = asyncio.Event(), asyncio.Event()  # nothing more comes; and all that has come is handled, or left
        self.inbox: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        self._open: collections.deque[list[Any]] = collections.deque()  # seq that have come, and whether each is handled
        self._ack_timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def close_code(self) -> int:
        """With which it was closed; 1006 without a word."""
        return self.ws.close_code or 1006

    def arrived(self, seq: int) -> None:
        """One that is to be acknowledged."""
        self._open.append([seq, False])

    def settled(self, seq: int) -> None:
        """It is handled. Acknowledgements are cumulative: they wait for those before it."""
        for entry in self._open:
            if entry[0] == seq:
                entry[1] = True
        while self._open and self._open[0][1]:
            self.handled = self._open.popleft()[0]
        if self.handled - self.acked >= self.window // 4:
            self.spawn(self.ack())
        elif self._ack_timer is None and self.handled > self.acked:
            self._ack_timer = asyncio.get_running_loop().call_later(_ACK_AFTER_S, lambda: self.spawn(self.ack()))

    async def ack(self) -> None:
        if self._ack_timer:
            self._ack_timer.cancel()
            self._ack_timer = None
        if self.handled > self.acked and not self.gone.is_set():
            self.acked = self.handled
            await self.send({"t": "ack", "seq": self.handled})

    async def send(self, frame: JsonObject) -> None:
        try:
            await self.ws.send(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))
        except (websockets.exceptions.ConnectionClosed, UnicodeEncodeError):
            pass  # the reader sees it too, and acts on it

    async def close(self) -> None:
        await self.ws.close(1000)

    def abandon(self) -> None:
        """What has come and is not begun yet is left: another socket brings it again, but for what the edge takes for told."""
        waiting = [self.inbox.get_nowait() for _ in range(self.inbox.qsize())]
        for frame in waiting:
            if frame and frame.get("t") not in _COMES_AGAIN:
                self.inbox.put_nowait(frame)
        self.inbox.put_nowait(None)

    async def read(self, route: Route) -> None:
        try:
            async for text in self.ws:
                self.heard = moment()
                frame = json.loads(text)
                if isinstance(frame, dict):
                    route(self, frame)
                if max(self.inbox.qsize(), len(self.held or ())) > MAX_HELD:
                    break
        except websockets.exceptions.ConnectionClosed:
            pass
        finally:
            self.inbox.put_nowait(None)
            self.gone.set()
            await self.ws.close()

    async def work(self, handle: Handle, before: "Link | None") -> None:
        """One frame after another: the next waits until the handler is done with it, but nothing else waits for that.

        `before`: the socket whose last handler goes first.
        """
        try:
            if before:
                await first(before.moved, before.done)
            while (frame := await self.inbox.get()) is not None:
                try:
                    await handle(self, frame)
                except (KeyError, TypeError, ValueError):  # a frame that is not as the protocol says
                    _log.exception("A frame was not understood")
        finally:
            self.done.set()

    async def watch(self) -> None:
        """Pings when nothing has come for a heartbeat; without an answer the socket is lost. Says when an event takes long."""
        said = asked = 0.0
        while not self.gone.is_set():
            pause = min(self.heartbeat_s / 4, 1.0)
            due = time.monotonic() + pause
            await asyncio.sleep(pause)
            if time.monotonic() - due > 1:  # this process stood still: what has come meanwhile is read first
                await asyncio.sleep(2)
            now, since, heard = time.monotonic(), self.busy_since, self.heard[0]
            if since is not None and now - max(since, said) > self.heartbeat_s * 0.75:
                said = now
                await self.ack()
                await self.send({"t": "ack", "seq": self.acked, "busy": True})
            if asked > heard and now - asked > min(self.heartbeat_s, 10):
                self.ws.transport.abort()
            elif asked <= heard and now - heard > self.heartbeat_s:
                asked = now
                await self.send({"t": "ping"})

    def spawn(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()


async def dial(place: JsonObject, held: list[JsonObject] | None, tls: Any) -> Link:
    """Opens a socket to an edge. Raises OSError, asyncio.TimeoutError or WebSocketException."""
    url = place["url"] + "?ticket=" + urllib.parse.quote(place["ticket"])
    options: dict[str, Any] = {"open_timeout": 10, "close_timeout": 2, "ping_interval": None, "max_size": None}
    if tls and url.startswith("wss:"):
        options["ssl"] = tls
    ws = await websockets.connect(url, subprotocols=["evenkeel.v1"], **options)  # type: ignore[attr-defined]
    return Link(ws, held)


async def first(*events: asyncio.Event, timeout: float | None = None) -> None:
    """Waits for the first of several."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
