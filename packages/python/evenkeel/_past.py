"""What topics have kept, read without a subscription (PROTOCOL.md, history)."""
from dataclasses import dataclass, field
from typing import Any

from ._body import data_of
from ._link import Link
from ._types import JsonObject, Message


@dataclass(frozen=True, slots=True)
class TopicHistory:
    """`messages`: oldest first. `position`: go on behind it, by `since`; None where the topic has kept nothing yet."""

    messages: list[Message] = field(default_factory=list)
    position: str | None = None
    omitted: int = 0  # messages longer than a frame may be, which are not among them


def message_of(frame: JsonObject, gap: str | None = None) -> Message:
    return Message(
        frame["id"], frame["topic"], data_of(frame), frame["at"], frame.get("headers", {}), frame.get("traceparent"),
        frame.get("tracestate"), frame.get("position"), frame.get("past", False), frame.get("from"), frame.get("key"), gap,
    )


class Reading:
    """What has come of one answer."""

    def __init__(self) -> None:
        self._link: Link | None = None
        self._messages: list[Message] = []
        self._omitted = 0

    def take(self, link: Link, frame: JsonObject) -> None:
        """On another connection it begins anew."""
        if self._link is not link:
            self._link, self._messages, self._omitted = link, [], 0
        if frame["t"] == "gap":
            self._omitted += 1
        else:
            self._messages.append(message_of(frame))

    def whole(self, told: Any) -> TopicHistory:
        position = told.get("position") if isinstance(told, dict) else None
        return TopicHistory(self._messages, position, self._omitted)
