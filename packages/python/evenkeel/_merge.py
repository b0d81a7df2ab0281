"""Topic messages of a move's two sockets (PROTOCOL.md, section 4)."""
import asyncio
import collections
from typing import Any

from ._link import Link, first
from ._types import JsonObject

_REMEMBERED = 512  # of each topic
_REPEATS_FOR_S = 5.0  # the new edge may lag behind the old one
_MARK_WITHIN_S = 5.0


class Merge:
    def __init__(self) -> None:
        self._delivered: dict[str, collections.deque[str]] = {}  # ids by topic
        self._skip: dict[str, set[str]] = {}  # those that may come once more

    def is_new(self, frame: JsonObject) -> bool:
        """Whether this message is to be handed on."""
        topic, key = frame["topic"], frame["id"]
        if key in self._skip.get(topic, ()):
            self._skip[topic].discard(key)
            return False
        self._delivered.setdefault(topic, collections.deque(maxlen=_REMEMBERED)).append(key)
        return True

    def forget(self, topic: str) -> None:
        self._delivered.pop(topic, None)
        self._skip.pop(topic, None)

    async def begin(self, mark: str | None, new: Link) -> None:
        """The old socket has said all: from now on what the new one brings, but for what the old one has delivered."""
        before = await _before_mark(mark, new)
        # An id that begins with ~ was made from the content, which may recur: the mark tells.
        self._skip = {
            topic: {key for key in keys if before is None or not key.startswith("~")} for topic, keys in self._delivered.items()
        }
        asyncio.get_running_loop().call_later(_REPEATS_FOR_S, self._skip.clear)
        new.held = [frame for n, frame in enumerate(new.held or []) if not (n < (before or 0) and _is_derived(frame))]

    def doubts(self, topics: list[Any]) -> list[JsonObject]:
        """What is told where the old socket ended without a word: the new edge goes on behind what was written there, read or not."""
        names = (topic if isinstance(topic, str) else topic["topic"] for topic in topics)
        return [{"t": "gap", "topic": topic, "reason": "connection-lost"} for topic in names]


def _is_derived(frame: JsonObject) -> bool:
    return frame.get("t") == "message" and frame["id"].startswith("~")


async def _before_mark(mark: str | None, new: Link) -> int | None:
    """How many of the frames kept come before the mark; None: it does not come."""
    while mark is not None:
        names = [frame.get("mark") if frame.get("t") == "mark" else None for frame in new.held or []]
        if mark in names:
            return names.index(mark)
        new.marked.clear()
        await first(new.marked, new.gone, timeout=_MARK_WITHIN_S)
        if not new.marked.is_set():
            break
    return None
