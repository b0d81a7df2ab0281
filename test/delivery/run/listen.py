"""Listens at mesh.undelivered: usage: listen.py AMQP_URL. Each message is a line on standard output, as docs/delivery-log.md has
them; the end of standard input ends it."""
import json
import sys
import threading
import time

import pika
from pika.exceptions import AMQPError

url = sys.argv[1]
queue = 'service.delivery.undelivered'


def said(channel, method, properties, body):
    headers = properties.headers or {}
    line = {'at': time.monotonic() * 1000, 'kind': 'undelivered', 'key': method.routing_key, 'data': json.loads(body)}
    line.update(why=headers.get('evenkeel-why', ''), session=headers.get('evenkeel-session', ''))
    if properties.message_id is not None:
        line['id'] = properties.message_id
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()
    channel.basic_ack(method.delivery_tag)


def main():
    while True:
        try:
            channel = pika.BlockingConnection([pika.URLParameters(each) for each in url.split(',')]).channel()
            channel.queue_declare(queue, durable=True)
            channel.queue_bind(queue, 'mesh.undelivered', '#')
            channel.basic_consume(queue, said)
            channel.start_consuming()
        except (AMQPError, OSError):
            time.sleep(0.2)


threading.Thread(target=main, daemon=True).start()
sys.stdin.read()
