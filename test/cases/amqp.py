"""Does on a broker what it is told, a JSON object a line: {"call": a channel's method, "with": its arguments, "properties",
"body" and "message_id" in base64}. Answers each with a line: {"ok"} or {"fault"}. Bytes and types that AMQP allows pass as they
are: that is why this is not JavaScript."""
import base64
import datetime
import json
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.confirm_delivery()


def properties(given, message_id):
    headers = given.get('headers')
    if headers is not None:
        given['headers'] = {
            name: datetime.datetime.fromtimestamp(value['timestamp'], datetime.timezone.utc) if isinstance(value, dict) else value
            for name, value in headers.items()
        }
    if message_id is not None:
        given['message_id'] = base64.b64decode(message_id)
    return pika.BasicProperties(**given)


def answer(order):
    arguments = order.get('with', {})
    if order['call'] == 'basic_publish':
        arguments['properties'] = properties(order.get('properties', {}), order.get('message_id'))
        arguments['body'] = base64.b64decode(order.get('body', ''))
        channel.basic_publish(mandatory=True, **arguments)
        return {'ok': True}
    result = getattr(channel, order['call'])(**arguments)
    if order['call'] == 'basic_get':
        method, given, body = result
        return {'ok': None if method is None else {'id': given.correlation_id, 'body': body.decode('utf-8', 'replace')}}
    return {'ok': getattr(getattr(result, 'method', None), 'queue', True)}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception as fault:  # Whatever it is, who asked is told.
        said = {'fault': f'{type(fault).__name__}: {fault}'}
    print(json.dumps(said), flush=True)
