"""Asking users' clients (PROTOCOL.md, Asking a client)."""
import asyncio
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from typing import Any

import aio_pika.abc

from ._amqp import Broker, Consumer, data_of, message_of
from ._errors import AskError, PublishError
from ._names import check_name, uid
from ._types import JsonObject

_GRACE_S = 1.5  # the mesh says when the time is over; if it does not, its balancer has died
_QUEUE: JsonObject = {"x-expires": 60_000, "x-max-length": 10_000}


@dataclass(frozen=True, slots=True)
class ClientAnswer:
    """What one session has answered: `data`, or `error` in its place; of a silent one the error `timeout`."""

    session: str
    data: Any = None
    error: AskError | None = None


class _Open:
    def __init__(self, want: str) -> None:
        self.want = want
        self.answers: list[ClientAnswer] = []
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Asking:
    def __init__(self, publishing: Broker, consuming: Broker, name: str) -> None:
        self._publishing, self._consuming = publishing, consuming
        self._name = f"service.{name}.answers:{secrets.token_urlsafe(9)}"
        self._open: dict[str, _Open] = {}
        self._listening: asyncio.Task[None] | None = None

    async def ask(self, user: str, method: str, data: Any, want: str, timeout_s: float) -> Any:
        key = f"{uid(user)}.{check_name('method', method)}"
        if want not in ("first", "all"):
            raise ValueError(f"want is 'first' or 'all', not {want!r}")
        if not 0.001 <= timeout_s <= 60:
            raise ValueError(f"timeout_s is from 0.001 to 60, not {timeout_s!r}")
        if isinstance(data, bytes | bytearray | memoryview):
            raise PublishError("bad-body", "a question is JSON; give bytes as text")
        await self._listen()
        id, asked = str(uuid.uuid4()), _Open(want)
        headers = {"evenkeel-want": want, "evenkeel-at": int(time.time() * 1000)}
        message = message_of(data, None, correlation_id=id, reply_to=self._name, expiration=timeout_s, headers=headers)
        self._open[id] = asked
        try:
            return await asyncio.wait_for(self._answer_to(asked, key, message), timeout_s + _GRACE_S)
        except asyncio.TimeoutError:
            raise AskError("timeout", f"nothing was answered within {timeout_s:g} s, nor by the mesh; it may have been asked") from None
        finally:
            del self._open[id]

    async def _answer_to(self, asked: _Open, key: str, message: aio_pika.Message) -> Any:
        if not await self._publishing.publish("mesh.ask", key, message):
            raise AskError("not-ready", "no balancer takes questions to clients: it is older than this, or has not begun")
        return await asked.result

    async def _listen(self) -> None:
        if not self._listening or (self._listening.done() and self._listening.exception()):
            self._listening = asyncio.get_running_loop().create_task(self._declare())
        await asyncio.shield(self._listening)

    async def _declare(self) -> None:
        channel = await self._consuming.channel()
        queue = await channel.declare_queue(self._name, durable=True, arguments=_QUEUE)
        await Consumer(self._consuming, channel).consume(queue, self._take)

    async def _take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        asked = self._open.get(message.correlation_id or "")
        if asked and not asked.result.done():
            _give(asked, message)
        await message.ack()


def _give(asked: _Open, message: aio_pika.abc.AbstractIncomingMessage) -> None:
    session, code = message.headers.get("evenkeel-session"), message.headers.get("evenkeel-error")
    error = None if code is None else AskError(str(code), message.body.decode(errors="replace"), str(session) if session else None)
    if session is None:
        if error:
            asked.result.set_exception(error)
        else:
            silent = json.loads(message.body)["silent"]
            late = [ClientAnswer(each, error=AskError("timeout", "the session has not answered in time", each)) for each in silent]
            asked.result.set_result([*asked.answers, *late])
    elif asked.want == "all":
        asked.answers.append(ClientAnswer(str(session), error=error) if error else ClientAnswer(str(session), data_of(message)))
    elif error:
        asked.result.set_exception(error)
    else:
        asked.result.set_result(data_of(message))
