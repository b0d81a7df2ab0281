"""Events and statuses for whoever iterates."""
import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Feed(Generic[T]):
    """An async iterator. What comes is held from the call that made it on, not only from the first step."""

    def __init__(self, on_end: Callable[["Feed[T]"], None]) -> None:
        self._items: asyncio.Queue[tuple[T, asyncio.Event] | None] = asyncio.Queue()
        self._current: asyncio.Event | None = None
        self._on_end = on_end
        self._is_ended = False

    def push(self, item: T) -> asyncio.Event:
        """Set when the one who iterates is done with it: has asked for the next, or has ended."""
        done = asyncio.Event()
        if self._is_ended:
            done.set()
        else:
            self._items.put_nowait((item, done))
        return done

    def __aiter__(self) -> "Feed[T]":
        return self

    async def __anext__(self) -> T:
        self._finish()
        entry = None if self._is_ended and self._items.empty() else await self._items.get()
        if entry is None:
            raise StopAsyncIteration
        item, self._current = entry
        return item

    def close(self) -> None:
        """Nothing comes any more."""
        if self._is_ended:
            return
        self.end()
        self._finish()
        while not self._items.empty():
            entry = self._items.get_nowait()
            if entry:
                entry[1].set()
        self._items.put_nowait(None)

    def end(self) -> None:
        """What has come may still be taken."""
        if not self._is_ended:
            self._is_ended = True
            self._on_end(self)
            self._items.put_nowait(None)

    def __enter__(self) -> "Feed[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _finish(self) -> None:
        if self._current:
            self._current.set()
            self._current = None
