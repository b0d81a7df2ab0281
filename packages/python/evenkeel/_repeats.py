"""Which events have come before (PROTOCOL.md, section 5, Repeats)."""
import collections

from ._link import Link
from ._types import JsonObject


class Repeats:
    def __init__(self) -> None:
        self.duplicates = 0  # events that came under the id of an earlier one and were no repeats of the mesh's
        self.last: Link | None = None  # the connection that brought the last event, part or question
        self._recent: collections.OrderedDict[str, None] = collections.OrderedDict()  # ids of events handled, oldest first
        self._unacked: list[tuple[int, str]] = []  # of the last connection: seq and id of events handled
        self._expected: list[str] = []  # ids of those that are to come again

    def arrived(self, link: Link) -> None:
        """Something that is acknowledged has come there: parts and questions too."""
        if self.last is not link:
            acked = self.last.acked if self.last else 0
            self.last, self._expected = link, [key for seq, key in self._unacked if seq > acked]
            self._unacked = []

    def is_repeat(self, link: Link, frame: JsonObject) -> bool:
        """To be asked once for each event, in order."""
        self.arrived(link)
        key, again = str(frame["id"]), frame.get("again")
        if again is None and not frame.get("redelivered"):
            self._expected = []  # all that was to come again has come
        is_next = bool(self._expected) and self._expected[0] == key
        if is_next:
            self._expected.pop(0)
        if again is not None and link.after and int(again) <= link.after.handled:
            return True
        # One that begins with ~ was made from the content, which two events may share: its place tells.
        if key.startswith("~"):
            return is_next
        if key not in self._recent:
            return False
        if again is None and not frame.get("redelivered"):
            self.duplicates += 1
        return True

    def handled(self, link: Link, frame: JsonObject) -> None:
        self._recent[frame["id"]] = None
        while len(self._recent) > 4 * link.window:
            self._recent.popitem(last=False)
        if link is not self.last:  # its handler has outlasted the socket, which had brought nothing behind it
            self._expected.append(frame["id"])
            return
        self._unacked.append((frame["seq"], frame["id"]))
        if len(self._unacked) > 2 * link.window:
            self._unacked = [entry for entry in self._unacked if entry[0] > link.acked]
