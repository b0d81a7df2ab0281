"""An application that knows nothing of the mesh but its interface: HTTP with urllib, AMQP with pika, WebSockets with packages/python.

python_interface.py GATEWAY APP_AMQP_URL OPERATOR_AMQP_URL API_URL API_KEY

Prints one JSON object a line, and ends with 0 when it has seen all that it waits for.
"""
import asyncio
import json
import sys
import urllib.request
import uuid

import evenkeel
import pika

gateway, app_url, operator_url, api_url, api_key = sys.argv[1:]
TOPIC = "room.42"
WORDS = 40


def say(**fields):
    print(json.dumps(fields), flush=True)


def by_http(path, body):
    headers = {"authorization": f"Bearer {api_key}", "content-type": "application/json"}
    request = urllib.request.Request(api_url + path, json.dumps(body).encode() if body is not None else None, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status, json.load(response)


def by_amqp(key, body, message_id):
    connection = pika.BlockingConnection(pika.URLParameters(app_url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish(
        "mesh.events", key, json.dumps(body), pika.BasicProperties(content_type="application/json", message_id=message_id)
    )
    connection.close()


def drain(node):
    """As docs/manage.md says."""
    parameters = pika.URLParameters(operator_url)
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    replies = channel.queue_declare("", exclusive=True).method.queue
    properties = pika.BasicProperties(reply_to=replies, correlation_id="1", user_id=parameters.credentials.username)
    channel.basic_publish("mesh.manage", "operate.drain", json.dumps({"command": "drain", "node": node}), properties)
    for _, _, body in channel.consume(replies, auto_ack=True, inactivity_timeout=20):
        connection.close()
        return json.loads(body)["ok"]


async def some(topic, count):
    """The next so many messages."""
    messages = []
    async for message in topic:
        messages.append(message)
        if len(messages) == count:
            return messages


async def words(request):
    """A service: the answer comes in parts."""
    for n in range(WORDS):
        await asyncio.sleep(0.05)
        yield f"{request.data} {n}"


async def main():
    # One event of a user by each way, with somebody there to get it.
    async with evenkeel.Client(gateway, user="alice", info={"name": "Alice"}) as alice:
        events, moves = asyncio.Queue(), []
        alice.on("hi", events.put_nowait)
        alice.on_status(lambda status: moves.append(status.fields["node"]) if status.type == "moved" else None)
        await alice.ready()
        status, told = await asyncio.to_thread(by_http, "/v1/publish", {"user": "alice", "event": "hi", "data": {"by": 1}, "id": "e1"})
        say(http=status, routed=told["routed"], id=told["id"])
        await asyncio.to_thread(by_amqp, "user.alice.hi", {"by": 1}, "e2")
        got = [await events.get(), await events.get()]
        say(events=[[event.id, event.name, event.data] for event in got])

        # What was published before anybody had subscribed.
        for n in range(6):
            if n % 2:
                await asyncio.to_thread(by_amqp, f"topic.{TOPIC}", {"n": n}, str(uuid.uuid4()))
            else:
                await asyncio.to_thread(by_http, "/v1/publish", {"topic": TOPIC, "data": {"n": n}})
        room = alice.topic(TOPIC, last=20, presence=True)
        past = await some(room, 6)  # the newest may just be on its way: then it comes as any other
        say(past=[message.data["n"] for message in past], is_past=[message.is_past for message in past[:4]])

        # Who is there, who comes and goes.
        seen = asyncio.Queue()
        alice.on_presence(TOPIC, seen.put_nowait)
        say(presence=[[user["user"], user.get("info")] for user in (await room.presence())["users"]])
        async with evenkeel.Client(gateway, user="bob") as bob:
            await bob.topic(TOPIC).subscribed()
            joined = await told_of(seen, "joined", lambda who: who["user"] == "bob")
            say(joined=joined["count"], count=(await room.presence())["count"])
            await bob.end()
            await bob.closed()
        say(left=(await told_of(seen, "left", lambda user: user == "bob"))["count"])

        # An answer that streams, while its edge is drained.
        async with evenkeel.Publisher(app_url, name="shop") as publisher:
            await publisher.serve("shop.words", words)
            parts, first = [], alice.node
            async for part in alice.stream("shop.words", "word"):
                parts.append(part)
                if len(parts) == 5:
                    say(drained=await asyncio.to_thread(drain, first))
            say(parts=parts == [f"word {n}" for n in range(WORDS)], count=len(parts), moves=len(moves))

        # Another client, on another edge, goes on where somebody else was.
        async with evenkeel.Client(gateway, user="carol") as carol:
            recovered = carol.topic(TOPIC, since=past[2].position)
            messages = await some(recovered, 3)
            say(
                since=[message.data["n"] for message in messages], recovered=recovered.is_recovered, elsewhere=carol.node != first,
                same=[message.position for message in messages] == [message.position for message in past[3:]],
            )
            await asyncio.to_thread(by_http, "/v1/publish", {"topic": TOPIC, "data": {"n": 6}})
            live = [(await some(topic, 1))[0] for topic in (room, recovered)]
            say(live=[[message.data["n"], message.is_past] for message in live], same=live[0].position == live[1].position)
            lost = carol.topic("room.43", since="7-abcdefghij")
            await lost.subscribed()
            say(lost=lost.is_recovered)


async def told_of(seen, what, matches):
    """The next frame of presence that tells that."""
    while True:
        frame = await asyncio.wait_for(seen.get(), 20)
        if any(matches(each) for each in frame.get(what, [])):
            return frame


asyncio.run(main())
say(done=True)
