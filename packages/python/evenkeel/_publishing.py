"""Messages of events, and what their publisher says of them."""
import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._amqp import Broker, message_of
from ._errors import PublishError
from ._names import check_name, uid
from ._receipts import OnReceipt, Receipts
from ._types import JsonObject

MAX_CC_BYTES = 4_096  # of further keys in one message: each copy of it carries them all
_MAX_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Published:
    """
    `is_routed`: False when no queue took it: the user has no session, the topic no subscriber. Always True while a queue is bound to
    `mesh.unrouted`.
    """

    id: str
    is_routed: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One of a batch: `event` to a `user` or to several `users`, or to a `topic`. `options`: those of to_topic and to_user."""

    data: Any
    event: str | None = None
    user: str | None = None
    users: Sequence[str] | None = None
    topic: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def keys(self) -> list[list[str]]:
        """Of its messages, those of each. Raises ValueError."""
        if self.topic is not None:
            if self.event is not None or self.user is not None or self.users is not None:
                raise ValueError("what goes to a topic has no event and no user")
            return [[f"topic.{check_name('topic', self.topic)}"]]
        if self.event is None or (self.user is None) == (self.users is None):
            raise ValueError("an event has a name, and either a user or users")
        messages = keys_of(self.event, [self.user] if self.user is not None else list(self.users or ()))
        if len(messages) > 1 and self.options.get("id") is not None:
            raise ValueError(f"an event to so many users is {len(messages)} messages: it has no id of yours")
        return messages


@dataclass(frozen=True, slots=True)
class BatchResult:
    """`ids`: of its messages, several where it has many users. `is_routed`: False when no queue took it. `error`: some was not sent."""

    ids: list[str]
    is_routed: bool
    error: Exception | None = None


def keys_of(event: str, users: Sequence[str]) -> list[list[str]]:
    """Keys of an event to these users, by message: each has as many as fit."""
    check_name("event", event)
    found: list[list[str]] = []
    size = MAX_CC_BYTES
    for user in dict.fromkeys(users):
        key = f"user.{uid(user)}.{event}"
        size += len(key)
        if size > MAX_CC_BYTES:
            found.append([])
            size = len(key)
        found[-1].append(key)
    return found


class Publishing:
    def __init__(self, broker: Broker, receipts: Callable[[], Awaitable[Receipts]]) -> None:
        self._broker, self._receipts = broker, receipts

    async def publish(
        self, keys: Sequence[str], data: Any, *, id: str | None = None, content_type: str | None = None,
        headers: Mapping[str, Any] | None = None, traceparent: str | None = None, tracestate: str | None = None,
        expiration_s: float | None = None, only_online: bool = False, collapse: str | None = None, key: str | None = None,
        on_receipt: OnReceipt | None = None,
    ) -> Published:
        """One message, for all who have one of the keys. Raises PublishError."""
        for name, value in (("collapse", collapse), ("key", key)):
            if value is not None and (not isinstance(value, str) or not value):
                raise PublishError("bad-option", f"{name} is a text that is not empty, not {value!r}")
        if expiration_s is not None and not 0 <= expiration_s <= 2_147_483.647:
            raise PublishError("bad-option", f"expiration_s is from 0 to 2,147,483, not {expiration_s!r}")
        now_ms, message_id = int(time.time() * 1000), id or str(uuid.uuid4())
        said = {
            "traceparent": traceparent, "tracestate": tracestate, "evenkeel-only-online": only_online or None,
            "evenkeel-collapse": collapse, "evenkeel-key": key, "CC": list(keys[1:]) or None,
        }
        own: JsonObject = {name: value for name, value in said.items() if value is not None}
        if on_receipt:
            receipts = await self._receipts()
            receipts.add(message_id, on_receipt)
            own["evenkeel-receipt"] = receipts.word
        message = message_of(
            data, content_type, message_id=message_id, timestamp=now_ms / 1000, expiration=expiration_s,
            headers={"evenkeel-at": now_ms, **(headers or {}), **own}, delivery_mode=2,
        )
        return Published(message_id, await self._broker.publish("mesh.events", keys[0], message))

    async def batch(self, events: Sequence[Outgoing]) -> list[BatchResult]:
        """Everything is checked before anything is sent. Raises ValueError, PublishError."""
        if len(events) > _MAX_EVENTS:
            raise PublishError("bad-option", f"a batch has at most {_MAX_EVENTS} events")
        checked = [(event, event.keys()) for event in events]
        for event, _ in checked:
            message_of(event.data, event.options.get("content_type"))
        return list(await asyncio.gather(*(self._send(event, messages) for event, messages in checked)))

    async def _send(self, event: Outgoing, messages: list[list[str]]) -> BatchResult:
        sending = (self.publish(keys, event.data, **event.options) for keys in messages)
        settled = await asyncio.gather(*sending, return_exceptions=True)
        sent = [each for each in settled if isinstance(each, Published)]
        errors = (each for each in settled if isinstance(each, Exception))
        return BatchResult([each.id for each in sent], any(each.is_routed for each in sent), next(errors, None))
