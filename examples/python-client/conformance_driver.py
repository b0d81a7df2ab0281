#!/usr/bin/env python3
"""The driver of evenkeel_client.py for `evenkeel-conformance --client 'python3 conformance_driver.py'`."""
import asyncio
import base64
import json
import os

from evenkeel_calls import CallError
from evenkeel_client import Client, Refused


def say(kind, **fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


def body(frame):
    """Bytes are left to the user of the client to decode."""
    return {"bytes": frame["data"]} if frame.get("encoding") == "base64" else {"data": frame["data"]}


async def perform(client, step):
    data = base64.b64decode(step["bytes"]) if "bytes" in step else step.get("data")
    try:
        if step["do"] == "end":
            await client.end()
        elif step["do"] == "publish":
            await client.publish(step["topic"], data)
            say("answer", call=step["call"], data=None)
        elif step["do"] == "request":
            reply = await client.request(step["method"], data)
            is_bytes = isinstance(reply, bytes)
            said = {"bytes": base64.b64encode(reply).decode()} if is_bytes else {"data": reply}
            say("answer", call=step["call"], **said)
    except CallError as error:
        say("answer", call=step["call"], error=error.code)


async def main():
    async def on(kind, frame):
        if kind == "event":
            say("event", id=frame["id"], name=frame["name"], **body(frame))
            told = frame["data"] if isinstance(frame["data"], dict) else {}
            await asyncio.sleep(told.get("waitMs", 0) / 1000)
            steps.extend(asyncio.ensure_future(perform(client, step)) for step in told.get("do", []))
        elif kind == "message":
            say("message", topic=frame["topic"], id=frame["id"], **body(frame))
        elif kind == "gap":
            say("gap", topic=frame.get("topic"), reason=frame["reason"])
        elif kind == "status":
            say("status", status=frame["status"])

    steps = []
    topics = [topic for topic in os.environ["EVENKEEL_TOPICS"].split(",") if topic]
    tokens = [token for token in os.environ["EVENKEEL_TOKENS"].split(",") if token]

    async def get_token():
        return tokens.pop(0) if len(tokens) > 1 else tokens[0]

    given = {"user": os.environ["EVENKEEL_USER"], "topics": topics, "get_token": get_token if tokens else None}
    client = Client(os.environ["EVENKEEL_GATEWAY"], on, **given)
    try:
        await client.run()
        say("closed")
    except Refused as error:
        say("closed", error=str(error))


asyncio.run(main())
