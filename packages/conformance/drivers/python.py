"""The driver of packages/python for `npm run conformance -- --client '/usr/bin/python3 packages/conformance/drivers/python.py'`.

README.md says what it is told and prints. Where the package is not installed, that of this checkout is taken.
"""
import asyncio
import base64
import json
import os
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "python"))

import evenkeel  # noqa: E402


def say(kind, **fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


def body(data):
    return {"bytes": base64.b64encode(data).decode()} if isinstance(data, bytes) else {"data": data}


async def perform(client, step):
    data = base64.b64decode(step["bytes"]) if "bytes" in step else step.get("data")
    try:
        if step["do"] == "end":
            await client.end()
        elif step["do"] == "publish":
            await client.publish(step["topic"], data)
            say("answer", call=step["call"], data=None)
        elif step["do"] == "request":
            say("answer", call=step["call"], **body(await client.request(step["method"], data)))
    except evenkeel.CallError as error:
        say("answer", call=step["call"], error=error.code)


async def main():
    steps = []

    async def on_event(event):
        say("event", id=event.id, name=event.name, **body(event.data))
        told = event.data if isinstance(event.data, dict) else {}
        await asyncio.sleep(told.get("waitMs", 0) / 1000)
        steps.extend(asyncio.ensure_future(perform(client, step)) for step in told.get("do", []))

    def on_status(status):
        if status.type == "gap":
            say("gap", topic=status.fields.get("topic"), reason=status.fields["reason"])
        elif status.type == "closed":
            say("closed", error=status.fields.get("code"))
        else:
            say("status", status=status.type, **{"why": str(status.fields)})

    def on_message(message):
        say("message", topic=message.topic, id=message.id, **body(message.data))

    tokens = [token for token in os.environ["EVENKEEL_TOKENS"].split(",") if token]

    def get_token():
        return tokens.pop(0) if len(tokens) > 1 else tokens[0]

    who = {"user": os.environ["EVENKEEL_USER"], "get_token": get_token if tokens else None}
    async with evenkeel.Client(os.environ["EVENKEEL_GATEWAY"], **who) as client:
        client.on("*", on_event)
        client.on_status(on_status)
        for topic in filter(None, os.environ["EVENKEEL_TOPICS"].split(",")):
            client.topic(topic).on_message(on_message)
        await asyncio.gather(client.closed(), return_exceptions=True)
        await asyncio.Event().wait()


asyncio.run(main())
