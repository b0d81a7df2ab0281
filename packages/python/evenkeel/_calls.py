"""What a client asks and publishes: with the same ids again where it was not taken, as fast as the edge takes it."""
import asyncio
import itertools
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

from ._body import data_of
from ._errors import CallError
from ._link import Link
from ._types import JsonObject

# What an edge takes that does not say what it takes.
LIMITS: JsonObject = {"framesPerSecond": 100, "burst": 400, "maxFrameBytes": 65_536}
_RATE = ("rate-limited",)


class Call:
    """One that waits for its answer. Without `link` it is still to be sent, or sent again."""

    def __init__(self, frame: JsonObject) -> None:
        self.frame = frame
        self.link: Link | None = None
        self.place = 0.0  # which of the calls on that link it was
        self.on_part: Callable[[JsonObject], None] | None = None
        self.on_past: Callable[[Link, JsonObject], None] | None = None
        self.has_begun = False  # a part has come: the rest waits in the session's queue, and it must not be asked again
        self.answer: asyncio.Future[JsonObject] = asyncio.get_running_loop().create_future()
        # An answer that nobody waits for any more is no error.
        self.answer.add_done_callback(lambda future: future.cancelled() or future.exception())

    def is_to_send(self) -> bool:
        return not self.link and not self.has_begun and not self.answer.done()


class Calls:
    def __init__(self) -> None:
        # Ids must not meet those of an earlier run of the same session: services drop repeats by them.
        prefix = secrets.token_hex(4)
        self._ids = (f"{prefix}-{n}" for n in itertools.count())
        self._open: dict[str, Call] = {}
        self._to_send = asyncio.Event()
        self._tokens, self._counted_at = 1.0, time.monotonic()
        self.limits = LIMITS
        self._ending: CallError | None = None

    async def ask(self, frame: JsonObject) -> JsonObject:
        """Returns the `ok`. Raises CallError."""
        call = self.begin(frame)
        try:
            return await call.answer
        finally:
            self.forget(call)

    def begin(self, frame: JsonObject) -> Call:
        """Raises CallError where it can be sent at no time."""
        if self._ending:
            raise CallError(self._ending.code, str(self._ending))
        call = Call({**frame, "id": frame.get("id") or next(self._ids)})
        try:
            size = len(json.dumps(call.frame, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise CallError("bad-data", f"it cannot be written as JSON: {error}; give bytes, or what json.dumps takes") from error
        if size > self.limits["maxFrameBytes"]:
            raise CallError("too-large", f"a frame has at most {self.limits['maxFrameBytes']} bytes; send less at once")
        self._open[call.frame["id"]] = call
        self._to_send.set()
        return call

    def forget(self, call: Call) -> None:
        if self._open.get(call.frame["id"]) is call:
            del self._open[call.frame["id"]]

    def find(self, key: str) -> Call | None:
        return self._open.get(key)

    def answer(self, frame: JsonObject) -> None:
        """`ok`, `error` or `part` has come. One that concerns no call is for nobody."""
        call = self._open.get(frame.get("re", ""))
        if call is None or call.answer.done():
            return
        if frame["t"] == "part":
            call.has_begun = True
            if call.on_part:
                call.on_part(frame)
        elif frame["t"] == "ok":
            call.answer.set_result(frame)
        elif frame["code"] in _RATE and call.frame["t"] != "refresh":
            call.link = None  # it was not carried out
            self._tokens = min(self._tokens, -self.limits["framesPerSecond"])  # a second's pause
            self._to_send.set()
        else:
            call.answer.set_exception(CallError(frame["code"], frame["message"], frame.get("from") == "service"))

    def past(self, link: Link, frame: JsonObject) -> None:
        """A message of an answer to `history`. One that nobody waits for any more is for nobody."""
        call = self._open.get(frame["re"])
        if call and call.on_past:
            call.on_past(link, frame)

    def lost(self) -> None:
        """What the lost socket took is unknown: all goes again."""
        for call in self._open.values():
            call.link = None
        self._to_send.set()

    def moved(self, old: Link, new: Link) -> None:
        """Those that the old edge counted are answered on the new socket, of the others nothing is known."""
        for call in self._open.values():
            is_taken = old.told.is_set() and call.link and (call.link is not old or call.place <= old.received)
            call.link, call.place = (new, 0) if is_taken else (None, 0)
        self._to_send.set()

    def named(self, topics: set[str]) -> None:
        """`hello` says where these topics begin: a `subscribe` that goes out behind it would begin them once more."""
        for call in self._open.values():
            if call.frame["t"] == "subscribe" and call.frame["topic"] in topics:
                call.frame = {name: value for name, value in call.frame.items() if name not in ("since", "last")}

    def end(self, error: CallError) -> None:
        self._ending = error
        for call in self._open.values():
            if not call.answer.done():
                call.answer.set_exception(error)

    async def send(self, current: Callable[[], Link | None]) -> None:
        """Sends what is to be sent on the socket that the session has, for ever."""
        while True:
            await self._to_send.wait()
            link, call = current(), next((call for call in self._open.values() if call.is_to_send()), None)
            if not call or not link or link.told.is_set() or link.gone.is_set():
                self._to_send.clear()  # set again by the next call, and the next socket
                continue
            await asyncio.sleep(self._pause())
            if link is current() and not link.told.is_set() and not call.answer.done():
                is_counted = call.frame["t"] in ("subscribe", "unsubscribe", "publish", "request")
                link.sent += is_counted
                call.link, call.place = link, link.sent if is_counted else float("inf")
                await link.send(call.frame)

    async def wait(self, frame: JsonObject, timeout_s: float) -> Any:
        """As ask; returns its data. Raises CallError `timeout`, and forgets the call."""
        try:
            return data_of(await asyncio.wait_for(self.ask(frame), timeout_s))
        except asyncio.TimeoutError:
            raise CallError("timeout", f"no answer within {timeout_s:g} s") from None

    def _pause(self) -> float:
        """How long to wait before the next frame: a little longer than the edge says, since frames catch up on the way."""
        now, rate = time.monotonic(), 0.9 * self.limits["framesPerSecond"]
        earned = (now - self._counted_at) * rate
        self._tokens, self._counted_at = min(self.limits["burst"] / 2, self._tokens + earned) - 1, now
        return float(max(0.0, -self._tokens / rate))
