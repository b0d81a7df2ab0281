#!/usr/bin/python3
"""Publishes one event by AMQP with pika: apt-get install python3-pika

export $(npx evenkeel env); examples/publishers/publish.py alice order.created '{"number": 7}' [ID]
"""
import os
import sys
import time
import uuid

import pika

user, event, body, *rest = sys.argv[1:]
message_id = rest[0] if rest else str(uuid.uuid4())

connection = pika.BlockingConnection(pika.URLParameters(os.environ["EVENKEEL_APP_AMQP_URL"]))
channel = connection.channel()
channel.confirm_delivery()  # from now on basic_publish returns once RabbitMQ has it
properties = pika.BasicProperties(
    content_type="application/json",
    message_id=message_id,  # who gets it twice knows it by that
    delivery_mode=2,  # it outlives a restart of RabbitMQ
    headers={"evenkeel-at": int(time.time() * 1000)},
)
try:
    channel.basic_publish("mesh.events", f"user.{user}.{event}", body, properties, mandatory=True)
    print(message_id)
except pika.exceptions.UnroutableError:
    sys.exit(f"{user} has no session: {message_id} reached nobody")
finally:
    connection.close()
