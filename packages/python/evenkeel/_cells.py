"""Which user is in which of several cells (docs/scale.md), as gateways and the publisher in TypeScript have it."""
import json
import math
from collections.abc import Iterable

_MASK = 0xFFFFFFFF


class Cells:
    """The map of cells: `Cells(text).of("alice")` names the cells that events for alice go to. Raises ValueError.

    There is one Publisher a cell, at `addresses[name]`; `news = Cells(text)` takes the place of the one before.
    """

    def __init__(self, text: str) -> None:
        given = json.loads(text)
        cells = given.get("cells") if isinstance(given, dict) else None
        if not isinstance(cells, dict) or not cells:
            raise ValueError("the map of cells has no cells")
        self.addresses: dict[str, str] = {name: cell["amqpUrl"] for name, cell in sorted(cells.items())}
        weights = {name: cell.get("weight", 1) for name, cell in sorted(cells.items())}
        self._now = _seeds(weights.items())
        self._before = _seeds((name, cells[name].get("was", weight)) for name, weight in weights.items())
        if not self._now or not self._before:
            raise ValueError("no cell has a weight above 0")
        self._users: dict[str, tuple[str, str | None]] = {}
        for user, place in given.get("users", {}).items():
            cell, was = (place, None) if isinstance(place, str) else (place["cell"], place.get("was"))
            if cell not in cells or (was is not None and was not in cells):
                raise ValueError(f"user {user} is in a cell that the map does not name")
            self._users[user] = (cell, was)

    def of(self, user: str) -> list[str]:
        """First the cell that the user's clients are sent to, then the one before, while the map says that it changes."""
        if user in self._users:
            home, before = self._users[user]
        else:
            hashed = _hash(user)
            home, before = _pick(self._now, hashed), _pick(self._before, hashed)
        return [home] if before is None or before == home else [home, before]


def _seeds(weights: Iterable[tuple[str, float]]) -> list[tuple[str, int, float]]:
    return [(name, _hash(name), weight) for name, weight in weights if weight > 0]


def _pick(seeds: list[tuple[str, int, float]], hashed: int) -> str:
    """Rendezvous hashing: each cell draws a time for the user; the first one has the user."""
    times = ((-math.log((_mix(hashed ^ seed) + 1) / 2**32) / weight, place) for place, (_, seed, weight) in enumerate(seeds))
    return seeds[min(times)[1]][0]


def _hash(text: str) -> int:
    """32-bit FNV-1a over the UTF-16 code units, low byte first (a unit under 256 is one byte), then mixed."""
    found = 0x811C9DC5
    units = text.encode("utf-16-le", "surrogatepass")
    for low, high in zip(units[::2], units[1::2]):
        found = ((found ^ low) * 0x01000193) & _MASK
        if high:
            found = ((found ^ high) * 0x01000193) & _MASK
    return _mix(found)


def _mix(bits: int) -> int:
    bits ^= bits >> 16
    bits = (bits * 0x85EBCA6B) & _MASK
    bits ^= bits >> 13
    bits = (bits * 0xC2B2AE35) & _MASK
    return bits ^ (bits >> 16)
