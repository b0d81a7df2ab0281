"""Answers that come in parts (PROTOCOL.md, part)."""
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ._body import data_of
from ._calls import Call, Calls
from ._errors import CallError
from ._types import JsonObject


class Stream:
    """An async iterator of the parts of an answer, each once and in order. `result`: what the service has said last, after the loop."""

    def __init__(self, calls: Calls, call: Call, say: Callable[[JsonObject], Awaitable[None]], timeout_s: float) -> None:
        self.id: str = call.frame["id"]
        self.result: Any = None
        self._calls, self._call, self._say, self._timeout_s = calls, call, say, timeout_s
        self._waiting: list[Any] = []
        self._next = 0  # number of the next part
        self._changed = asyncio.Event()
        call.on_part = self._part
        call.answer.add_done_callback(lambda _: self._changed.set())

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> Any:
        """Raises CallError: the service's or the mesh's, `timeout` when no part comes in time, `parts-missing` where it is not whole."""
        while not self._waiting:
            if self._call.answer.done():
                self._end()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._timeout_s)
            except asyncio.TimeoutError:
                await self.cancel()
                raise CallError("timeout", f"no part within {self._timeout_s:g} s") from None
        return self._waiting.pop(0)

    async def cancel(self) -> None:
        """Nothing more is wanted: the service is told. Who leaves the loop early calls it, as the end of `async with` does."""
        if not self._call.answer.done():
            self._call.answer.cancel()
            self._calls.forget(self._call)
            await self._say({"t": "cancel", "re": self.id})

    async def __aenter__(self) -> "Stream":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cancel()

    def _part(self, frame: JsonObject) -> None:
        n = frame["n"]
        if n < self._next or self._call.answer.done():
            return  # it has come before
        if n > self._next:
            self._call.answer.set_exception(_missing())
            return
        self._next += 1
        self._waiting.append(data_of(frame))
        self._changed.set()

    def _end(self) -> None:
        self._calls.forget(self._call)
        if self._call.answer.cancelled():
            raise StopAsyncIteration
        frame = self._call.answer.result()
        if frame.get("parts", self._next) != self._next:
            raise _missing()
        self.result = data_of(frame)
        raise StopAsyncIteration


def _missing() -> CallError:
    return CallError("parts-missing", "parts of the answer are missing; ask again")
