"""What the application gets."""
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the user. `data`: what the JSON says, or bytes."""

    id: str
    name: str
    data: Any
    at: float  # when it was published, ms since the epoch
    headers: Mapping[str, str] = field(default_factory=dict)
    traceparent: str | None = None
    tracestate: str | None = None
    is_redelivered: bool = False  # it may have come before; known repeats are dropped
    gap: str | None = None  # events may be missing before this one, and why


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a topic. `data`: what the JSON says, or bytes."""

    id: str
    topic: str
    data: Any
    at: float  # when it was published, ms since the epoch
    headers: Mapping[str, str] = field(default_factory=dict)
    traceparent: str | None = None
    tracestate: str | None = None
    position: str | None = None  # in the topic's history
    is_past: bool = False  # from before the subscription
    sender: Mapping[str, str] | None = None  # user and session, where the mesh relays
    key: str | None = None  # of a live table
    gap: str | None = None  # messages may be missing before this one, and why


@dataclass(frozen=True, slots=True)
class Status:
    """What becomes of the connection: `type` says what, `fields` the rest.

    `connected` node, session, resumed · `disconnected` code · `waiting` reason · `moving` reason · `moved` node · `move-failed` reason ·
    `gap` reason, topic? · `error` code, message, topic? · `unsubscribed` topic, reason · `unhandled` name · `handler-failed` reason ·
    `refresh-failed` reason · `closed` reason? · `duplicate-id` id, name, count: an event under the id of an earlier one was not handed
    on, its publisher having sent it twice or given two events one id; told for the 1st, 2nd, 4th, 8th, …
    """

    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)
