"""Bodies in frames (PROTOCOL.md, section 2)."""
import base64
from typing import Any

from ._types import JsonObject


def data_of(frame: JsonObject) -> Any:
    """What a frame carries: bytes, or what is JSON."""
    data = frame.get("data")
    return base64.b64decode(data) if frame.get("encoding") == "base64" and isinstance(data, str) else data


def fields_of(data: Any) -> JsonObject:
    """The fields that carry it. Bytes stay bytes."""
    if isinstance(data, bytes | bytearray | memoryview):
        return {"data": base64.b64encode(data).decode(), "encoding": "base64"}
    return {"data": data}
