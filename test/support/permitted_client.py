"""A client whose token is made here by hand, with the standard library alone: tries what it may do, after each step."""
import asyncio
import base64
import hashlib
import hmac
import json
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples" / "python-client"))
from evenkeel_calls import CallError
from evenkeel_client import Client

GATEWAY, SECRET = sys.argv[1:]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(**grants):
    claims = {"sub": "alice", "exp": int(time.time()) + 600, "evenkeel": grants}
    parts = [encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    mac = hmac.new(SECRET.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, encoded(mac)]).decode()


FIRST = token(subscribe=["room.42.#"], publish=["room.42.*"], request=["shop.*"])
SECOND = token(subscribe=["room.7.#"], publish=["room.7.*"], request=["bank.*"])


async def show(kind, fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


async def outcome(call):
    try:
        await call
        return "ok"
    except CallError as error:
        return error.code


async def tried(client):
    """What is answered to everything, by what it is."""
    asked = {}
    for room in ("42", "7"):
        asked[f"subscribe room.{room}.chat"] = client.calls.call({"t": "subscribe", "topic": f"room.{room}.chat"})
        asked[f"publish room.{room}.say"] = client.publish(f"room.{room}.say", 1)
    for method in ("shop.buy", "bank.pay", "room.42.say"):
        asked[f"request {method}"] = client.request(method)
    return {what: await outcome(call) for what, call in asked.items()}


async def main():
    steps = asyncio.Queue()
    has_heard = asyncio.Event()

    async def on(kind, fields):
        await show(kind, fields)
        if kind == "status" and fields["status"] in ("connected", "moved"):
            steps.put_nowait(fields["status"])
        # What was published before the refresh comes before it takes the topic away.
        if kind == "message" and fields["data"] == "after the move in room.42.chat":
            has_heard.set()

    client = Client(GATEWAY, on, token=FIRST, topics=["room.42.chat", "room.7.chat"])
    running = asyncio.create_task(client.run())
    for _ in range(2):
        step = await steps.get()
        await show("tried", {"after": step, "results": await tried(client)})

    async def second():
        return SECOND

    await has_heard.wait()
    client.get_token = second
    await client.calls.refresh(client)
    await show("tried", {"after": "refreshed", "results": await tried(client)})
    await running


asyncio.run(main())
