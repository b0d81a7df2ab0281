"""Programs on packages/python for the tests: `python_programs.py NAME …`. Each prints one JSON object a line."""
import asyncio
import json
import sys

import evenkeel


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


if __name__ == "__main__":
    asyncio.run(globals()[sys.argv[1]](*sys.argv[2:]))
