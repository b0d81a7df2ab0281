"""The publisher: events to users and topics, and services that answer clients."""
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._amqp import Broker, message_of
from ._asking import Asking
from ._names import check_name, check_pattern, uid
from ._service import Handler, Service


@dataclass(frozen=True, slots=True)
class Published:
    """`is_routed`: False when no queue took it: the user has no session, the topic no subscriber."""

    id: str
    is_routed: bool


class Publisher:
    """`async with evenkeel.Publisher(amqp_url, name="shop") as publisher: …`

    On entry it connects and waits until the mesh has declared its exchanges; it comes back after losses. `name`: of this application
    service, part of the names of its queues; instances that share work share it. `timeout_s`: how long a confirm may take, reconnects
    included.
    """

    def __init__(self, amqp_url: str, *, name: str, timeout_s: float = 30.0) -> None:
        if not amqp_url.startswith(("amqp://", "amqps://")):
            raise ValueError(f"the broker's address begins with amqp:// or amqps://, not {amqp_url!r}")
        self._url, self._name, self._timeout_s = amqp_url, name, timeout_s
        self._publishing: Broker | None = None
        self._consuming: Broker | None = None
        self._services: list[Service] = []
        self._asking: Asking | None = None

    async def __aenter__(self) -> "Publisher":
        self._publishing = await Broker.connect(self._url, self._name, self._timeout_s)
        await self._publishing.wait_for("mesh.events")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stops what is served, and leaves."""
        for service in self._services:
            await service.stop()
        for broker in (self._consuming, self._publishing):
            if broker:
                await broker.close()

    async def to_user(self, user: str, event: str, data: Any, **options: Any) -> Published:
        """An event for all of a user's sessions; returns when the broker has confirmed it. Options: as of to_topic. Raises PublishError."""
        return await self._publish(f"user.{uid(user)}.{check_name('event', event)}", data, **options)

    async def to_topic(self, topic: str, data: Any, **options: Any) -> Published:
        """A message for whoever has subscribed. `data`: bytes, or what is JSON.

        Options: `id`, the same again for the same message; `content_type`; `headers`, of which `x-…` reach the client; `traceparent`,
        `tracestate`; `expiration_s`, the time to live. Raises PublishError.
        """
        return await self._publish(f"topic.{check_name('topic', topic)}", data, **options)

    async def serve(self, method: str, handler: Handler, *, prefetch: int = 64, grace_ms: int = 300_000) -> Service:
        """Answers requests: with what `handler(request)` returns (of a coroutine too), or in parts with what an async generator yields.

        A ServiceError reaches the client with its code; of other exceptions it learns nothing. `*` and `#` are wildcards. What one
        session sent is handled one after another. What waits is kept for `grace_ms` without an instance. Raises EvenkeelError.
        """
        return await self._serve("request", check_pattern("method", method), handler, prefetch, grace_ms)

    async def on(self, topic: str, handler: Handler, *, prefetch: int = 64, grace_ms: int = 300_000) -> Service:
        """Handles what clients publish. As serve."""
        return await self._serve("publish", check_pattern("topic", topic), handler, prefetch, grace_ms)

    async def ask(self, user: str, method: str, data: Any = None, *, want: str = "first", timeout_s: float = 10.0) -> Any:
        """Asks a user's clients, which answer by `client.serve`. Returns the first answer; with `want="all"` a list of ClientAnswer.

        The question has its place among the user's events, over moves and short absences. A client may be asked twice where a balancer
        dies. `timeout_s`: at most 60. Raises AskError, PublishError.
        """
        publishing = self._broker()
        if not self._consuming:
            self._consuming = await Broker.connect(self._url, f"{self._name} (consuming)", self._timeout_s)
        if not self._asking:
            self._asking = Asking(publishing, self._consuming, self._name)
        return await self._asking.ask(user, method, data, want, timeout_s)

    async def _serve(self, kind: str, pattern: str, handler: Handler, prefetch: int, grace_ms: int) -> Service:
        if not self._consuming:
            self._consuming = await Broker.connect(self._url, f"{self._name} (consuming)", self._timeout_s)
        service = Service(self._consuming, self._broker(), self._name, kind, pattern, handler, prefetch, grace_ms)
        await service.start()
        self._services.append(service)
        return service

    async def _publish(
        self, key: str, data: Any, *, id: str | None = None, content_type: str | None = None, headers: Mapping[str, Any] | None = None,
        traceparent: str | None = None, tracestate: str | None = None, expiration_s: float | None = None,
    ) -> Published:
        now_ms, message_id = int(time.time() * 1000), id or str(uuid.uuid4())
        trace = {name: value for name, value in (("traceparent", traceparent), ("tracestate", tracestate)) if value}
        message = message_of(
            data, content_type, message_id=message_id, timestamp=now_ms / 1000, expiration=expiration_s,
            headers={"evenkeel-at": now_ms, **(headers or {}), **trace}, delivery_mode=2,
        )
        return Published(message_id, await self._broker().publish("mesh.events", key, message))

    def _broker(self) -> Broker:
        if not self._publishing:
            raise RuntimeError("enter the publisher first: async with evenkeel.Publisher(…) as publisher")
        return self._publishing
