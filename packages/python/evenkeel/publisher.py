"""The publisher: events to users and topics, and services that answer clients."""
import asyncio
from collections.abc import Sequence
from typing import Any

from ._amqp import Broker
from ._asking import Asking
from ._names import check_name, check_pattern
from ._publishing import BatchResult, Outgoing, Published, Publishing, keys_of
from ._receipts import Receipts
from ._service import Handler, Service


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
        self._connecting = asyncio.Lock()
        self._services: list[Service] = []
        self._asking: Asking | None = None
        self._receipts: Receipts | None = None
        self._events: Publishing | None = None

    async def __aenter__(self) -> "Publisher":
        self._publishing = await Broker.connect(self._url, self._name, self._timeout_s)
        await self._publishing.wait_for("mesh.events")
        self._events = Publishing(self._publishing, self._heard)
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
        """An event for all of a user's sessions; returns when the broker has confirmed it. Raises PublishError.

        Options: those of to_topic; `only_online`, not for sessions without a connection; `collapse`, a text of which an edge keeps back
        only the newest; `on_receipt(receipt)`, called for each session whose client has acknowledged it, of the last 10,000 events.
        """
        return await self._publisher().publish(keys_of(event, [user])[0], data, **options)

    async def to_users(self, users: Sequence[str], event: str, data: Any, **options: Any) -> BatchResult:
        """One event for many users, in as few messages as carry 4,096 bytes of keys: about 150 users each.

        Options: those of to_user; `id` where it is one message. Raises what to_user does.
        """
        [result] = await self.batch([Outgoing(data, event=event, users=users, options=options)])
        if result.error:
            raise result.error
        return result

    async def batch(self, events: Sequence[Outgoing]) -> list[BatchResult]:
        """Sends up to 10,000 at once, and returns what became of each. Raises ValueError, PublishError for what can never be sent."""
        return await self._publisher().batch(events)

    async def to_topic(self, topic: str, data: Any, **options: Any) -> Published:
        """A message for whoever has subscribed. `data`: bytes, or what is JSON.

        Options: `id`, the same again for the same message; `content_type`; `headers`, of which `x-…` reach the client; `traceparent`,
        `tracestate`; `expiration_s`, the time to live; `key`, of a live table. Raises PublishError.
        """
        return await self._publisher().publish([f"topic.{check_name('topic', topic)}"], data, **options)

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
        publishing, consuming = self._broker(), await self._consumer()
        if not self._asking:
            self._asking = Asking(publishing, consuming, self._name)
        return await self._asking.ask(user, method, data, want, timeout_s)

    async def _serve(self, kind: str, pattern: str, handler: Handler, prefetch: int, grace_ms: int) -> Service:
        service = Service(await self._consumer(), self._broker(), self._name, kind, pattern, handler, prefetch, grace_ms)
        await service.start()
        self._services.append(service)
        return service

    async def _consumer(self) -> Broker:
        async with self._connecting:
            if not self._consuming:
                self._consuming = await Broker.connect(self._url, f"{self._name} (consuming)", self._timeout_s)
        return self._consuming

    async def _heard(self) -> Receipts:
        consuming = await self._consumer()
        if not self._receipts:
            self._receipts = Receipts(consuming, self._name)
        await self._receipts.listen()
        return self._receipts

    def _publisher(self) -> Publishing:
        self._broker()
        assert self._events
        return self._events

    def _broker(self) -> Broker:
        if not self._publishing:
            raise RuntimeError("enter the publisher first: async with evenkeel.Publisher(…) as publisher")
        return self._publishing
