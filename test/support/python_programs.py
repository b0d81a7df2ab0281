"""Programs on packages/python for the tests: `python_programs.py NAME …`. Each prints one JSON object a line."""
import asyncio
import json
import sys

import evenkeel
from evenkeel._service import Service
from evenkeel._session import pause_s


def say(**fields):
    print(json.dumps(fields), flush=True)


async def client(gateway, user, *topics):
    """Says all that comes, in order."""
    async with evenkeel.Client(gateway, user=user) as connected:
        connected.on_status(lambda status: say(kind="status", status=status.type, **status.fields))
        for topic in topics:
            connected.topic(topic).on_message(lambda message: say(kind="message", data=message.data, gap=message.gap))
        async for event in connected.events():
            say(kind="event", data=event.data, gap=event.gap)


async def calls(gateway, user):
    """What services answer, one line a call."""
    async with evenkeel.Client(gateway, user=user) as connected:
        await connected.ready()
        for method, data in (("shop.sum", [1, 2]), ("shop.bytes", b"\x00\xff"), ("shop.buy", "tea"), ("shop.fail", None)):
            try:
                answer = await connected.request(method, data)
                say(method=method, answer=list(answer) if isinstance(answer, bytes) else answer)
            except evenkeel.CallError as error:
                say(method=method, error=error.code, text=str(error), service=error.is_from_service)
        await connected.publish("shop.chat", {"text": "ahoy"})
        say(published=True)
        await connected.end()
        await connected.closed()
        say(ended=True)


async def stream(gateway, user, count):
    """Reads an answer in parts, to its end and not."""
    async with evenkeel.Client(gateway, user=user) as connected:
        answer = connected.stream("shop.count", int(count))
        say(parts=[part async for part in answer] == list(range(int(count))), result=answer.result)
        async with connected.stream("shop.count", 1_000_000) as answer:
            async for part in answer:
                if part == 2:
                    break
        say(left=True)
        await asyncio.Event().wait()


async def service(url):
    """Serves `shop`, and says what it was sent."""

    async def count(request):
        made = 0
        try:
            for n in range(request.data):
                made += 1
                yield n
        finally:
            say(ended=request.data, whole=made == request.data, user=request.user)

    async def sums(request):
        say(asked=request.method, user=request.user)
        return sum(request.data)

    def buy(request):
        raise evenkeel.ServiceError("sold-out", "none left")

    async with evenkeel.Publisher(url, name="shop") as publisher:
        await publisher.serve("shop.sum", sums)
        await publisher.serve("shop.bytes", lambda request: request.data + b"!")
        await publisher.serve("shop.buy", buy)
        await publisher.serve("shop.count", count)
        await publisher.serve("shop.fail", lambda request: {}["secret"])
        await publisher.on("shop.chat", lambda request: say(chat=request.data, user=request.user))
        say(serving=True)
        await asyncio.Event().wait()


async def publish(url, user, topic):
    """One event, one message, one that nobody takes."""
    async with evenkeel.Publisher(url, name="shop") as publisher:
        event = await publisher.to_user(user, "order.created", {"number": 7}, headers={"x-shop": "harbour"}, id="order-7")
        message = await publisher.to_topic(topic, b"\x01\x02")
        nobody = await publisher.to_user("nöbody", "order.created", None)
        say(event=event.is_routed, id=event.id, message=message.is_routed, nobody=nobody.is_routed)


async def served(gateway, user):
    """A client that answers what services ask."""

    async def confirm(asked):
        say(asked=asked.data)
        return {"accepted": asked.data["order"]}

    def decline(asked):
        raise evenkeel.ServiceError("declined", "not today")

    connected = evenkeel.Client(gateway, user=user)
    connected.serve("order.confirm", confirm)
    connected.serve("declines", decline)
    connected.serve("fails", lambda asked: {}["secret"])
    async with connected:
        await connected.ready()
        say(ready=True, session=connected.session)
        await asyncio.Event().wait()


async def asks(url, user):
    """What a service gets from a user's clients, one line a question."""
    async with evenkeel.Publisher(url, name="shop") as publisher:
        for to, method in ((user, "order.confirm"), (user, "declines"), (user, "fails"), (user, "other"), ("nobody", "q")):
            try:
                say(method=method, answer=await publisher.ask(to, method, {"order": 7}))
            except evenkeel.AskError as error:
                say(method=method, error=error.code, text=str(error), session=error.session)
        answers = await publisher.ask(user, "order.confirm", {"order": 8}, want="all", timeout_s=1)
        say(all=[[each.session, each.data, each.error and each.error.code] for each in answers])


async def parity(url, second):
    """Sends what the publisher of the TypeScript SDK is made to send too, and waits for a receipt."""
    async with evenkeel.Publisher(url, name="shop") as publisher:
        got = asyncio.get_running_loop().create_future()
        await publisher.to_user("alice", "plain", {"n": 1}, on_receipt=got.set_result)
        await publisher.to_user("alice", "marked", [1], expiration_s=20, only_online=True, collapse="c", headers={"x-by": "b"})
        await publisher.to_topic("prices.tea", 3, key="tea", id="m-1")
        many = await publisher.to_users(["alice", "zo\u00eb@x", "alice", "bob"], "sale", 7)
        batch = await publisher.batch([
            evenkeel.Outgoing(1, event="one", user="alice"),
            evenkeel.Outgoing({"n": 2}, topic="prices.tea", options={"key": "tea"}),
            evenkeel.Outgoing(3, event="none", user="nobody"),
        ])
        say(many=[len(many.ids), many.is_routed], batch=[[len(each.ids), each.is_routed] for each in batch])
        receipt = await got
        say(receipt=[receipt.user, receipt.session == second, receipt.at > 0])
        for wrong in ({"event": "e"}, {"event": "e", "user": "a", "users": []}, {"topic": "t", "user": "a"}):
            try:
                await publisher.batch([evenkeel.Outgoing(1, **wrong)])
            except ValueError as error:
                say(wrong=str(error))


async def past(gateway, url):
    """Reads what a topic has kept, and goes on behind it."""
    async with evenkeel.Publisher(url, name="shop") as publisher, evenkeel.Client(gateway, user="alice") as client:
        await client.ready()
        for n in range(5):
            await publisher.to_topic("room.42", n)
        room = client.topic("room.42")
        await room.subscribed()
        all_of_it = await room.history()
        while len(all_of_it.messages) < 5:
            all_of_it = await room.history()
        say(all=[message.data for message in all_of_it.messages], past=all(message.is_past for message in all_of_it.messages))
        last = await room.history(last=2)
        say(last=[message.data for message in last.messages], at=last.position == last.messages[-1].position)
        since = await room.history(since=all_of_it.messages[2].position)
        say(since=[message.data for message in since.messages], omitted=since.omitted)
        try:
            await client.topic("plain.1").history()
        except evenkeel.CallError as error:
            say(error=error.code)
        await publisher.to_topic("room.42", "live")
        async for message in room:
            if message.data == "live":
                break
        say(live=message.is_past)


async def relay(gateway):
    """Calls from the handler of each event, and waits for the answer there."""
    async with evenkeel.Client(gateway, user="alice") as client:
        client.on_status(lambda status: say(status=status.type))

        async def on_event(event):
            say(begun=event.data)
            if event.name == "asks":
                say(answer=await client.request("shop.sum", event.data))
            else:
                await client.publish("said", event.data)
            say(done=event.data)

        client.on("*", on_event)
        await asyncio.Event().wait()


async def stubborn(gateway):
    """Its own functions fail, and it comes in; closed, it takes no calls."""
    asked = 0

    def token():
        nonlocal asked
        asked += 1
        if asked == 1:
            raise RuntimeError("no network")
        return f"token-{asked}"

    async with evenkeel.Client(gateway, get_token=token) as client:
        client.on_status(lambda status: 1 / 0)
        topic = client.topic("news")
        await client.ready()
        say(asked=asked, pause=pause_s(100_000, 30.0) <= 30)
    await topic.unsubscribe()
    try:
        await client.publish("said", 1)
    except evenkeel.CallError as error:
        say(error=error.code)


async def quiet(gateway):
    """Begins a topic with its past, and says where it is."""
    async with evenkeel.Client(gateway, user="alice") as client:
        topic = client.topic("room.a", last=2)
        while topic.position is None:
            await asyncio.sleep(0.05)
        say(position=topic.position)
        await asyncio.Event().wait()


class Sent:
    """A message of one session, as a service gets it."""

    type, routing_key, reply_to, message_id, content_type, processed = "publish", "shop.x", None, None, "application/json", False

    def __init__(self, data):
        self.body, self.headers, self.delivery_tag = json.dumps(data).encode(), {"evenkeel-uid": "alice", "evenkeel-session": "s"}, data

    async def ack(self):
        self.processed = True


async def lanes():
    """Four messages of one session, of which the last comes while another is handled and a third waits."""

    async def handler(request):
        say(begun=request.data)
        await asyncio.sleep(0.1)
        say(done=request.data)

    service = Service(None, None, "shop", "publish", "shop.x", handler, 64, 1_000)
    tasks = [asyncio.create_task(service._take(Sent(n))) for n in (1, 2, 3)]
    await asyncio.sleep(0.15)
    tasks.append(asyncio.create_task(service._take(Sent(4))))
    await asyncio.gather(*tasks)


async def lasting(url):
    """Serves, whatever becomes of its queue."""
    async with evenkeel.Publisher(url, name="shop") as publisher:
        await publisher.serve("shop.echo", lambda request: request.data)
        await publisher.serve("shop.when", lambda request: {"at": object()})
        say(serving=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
