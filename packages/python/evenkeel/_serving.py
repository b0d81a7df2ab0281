"""Answering what services ask this client (PROTOCOL.md, `ask`)."""
import collections
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ._body import data_of, fields_of
from ._calls import Calls
from ._errors import CallError, EvenkeelError, ServiceError
from ._types import JsonObject

_log = logging.getLogger("evenkeel")
_REMEMBERED = 1_000
_TIMEOUT_S = 60.0  # services wait no longer


@dataclass(frozen=True, slots=True)
class Asked:
    """What a service asks. `id`: the same for a repeat."""

    method: str
    data: Any
    id: str
    headers: dict[str, str] = field(default_factory=dict)


AskHandler = Callable[[Asked], Any]


class Serving:
    """Methods that this client answers. A question keeps no event waiting."""

    def __init__(self, calls: Calls, spawn: Callable[[Any], Any]) -> None:
        self._calls, self._spawn = calls, spawn
        self._handlers: dict[str, AskHandler] = {}
        self._known: collections.OrderedDict[str, None] = collections.OrderedDict()

    def serve(self, method: str, handler: AskHandler) -> None:
        if method in self._handlers:
            raise EvenkeelError("already-served", f"{method} is served already")
        self._handlers[method] = handler

    def take(self, frame: JsonObject) -> None:
        """A repeat is left alone: what was answered goes to the edge again by itself, until one has it."""
        id = frame["id"]
        if id in self._known:
            return
        self._known[id] = None
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        self._spawn(self._answer(id, frame))

    async def _answer(self, id: str, frame: JsonObject) -> None:
        try:
            fields = fields_of(await self._handle(id, frame))
        except ServiceError as error:
            fields = {"error": {"code": error.code, "message": str(error)}}
        except Exception:
            _log.exception("The handler of %s failed", frame.get("method"))
            fields = {"error": {"code": "handler-error", "message": "the client's handler failed"}}
        try:
            await self._send(id, fields)
        except CallError as error:  # else nobody waits any more: it is the asker's time that runs
            if error.code in ("bad-data", "too-large"):
                await self._send(id, {"error": {"code": error.code, "message": str(error)}})

    async def _handle(self, id: str, frame: JsonObject) -> Any:
        method = frame.get("method", "")
        handler = self._handlers.get(method)
        if not handler:
            raise ServiceError("no-handler", f"this client does not serve {method}")
        answer = handler(Asked(method, data_of(frame), id, frame.get("headers", {})))
        return await answer if inspect.isawaitable(answer) else answer

    async def _send(self, id: str, fields: JsonObject) -> None:
        try:
            await self._calls.wait({"t": "answer", "id": id, **fields}, _TIMEOUT_S)
        except CallError as error:
            if error.code in ("bad-data", "too-large"):
                raise
