#!/usr/bin/env python3
"""A client of evenkeel.v1, written from PROTOCOL.md alone. Needs Python 3.9 and `websockets` 10.

It moves to another edge without losing, repeating or reordering an event, and comes back after a loss.
"""
import argparse
import asyncio
import collections
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request

import websockets

from evenkeel_calls import LIMITS, Calls

STOP, AT_ONCE = {1002, 1003, 1007, 1008, 1009}, {1012, 4000, 4001, 4010, 4011}  # from 4500: stop; every other: back off
MAX_HELD = 10_000  # frames that wait for handlers, or for the end of a move; over it the socket is given up


class Refused(Exception):
    """Coming back will not help: wrong credentials, or the edge said stop."""


class NoGateway(OSError):
    """What answers is no gateway, such as a page that says that it is being worked on: it may be one later."""


def moment():
    """Now, by a clock that takes no step and by the host's."""
    return time.monotonic(), time.time()


class Link:
    """One socket. While `held` is a list, what comes is kept there and not delivered yet."""

    def __init__(self, ws, held):
        self.ws, self.held, self.node = ws, held, None
        self.delivered = collections.deque(maxlen=1000)  # ids of topic messages
        self.skip = set()  # those that the old socket of a move has delivered: the new edge may lag behind
        self.handled, self.acked, self.ack_timer = 0, 0, None
        self.name, self.after = None, None  # of this connection; the connection that `hello` named
        self.heartbeat, self.heard = 15.0, moment()  # seconds; when something came last
        self.inbox = asyncio.Queue()  # frames that wait for those before them
        self.busy_since, self.is_left = None, False  # an event is being handled; a move has left this socket
        self.sent, self.received = 0, 0  # calls; how many of them `moved` counted
        self.welcomed, self.moved, self.done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.mark, self.marked = None, asyncio.Event()  # that `moved` named; another one has come


class Client:
    """`on(kind, fields)` is awaited for each event, message, gap and status, one after another."""

    def __init__(self, gateway, on, user=None, token=None, topics=(), session=None, resume=None, get_token=None):
        self.gateway, self.on, self.user, self.token = gateway.rstrip("/"), on, user, token
        self.topics, self.session, self.resume = list(topics), session, resume  # what proves that the session is ours
        self.get_token, self.refreshing, self.proof = get_token, None, None  # the pass: what the user may do
        self.window, self.recent = 64, collections.OrderedDict()  # ids of events handled, oldest first
        self.last = None  # the connection that brought the last event
        self.unacked, self.expected = [], []  # ids of events not acknowledged; of those that are to come again
        self.nodes, self.tried = [], []  # that held the session; that have failed since; newest first
        self.current = self.moving = self.away_since = None
        self.tasks, self.retry_after, self.leaving = set(), 0.0, False
        self.calls = Calls()

    async def run(self):
        """Stays connected until cancelled or ended. Raises Refused when there is no use in trying."""
        attempt = 0
        self.spawn(self.calls.send(self))
        try:
            while True:
                code, self.retry_after = 1006, 0.0
                try:
                    link = await self.connect()
                    if link.welcomed.is_set():
                        attempt, link = 0, await self.ended()
                    code = link.ws.close_code or 1006
                    await self.on("status", {"status": "disconnected", "code": code})
                except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
                    await self.on("status", {"status": "waiting", "reason": str(error)})
                if code == 1000 and self.leaving:
                    return
                if code in STOP or 4500 <= code <= 4999:
                    raise Refused(f"the edge closed with {code}")
                attempt, ceiling = attempt + 1, 1.0 if code in AT_ONCE else min(30.0, 0.5 * 2 ** min(attempt, 10))
                await asyncio.sleep(self.retry_after + random.random() * ceiling)
        finally:
            for task in list(self.tasks):
                task.cancel()
            self.calls.cancel()

    async def end(self):
        """Ends the session itself, not only its connection; run() returns once the edge has said so."""
        self.leaving = True
        await self.say_bye()

    async def publish(self, topic, data, **trace):
        """Returns once the broker has the message. `data`: bytes, or what is JSON. `trace`: traceparent, tracestate. Raises CallError."""
        await self.calls.call({"t": "publish", "topic": topic, **trace}, data)

    async def request(self, method, data=None, **trace):
        """Returns the service's reply. `trace`: as of publish. Raises CallError."""
        return await self.calls.call({"t": "request", "method": method, **trace}, data)

    async def say_bye(self):
        """On each socket that comes to have the session, until an edge has ended it."""
        if self.leaving and self.current:
            await self.ack(self.current)
            await self.send(self.current, {"t": "bye"})

    async def connect(self):
        if self.refreshing:
            self.refreshing.cancel()
        if self.get_token:
            self.token = await self.get_token()
        place = await asyncio.to_thread(self.ask)
        earlier = [] if place["node"] in self.tried else self.tried  # sent there again: no other was left
        self.tried = [place["node"], *earlier][:8]
        self.session, self.resume, self.proof = place["session"], place.get("resume"), place.get("pass")
        link = await self.dial(place, None, is_resume=bool(self.nodes))
        await first(link.welcomed, link.done)
        if link.welcomed.is_set():
            self.current, self.tried = link, []
            self.calls.lost()
            await self.say_bye()
            await self.on("status", {"status": "connected", "node": link.node, "session": self.session})
        return link

    def ask(self):
        names = {"from": ",".join(self.nodes), "tried": ",".join(self.tried)}
        query = {"user": self.user, "session": self.session, "resume": self.resume, **names}
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value})
        request = urllib.request.Request(f"{self.gateway}/gateway?{query}")
        if self.token:
            request.add_header("authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                place = json.load(response)
            if all(isinstance(place[name], str) for name in ("url", "node", "ticket", "session")):
                return place
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code in (400, 401) or error.code == 403 and '"denied"' in text:
                raise Refused(f"the gateway answered {error.code}: {text}") from error
            seconds = error.headers.get("retry-after") or ""
            self.retry_after = float(seconds) if seconds.isdigit() else 0.0
            raise
        except (ValueError, TypeError, KeyError):
            pass
        raise NoGateway(f"what answers at {self.gateway}/gateway is no gateway")

    async def dial(self, place, held, is_resume):
        url = place["url"] + "?ticket=" + urllib.parse.quote(place["ticket"])
        options = {"open_timeout": 10, "close_timeout": 2, "ping_interval": None, "max_size": None}
        link = Link(await websockets.connect(url, subprotocols=["evenkeel.v1"], **options), held)
        # One clock may stand still in sleep, the other be set: at most so long.
        away = int(max(now - then for now, then in zip(moment(), self.away_since)) * 1000) if self.away_since else 0
        hello = {"t": "hello", "resume": is_resume, "topics": self.topics, "awayMs": away}
        if self.proof:
            hello["pass"] = self.proof
        if self.last and self.last.name:
            link.after = self.last
            hello["last"] = {"connection": self.last.name, "seq": self.last.handled}
        await self.send(link, hello)
        self.spawn(self.read(link))
        self.spawn(self.work(link))
        self.spawn(self.watch(link))
        return link

    async def ended(self):
        """Waits until the session has no socket any more; returns the last."""
        while True:
            link = self.current
            await link.done.wait()
            if self.moving:
                await asyncio.wait([self.moving])
            if self.current is link:
                self.away_since = link.heard
                return link

    async def read(self, link):
        try:
            async for text in link.ws:
                link.heard = moment()
                frame = json.loads(text)
                if frame["t"] == "welcome":
                    link.node, self.window, link.name = frame["node"], frame["window"], frame.get("connection")
                    link.heartbeat, self.away_since = frame["heartbeatMs"] / 1000, None
                    self.calls.limits = {**LIMITS, **frame.get("limits", {})}
                    self.nodes = [link.node, *(node for node in self.nodes if node != link.node)][:4]
                    link.welcomed.set()
                elif frame["t"] in ("ok", "error") and self.calls.answer(frame):
                    pass
                elif frame["t"] == "expiring":
                    if self.get_token and (not self.refreshing or self.refreshing.done()):
                        self.refreshing = self.spawn(self.calls.refresh(self))
                elif link.held is None:
                    link.inbox.put_nowait(frame)
                else:
                    link.held.append(frame)
                    if frame["t"] == "mark":
                        link.marked.set()
                if max(link.inbox.qsize(), len(link.held or [])) > MAX_HELD:
                    break
        except websockets.ConnectionClosed:
            pass
        finally:
            link.inbox.put_nowait(None)
            await link.ws.close()

    async def work(self, link):
        """One frame after another: the next waits until the handler is done with it, but nothing else waits for that."""
        try:
            while (frame := await link.inbox.get()) is not None:
                await self.handle(link, frame)
        finally:
            link.done.set()

    async def handle(self, link, frame):
        kind = frame["t"]
        if kind == "event":
            if not self.is_repeat(link, frame):
                link.busy_since = time.monotonic()
                await self.on(kind, frame)
                link.busy_since = None
            self.recent[frame["id"]] = True
            while len(self.recent) > 4 * self.window:
                self.recent.popitem(last=False)
            self.unacked.append(frame["id"])
            link.handled = frame["seq"]
            if link.handled - link.acked >= self.window // 4:
                await self.ack(link)
            elif link.ack_timer is None:
                link.ack_timer = asyncio.get_running_loop().call_later(0.02, lambda: self.spawn(self.ack(link)))
        elif kind == "message":
            if frame["id"] in link.skip:
                return link.skip.discard(frame["id"])
            link.delivered.append(frame["id"])
            await self.on("message", frame)
        elif kind == "move":
            self.moving = self.spawn(self.move(link, frame, self.moving))
        elif kind == "moved":
            await self.ack(link)
            link.mark, link.received = frame.get("mark"), frame["received"]
            link.moved.set()
        elif kind in ("gap", "error", "unsubscribed"):
            if kind != "gap" and frame.get("topic") in self.topics:  # taken away, or refused: it does not come back by itself
                self.topics.remove(frame["topic"])
            await self.on(kind, frame)

    def is_repeat(self, link, frame):
        if self.last is not link:
            self.last, self.expected, self.unacked = link, self.unacked, []
        key, again = frame["id"], frame.get("again")
        if again is None and not frame.get("redelivered"):
            self.expected = []  # all that was to come again has come
        is_next = bool(self.expected) and self.expected[0] == key
        if is_next:
            self.expected.pop(0)
        if again is not None and link.after and again <= link.after.handled:
            return True
        # One that begins with ~ was made from the content, which two events may share: its place tells.
        return is_next if key.startswith("~") else key in self.recent

    async def ack(self, link):
        link.ack_timer = None
        if link.handled > link.acked and link.ws.open:
            link.acked = link.handled
            if self.last is link:
                self.unacked = []
            await self.send(link, {"t": "ack", "seq": link.handled})

    async def watch(self, link):
        """Pings when nothing has come for a heartbeat; without an answer the socket is lost. Says when an event takes long."""
        said = asked = 0.0
        while not link.done.is_set():
            pause = min(link.heartbeat / 4, 1.0)
            due = time.monotonic() + pause
            await asyncio.sleep(pause)
            if time.monotonic() - due > 1:  # this process stood still: what has come meanwhile is read first
                await asyncio.sleep(2)
            now, since = time.monotonic(), link.busy_since
            if since is not None and now - max(since, said) > link.heartbeat * 0.75:
                said = now
                await self.ack(link)
                await self.send(link, {"t": "ack", "seq": link.acked, "busy": True})
            heard = link.heard[0]
            if asked > heard and now - asked > min(link.heartbeat, 10):
                link.ws.transport.abort()
            elif asked <= heard and now - heard > link.heartbeat:
                asked = now
                await self.send(link, {"t": "ping"})

    async def send(self, link, frame):
        try:
            await link.ws.send(json.dumps(frame))
        except websockets.ConnectionClosed:
            pass  # the reader sees it too, and acts on it

    async def move(self, old, frame, earlier):
        """The new socket first; the old one goes when the new one has said welcome."""
        if earlier:
            await asyncio.wait([earlier])
        if old.is_left or old.done.is_set():
            return  # the earlier move has come about, or there is no socket to move from
        await asyncio.sleep(random.random() * frame["jitterMs"] / 1000)
        await self.on("status", {"status": "moving", "reason": frame["reason"]})
        reason = "the new socket closed before welcome"
        try:
            new = await self.dial(frame, [], is_resume=True)
            self.nodes = [frame["node"], *(node for node in self.nodes if node != frame["node"])][:4]
            await first(old.moved, old.done, new.done, new.welcomed)
            if new.welcomed.is_set():  # it has overtaken what is still under way on the old socket
                await first(old.moved, old.done, timeout=5)
            if not new.done.is_set():
                # All that the old socket had to say is delivered: now what the new one has kept.
                before = await self.before_mark(old.mark, new)
                # An id that begins with ~ was made from the content, which may recur: the mark tells.
                ids = (key for key in old.delivered if before is None or not key.startswith("~"))
                new.skip = set(ids)
                asyncio.get_running_loop().call_later(5, new.skip.clear)
                new.held = [f for n, f in enumerate(new.held) if not (n < (before or 0) and is_derived(f))]
                for topic in [] if old.moved.is_set() else self.topics:
                    await self.on("gap", {"topic": topic, "reason": "connection-lost"})
                while new.held:
                    await self.handle(new, new.held.pop(0))
                new.held = None
                await first(new.welcomed, new.done)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException) as error:
            new, reason = None, str(error)
        if new and new.welcomed.is_set():
            self.current, old.is_left = new, True
            self.calls.moved(old, new)
            await self.say_bye()
            await self.on("status", {"status": "moved", "node": new.node})
            return await old.ws.close(1000)
        await self.on("status", {"status": "move-failed", "reason": reason})
        if old.moved.is_set():
            await old.ws.close(1000)  # it has nothing more to say: back through the gateway

    async def before_mark(self, mark, new):
        """How many of the frames kept come before the mark; None: it does not come."""
        while mark is not None:
            names = [frame.get("mark") if frame["t"] == "mark" else None for frame in new.held]
            if mark in names:
                return names.index(mark)
            new.marked.clear()
            await first(new.marked, new.done, timeout=5)
            if not new.marked.is_set():
                break
        return None

    def spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


def is_derived(frame):
    return frame["t"] == "message" and frame["id"].startswith("~")


async def first(*events, timeout=None):
    """Waits for the first of several asyncio.Event."""
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    for task in (await asyncio.wait(tasks, timeout=timeout, return_when=asyncio.FIRST_COMPLETED))[1]:
        task.cancel()


if __name__ == "__main__":
    flags = argparse.ArgumentParser(description="Prints one JSON object a line for each event and status.")
    flags.add_argument("--gateway", default="http://127.0.0.1:8080")
    flags.add_argument("--user", help="in development mode")
    flags.add_argument("--token", help="otherwise")
    flags.add_argument("--topic", action="append", default=[], help="may be repeated")
    args = flags.parse_args()

    async def show(kind, fields):
        print(json.dumps({"kind": kind, **{k: v for k, v in fields.items() if k != "t"}}), flush=True)

    async def main():
        await Client(args.gateway, show, args.user, args.token, args.topic).run()

    try:
        asyncio.run(main())
    except (KeyboardInterrupt, Refused) as end:
        raise SystemExit(str(end) or 0)
