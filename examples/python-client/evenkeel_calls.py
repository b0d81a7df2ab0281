"""What a client of evenkeel.v1 asks and publishes: with the same ids again where it was not taken, as fast as the edge takes it."""
import asyncio
import base64
import itertools
import json
import random
import secrets
import time

# What an edge takes that does not say what it takes.
LIMITS = {"framesPerSecond": 100, "burst": 400, "maxFrameBytes": 65_536}


class CallError(Exception):
    """A call failed. `code`: of the protocol, or of the service that answered."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Call:
    """A publish or request that waits for its answer. Without `link` it is still to be sent, or sent again."""

    def __init__(self, frame):
        self.frame, self.link, self.place = frame, None, 0  # which of the calls on that link it was
        self.answer = asyncio.get_running_loop().create_future()


class Calls:
    def __init__(self):
        # Ids must not meet those of an earlier run of the same session: services drop repeats by them.
        prefix = secrets.token_hex(4)
        self.ids = (f"{prefix}-{n}" for n in itertools.count())
        self.open, self.limits = {}, LIMITS
        self.tokens, self.counted_at = 1.0, time.monotonic()
        self.to_send = asyncio.Event()

    async def call(self, frame, *data):
        """Returns what is answered. Raises CallError."""
        payload = {"data": data[0]} if data else {}
        if data and isinstance(data[0], (bytes, bytearray)):
            payload = {"data": base64.b64encode(data[0]).decode(), "encoding": "base64"}
        key = next(self.ids)
        call = Call({**frame, "id": key, **payload})
        if len(json.dumps(call.frame).encode()) > self.limits["maxFrameBytes"]:
            raise CallError("too-large", f"a frame has at most {self.limits['maxFrameBytes']} bytes; send less at once")
        self.open[key] = call
        self.to_send.set()
        try:
            return await call.answer
        finally:
            self.open.pop(key, None)

    async def refresh(self, client):
        """A new token before the old one expires, again and again until an edge has taken one or the socket is lost."""
        for attempt in itertools.count():
            try:
                answer = await self.call({"t": "refresh", "token": await client.get_token()})
                client.proof = answer["pass"]
                return
            except Exception as error:  # whatever the application's own function raises
                await client.on("status", {"status": "refresh-failed", "reason": str(error)})
                await asyncio.sleep(random.random() * min(20.0, 0.5 * 2 ** min(attempt, 10)))

    def answer(self, frame):
        """False: no call of ours."""
        call = self.open.pop(frame.get("re"), None)
        if call is None or call.answer.done():
            return call is not None
        if frame["t"] == "error":
            call.answer.set_exception(CallError(frame["code"], frame["message"]))
        elif frame.get("encoding") == "base64":
            call.answer.set_result(base64.b64decode(frame["data"]))
        else:
            call.answer.set_result(frame.get("data"))
        return True

    def lost(self):
        """What the lost socket took is unknown: all goes again."""
        for call in self.open.values():
            call.link = None
        self.to_send.set()

    def moved(self, old, new):
        """Those that the old edge counted are answered on the new socket, of the others nothing is known."""
        for call in self.open.values():
            is_taken = old.moved.is_set() and call.link and (call.link is not old or call.place <= old.received)
            call.link, call.place = new if is_taken else None, 0
        self.to_send.set()

    def cancel(self):
        for call in self.open.values():
            call.answer.cancel()

    async def send(self, client):
        """Sends what is to be sent on the socket that the session has, for ever."""
        while True:
            await self.to_send.wait()
            link, call = client.current, next((call for call in self.open.values() if not call.link), None)
            if not call or not link or link.moved.is_set() or not link.ws.open:
                self.to_send.clear()  # set again by the next call, and the next socket
                continue
            await asyncio.sleep(self.pause())
            if link is client.current and not link.moved.is_set() and not call.answer.done():
                is_counted = call.frame["t"] != "refresh"  # which edges do not count: after a move it goes again
                link.sent += is_counted
                call.link, call.place = link, link.sent if is_counted else float("inf")
                await client.send(link, call.frame)

    def pause(self):
        """How long to wait before the next frame: a little longer than the edge says, since frames catch up on the way."""
        now, rate = time.monotonic(), 0.9 * self.limits["framesPerSecond"]
        earned = (now - self.counted_at) * rate
        self.tokens, self.counted_at = min(self.limits["burst"] / 2, self.tokens + earned) - 1, now
        return max(0.0, -self.tokens / rate)
