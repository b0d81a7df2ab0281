"""Where to connect (PROTOCOL.md, section 1)."""
import asyncio
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request

from ._errors import Refused
from ._types import JsonObject

_NEEDED = ("url", "node", "ticket", "session")


class NotTaken(Refused):
    """The gateway does not take the token: it may take another, or this one in a moment, since clocks differ and keys change."""


class Unreachable(OSError):
    """The gateway does not answer, or not as one: it may later. `retry_after`: seconds that it wants to be left alone."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


async def place_at(gateway: str, query: dict[str, str | None], token: str | None, tls: ssl.SSLContext | None) -> JsonObject:
    """Asks for an edge and a ticket. Raises Unreachable, NotTaken, or Refused."""
    text = urllib.parse.urlencode({name: value for name, value in query.items() if value})
    request = urllib.request.Request(f"{gateway}/gateway?{text}")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    return await asyncio.to_thread(_ask, request, tls)


def _ask(request: urllib.request.Request, tls: ssl.SSLContext | None) -> JsonObject:
    try:
        with urllib.request.urlopen(request, timeout=10, context=tls) as response:
            place = json.load(response)
        if isinstance(place, dict) and all(isinstance(place.get(name), str) for name in _NEEDED):
            return place
    except urllib.error.HTTPError as error:
        raise _told(error) from error
    except ValueError:
        pass
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(str(error) or type(error).__name__) from error
    raise Unreachable(f"what answers at {request.host} is no gateway")


def _told(error: urllib.error.HTTPError) -> Exception:
    try:
        text = error.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        text = ""
    try:
        code = json.loads(text)["error"]["code"]
    except (ValueError, KeyError, TypeError):
        code = f"http-{error.code}"
    if error.code == 401:
        return NotTaken(code, f"the gateway answered 401: {text}")
    if error.code == 400 or error.code == 403 and code == "denied":
        return Refused(code, f"the gateway answered {error.code}: {text}")
    seconds = error.headers.get("retry-after") or ""
    return Unreachable(f"the gateway answered {error.code}: {text[:200]}", float(seconds) if seconds.isdigit() else 0.0)
