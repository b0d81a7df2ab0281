#!/usr/bin/env python3
"""The driver of evenkeel_client.py for `evenkeel-conformance --client 'python3 conformance_driver.py'`."""
import asyncio
import json
import os

from evenkeel_client import Client, Refused


def say(kind, **fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


def body(frame):
    """What of bytes the client leaves to its user to decode."""
    return {"bytes": frame["data"]} if frame.get("encoding") == "base64" else {"data": frame["data"]}


async def main():
    async def on(kind, frame):
        if kind == "event":
            say("event", id=frame["id"], name=frame["name"], **body(frame))
            told = frame["data"] if isinstance(frame["data"], dict) else {}
            await asyncio.sleep(told.get("waitMs", 0) / 1000)
            for step in told.get("do", []):
                if step["do"] == "end":
                    await client.end()
        elif kind == "message":
            say("message", topic=frame["topic"], id=frame["id"], **body(frame))
        elif kind == "gap":
            say("gap", topic=frame.get("topic"), reason=frame["reason"])
        elif kind == "status":
            say("status", status=frame["status"])

    say("driver", cannot=["publish", "request"])
    topics = [topic for topic in os.environ["EVENKEEL_TOPICS"].split(",") if topic]
    client = Client(os.environ["EVENKEEL_GATEWAY"], on, user=os.environ["EVENKEEL_USER"], topics=topics)
    try:
        await client.run()
        say("closed")
    except Refused as error:
        say("closed", error=str(error))


asyncio.run(main())
