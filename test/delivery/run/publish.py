"""Publishes as applications without the SDK do: usage: publish.py AMQP_URL MANNER USER,USER TOPIC RATE. What it does and what came
of it goes to standard output, JSON lines of docs/delivery-log.md; one JSON object a line on standard input changes what it does:
rate (messages a second), expiration (ms, or null), burst (messages at once), stop."""
import json
import sys
import threading
import time

import pika
from pika.exceptions import AMQPError, NackError, UnroutableError

url, manner, users, topic, rate = sys.argv[1:6]
users = users.split(',')
orders = {'rate': float(rate), 'expiration': None, 'burst': 0, 'stop': False}


def listen():
    for line in sys.stdin:
        orders.update(json.loads(line))
    orders['stop'] = True


def say(kind, n, **fields):
    line = {'at': time.monotonic() * 1000, 'kind': kind, 'publisher': manner, 'n': n, **fields}
    sys.stdout.write(json.dumps(line) + '\n')
    sys.stdout.flush()


def message(n):
    """Keys, data and properties of the n-th message."""
    user = users[n // 2 % len(users)]
    key = f'topic.{topic}' if n % 4 == 3 else f'user.{user}.order.made'
    properties = {'content_type': 'application/json', 'delivery_mode': 2}
    if manner == 'bare':  # Nothing but a body, and few different ones.
        return [key], {'lamp': 'on' if n // 8 % 2 else 'off'}, properties
    if manner == 'cc':
        others = [f'user.{users[(n + 1) % len(users)]}.order.copied', f'topic.{topic}']
        keys = list(dict.fromkeys([f'user.{user}.order.made', *others[: n % 3]]))
        return keys, {'cc': n}, {**properties, 'message_id': f'cc-{n}', 'headers': {'CC': keys[1:]}}
    headers = {'cloudEvents:specversion': '1.0', 'cloudEvents:type': 'order.made', 'cloudEvents:source': '/shop'}
    return [key], {'cloudEvents': n}, {**properties, 'headers': {**headers, 'cloudEvents:id': f'ce-{n}'}}


def publish(channel, n):
    keys, data, properties = message(n)
    if orders['expiration'] is not None:
        properties['expiration'] = str(orders['expiration'])
    known = {'id': properties['message_id']} if 'message_id' in properties else {}
    say('publish', n, keys=keys, data=data, **known)
    outcome = 'unknown'
    try:
        channel.basic_publish('mesh.events', keys[0], json.dumps(data), pika.BasicProperties(**properties), mandatory=True)
        outcome = 'routed'
    except UnroutableError:
        outcome = 'returned'
    except NackError:
        outcome = 'nacked'
    finally:
        say('confirm', n, outcome=outcome)


def main():
    threading.Thread(target=listen, daemon=True).start()
    n = 0
    while not orders['stop']:
        try:
            connection = pika.BlockingConnection([pika.URLParameters(each) for each in url.split(',')])
            channel = connection.channel()
            channel.confirm_delivery()
            while not orders['stop']:
                for _ in range(1 + orders.pop('burst', 0)):
                    n += 1
                    publish(channel, n)
                connection.sleep(1 / orders['rate'])
            connection.close()
        except (AMQPError, OSError):
            time.sleep(0.3)


main()
