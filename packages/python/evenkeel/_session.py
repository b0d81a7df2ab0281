"""A session over its sockets: connects, comes back, moves."""
import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import websockets.exceptions

from ._body import data_of
from ._calls import LIMITS, Calls
from ._errors import CallError, Refused
from ._gateway import NotTaken, Unreachable, place_at
from ._link import Link, dial, first, moment
from ._merge import Merge
from ._past import Reading, TopicHistory
from ._repeats import Repeats
from ._serving import Serving
from ._types import JsonObject

_STOP = {1002, 1003, 1007, 1008, 1009}
_AT_ONCE = {1012, 4000, 4001, 4010, 4011}  # from 4500: stop; every other: back off
_SOCKET_ERRORS = (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException)
_ANSWERS = ("ok", "error", "part")
_ACKNOWLEDGED = (*_ANSWERS, "event", "ask")
_NOT_TAKEN = {"tries": 3, "for_s": 30.0}  # tokens in a row that end the client, where it may get a better one

GetToken = Callable[[], Awaitable[str]]


class Receiver(Protocol):
    """Who gets what comes: each frame once, in order; the next waits for it."""

    async def on_event(self, frame: JsonObject) -> None: ...

    async def on_frame(self, frame: JsonObject) -> None:
        """All that concerns no event and no call."""

    async def on_status(self, type: str, **fields: Any) -> None: ...

    def on_answer(self, frame: JsonObject) -> None:
        """`ok`, `error` or `part`: at once, also while an event is being handled."""

    def topics(self) -> list[Any]:
        """What `hello` names."""


class Session:
    def __init__(
        self, gateway: str, to: Receiver, *, user: str | None, session: str | None, resume: str | None, get_token: GetToken | None,
        tls: ssl.SSLContext | None, info: Any, timeout_s: float,
    ) -> None:
        self.gateway, self.to, self.user, self.tls, self.info = gateway.rstrip("/"), to, user, tls, info
        self.id, self.resume = session, resume
        self.get_token, self._timeout_s = get_token, timeout_s
        self.is_known = session is not None and resume is not None
        self.calls, self.repeats, self.merge = Calls(), Repeats(), Merge()
        self.current: Link | None = None
        self.nodes: list[str] = []  # that held the session; newest first
        self.tried: list[str] = []  # that have failed since
        self.proof: str | None = None  # the pass: what the user may do
        self._away_since: tuple[float, float] | None = None
        self._moving: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_leaving = False
        self._not_taken, self._not_taken_at = 0, 0.0
        self.serving = Serving(self.calls, self.spawn)

    async def run(self) -> None:
        """Stays connected until cancelled or ended. Raises Refused when there is no use in trying."""
        attempt = 0
        self.spawn(self.calls.send(lambda: self.current))
        try:
            while True:
                code, retry_after_s = 1006, 0.0
                try:
                    link = await self._connect()
                    if link.welcomed.is_set():
                        attempt, link = 0, await self._ended()
                    code = link.close_code
                    await self.to.on_status("disconnected", code=code)
                except Unreachable as error:
                    retry_after_s = error.retry_after
                    await self.to.on_status("waiting", reason=str(error))
                except _SOCKET_ERRORS as error:
                    await self.to.on_status("waiting", reason=str(error) or type(error).__name__)
                if code == 1000 and self._is_leaving:
                    return
                if code in _STOP or 4500 <= code <= 4999:
                    raise Refused(f"closed-{code}", f"the edge closed with {code}")
                await asyncio.sleep(retry_after_s + (random.random() if code in _AT_ONCE else pause_s(attempt, 30.0)))
                attempt += 1
        finally:
            await self._leave()

    async def ask(self, frame: JsonObject, timeout_s: float | None = None) -> Any:
        """A frame that is answered with `ok`: its data. Raises CallError."""
        return await self.calls.wait(frame, timeout_s or self._timeout_s)

    async def history(self, frame: JsonObject) -> TopicHistory:
        """What a topic has kept. An edge that is lost in between is asked for all of it once more. Raises CallError."""
        reading, call = Reading(), self.calls.begin(frame)
        call.on_past = reading.take
        try:
            return reading.whole(data_of(await asyncio.wait_for(call.answer, self._timeout_s)))
        except asyncio.TimeoutError:
            raise CallError("timeout", f"no answer within {self._timeout_s:g} s") from None
        finally:
            self.calls.forget(call)

    async def say(self, frame: JsonObject) -> None:
        """A frame that has no answer: lost where there is no connection."""
        if self.current:
            await self.current.send(frame)

    def answer(self, frame: JsonObject) -> None:
        self.calls.answer(frame)

    def is_connected(self) -> bool:
        return self.current is not None and not self.current.gone.is_set()

    def forget(self, topic: str) -> None:
        self.merge.forget(topic)

    async def say_bye(self) -> None:
        """On each socket that comes to have the session, until an edge has ended it."""
        self._is_leaving = True
        if self.current:
            await self.current.ack()
            await self.current.send({"t": "bye"})

    async def _leave(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        self.calls.end(CallError("closed", "the client is closed; make another"))
        if self.current:
            await self.current.ack()
            await self.current.close()
            self.current.cancel()

    async def _connect(self) -> Link:
        if self._refreshing:
            self._refreshing.cancel()
        place = await self._place()
        node = place["node"]
        earlier = [] if node in self.tried else self.tried  # sent there again: no other was left
        self.tried = [node, *earlier][:8]
        self.id, self.resume, self.proof = place["session"], place.get("resume"), place.get("pass")
        link = await self._dial(place, None, is_resume=bool(self.nodes) or self.is_known)
        await first(link.welcomed, link.gone)
        if link.welcomed.is_set():
            self.current, self.tried = link, []
            self.calls.lost()
            if self._is_leaving:
                await self.say_bye()
            await self.to.on_status("connected", node=link.node, session=self.id)
        return link

    async def _place(self) -> JsonObject:
        """Raises Unreachable, or Refused."""
        names = {"from": ",".join(self.nodes), "tried": ",".join(self.tried)}
        query = {"user": self.user, "session": self.id, "resume": self.resume, **names}
        try:
            token = await self.get_token() if self.get_token else None
        except Exception as error:  # whatever the application's own function raises: what it asks may be away, too
            raise Unreachable(f"no token: {error!r}") from error
        try:
            place = await place_at(self.gateway, query, token, self.tls)
        except NotTaken as error:
            self._not_taken_at = self._not_taken_at if self._not_taken else time.monotonic()
            self._not_taken += 1
            is_final = self._not_taken >= _NOT_TAKEN["tries"] and time.monotonic() - self._not_taken_at >= _NOT_TAKEN["for_s"]
            if is_final or not self.get_token:
                raise
            raise Unreachable(str(error)) from error
        self._not_taken = 0
        return place

    async def _dial(self, place: JsonObject, held: list[JsonObject] | None, is_resume: bool) -> Link:
        link = await dial(place, held, self.tls)
        # One clock may stand still in sleep, the other be set: at most so long.
        since = self._away_since
        away_ms = int(max(now - then for now, then in zip(moment(), since, strict=True)) * 1000) if since else 0
        topics = self.to.topics()
        self.calls.named({topic if isinstance(topic, str) else topic["topic"] for topic in topics})
        hello: JsonObject = {"t": "hello", "resume": is_resume, "topics": topics, "awayMs": away_ms}
        if self.proof:
            hello["pass"] = self.proof
        if self.info is not None:
            hello["info"] = self.info
        last = self.repeats.last
        if last and last.name:
            link.after = last
            hello["last"] = {"connection": last.name, "seq": last.handled}
        await link.send(hello)
        link.spawn(link.read(self._route))
        link.spawn(link.work(self._handle, self.current))
        link.spawn(link.watch())
        return link

    async def _ended(self) -> Link:
        """Waits until the session has no socket any more; returns the last."""
        while True:
            link = self.current
            assert link is not None
            await link.gone.wait()
            if self._moving:
                await asyncio.wait([self._moving])
            if self.current is link:
                link.abandon()  # a handler that is at work may wait for what comes on the next one
                self._away_since = link.heard
                return link

    def _route(self, link: Link, frame: JsonObject) -> None:
        kind = frame.get("t")
        if kind == "welcome":
            link.node, link.window, link.name = frame["node"], frame["window"], frame.get("connection")
            link.heartbeat_s, self._away_since = frame["heartbeatMs"] / 1000, None
            self.calls.limits = {**LIMITS, **frame.get("limits", {})}
            self.nodes = newest(frame["node"], self.nodes)
            link.welcomed.set()
        elif kind == "expiring":
            if self.get_token and (not self._refreshing or self._refreshing.done()):
                self._refreshing = self.spawn(self._refresh(self.get_token))
        elif kind in _ANSWERS and "seq" not in frame and ("re" in frame):
            self.to.on_answer(frame)
        elif "re" in frame and kind in ("message", "gap"):  # of an answer to `history`, whatever else waits
            self.calls.past(link, frame)
        elif link.held is not None:
            if kind in _ANSWERS:  # as in _deliver, where it comes once more
                self.to.on_answer(frame)
            link.held.append(frame)
            if kind == "mark":
                link.marked.set()
        else:
            self._deliver(link, frame)

    def _deliver(self, link: Link, frame: JsonObject) -> None:
        is_numbered = frame.get("t") in _ACKNOWLEDGED and "seq" in frame
        if is_numbered:
            link.arrived(frame["seq"])
        if is_numbered and frame.get("t") != "event":  # an event is looked at in its turn
            self.repeats.arrived(link)
        if frame.get("t") in _ANSWERS and is_numbered:  # whoever waits for these may be an event's handler
            self.to.on_answer(frame)
            link.settled(frame["seq"])
            return
        if frame.get("t") == "ask" and is_numbered:
            self.serving.take(frame)
            link.settled(frame["seq"])
            return
        if frame.get("t") == "move":  # a handler that is at work may take longer than the edge waits
            self._moving = self.spawn(self._move(link, frame, self._moving))
            return
        if frame.get("t") == "moved":
            link.mark, link.received = frame.get("mark"), frame["received"]
            link.told.set()
        link.inbox.put_nowait(frame)

    async def _handle(self, link: Link, frame: JsonObject) -> None:
        kind = frame.get("t")
        if kind == "event":
            known = self.repeats.duplicates
            is_repeat, count = self.repeats.is_repeat(link, frame), self.repeats.duplicates
            if count > known and count & (count - 1) == 0:  # told ever more seldom: there may be one with every event
                await self.to.on_status("duplicate-id", id=frame["id"], name=frame["name"], count=count)
            if not is_repeat:
                link.busy_since = asyncio.get_running_loop().time()
                await self.to.on_event(frame)
                link.busy_since = None
            self.repeats.handled(link, frame)
            link.settled(frame["seq"])
        elif kind == "message":
            if self.merge.is_new(frame):
                await self.to.on_frame(frame)
        elif kind == "moved":
            await link.ack()
            link.moved.set()
        else:
            await self.to.on_frame(frame)
            if kind in _ACKNOWLEDGED and "seq" in frame:
                link.settled(frame["seq"])

    async def _refresh(self, get_token: GetToken) -> None:
        """A new token before the old one expires, again and again until an edge has taken one or the socket is lost."""
        for attempt in range(1_000):
            try:
                answer = await self.calls.ask({"t": "refresh", "token": await get_token()})
                self.proof = answer["data"]["pass"]
                return
            except Exception as error:  # whatever the application's own function raises
                await self.to.on_status("refresh-failed", reason=str(error))
                await asyncio.sleep(pause_s(attempt, 20.0))

    async def _move(self, old: Link, frame: JsonObject, earlier: asyncio.Task[None] | None) -> None:
        """The new socket first; the old one goes when the new one has said welcome."""
        if earlier:
            await asyncio.wait([earlier])
        if old.is_left or old.gone.is_set():
            return  # the earlier move has come about, or there is no socket to move from
        await asyncio.sleep(random.random() * frame["jitterMs"] / 1000)
        await self.to.on_status("moving", reason=frame["reason"])
        reason, new = "the new socket closed before welcome", None
        try:
            new = await self._dial(frame, [], is_resume=True)
            self.nodes = newest(frame["node"], self.nodes)
            await first(old.told, old.gone, new.gone, new.welcomed)
            if new.welcomed.is_set():  # it has overtaken what is still under way on the old socket
                await first(old.told, old.gone, timeout=5)
            if not new.gone.is_set():
                await self._take_over(old, new)
                await first(new.welcomed, new.gone)
        except _SOCKET_ERRORS as error:
            new, reason = None, str(error) or type(error).__name__
        if new and new.welcomed.is_set():
            self._switch(old, new)
            if self._is_leaving:
                await self.say_bye()
            await self.to.on_status("moved", node=new.node)
            return await old.close()
        await self.to.on_status("move-failed", reason=reason)
        if old.told.is_set():
            await old.close()  # it has nothing more to say: back through the gateway

    async def _take_over(self, old: Link, new: Link) -> None:
        """All that the old socket had to say is delivered, then what the new one has kept."""
        if not old.told.is_set():  # what is not handled there comes again here
            old.abandon()
        await first(old.moved, old.done, new.welcomed, new.gone)
        if new.welcomed.is_set():  # a handler that is at work there may wait for what comes here
            self._switch(old, new)
        elif new.gone.is_set():
            return
        await first(old.moved, old.done)
        await self.merge.begin(old.mark, new)
        if not old.moved.is_set():
            for frame in self.merge.doubts(self.to.topics()):
                await self.to.on_frame(frame)
        held, new.held = new.held or [], None
        for frame in held:
            self._deliver(new, frame)

    def _switch(self, old: Link, new: Link) -> None:
        """Calls go on with the new socket."""
        if self.current is not new:
            self.current, old.is_left = new, True
            self.calls.moved(old, new)

    def spawn(self, coroutine: Any) -> Any:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def pause_s(attempt: int, most_s: float) -> float:
    """Before the next attempt, with full jitter; `attempt`: those in a row before it."""
    return random.random() * min(most_s, 0.5 * 2 ** min(attempt, 10))


def newest(node: str, nodes: list[str]) -> list[str]:
    return [node, *(other for other in nodes if other != node)][:4]
