import { clientFrame, meshTopology, queues } from '@evenkeel/protocol';
import { z } from 'zod';
import { edgeFrames } from './edge-frames.js';
import { type AmqpMessage, amqpMessages } from './messages.js';

type Json = Record<string, unknown>;

/** JSON Schema of what is sent, without the dialect that each would name. */
function schemaOf(type: z.ZodType): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Json;
  return schema;
}

const kindOf = (schema: Json): string => {
  const { t } = schema.properties as { t: { const: string } };
  return t.const;
};

const fromClients = clientFrame.options.map((option) => schemaOf(option));

/** Every frame by its direction and kind. */
export const frameSchemas: Readonly<Record<'client' | 'edge', Record<string, Json>>> = {
  client: Object.fromEntries(fromClients.map((schema) => [kindOf(schema), schema])),
  edge: Object.fromEntries(Object.entries(edgeFrames).map(([kind, type]) => [kind, schemaOf(type)])),
};

/** Every message on the broker that applications send or get, by its name. */
export const messageSchemas: Readonly<Record<string, { headers: Json; payload: Json }>> = Object.fromEntries(
  Object.entries(amqpMessages).map(([name, { headers, payload }]) => [
    name,
    { headers: schemaOf(headers), payload: schemaOf(payload) },
  ]),
);

const ref = (...path: string[]): Json => ({
  $ref: `#/${path.map((word) => word.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
});
const refsTo = (names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, ref('components', 'messages', name)]));

/** The AsyncAPI 3.0 document of every frame, exchange and queue. */
export function asyncApi(): Json {
  const frames = (['client', 'edge'] as const).flatMap((from) =>
    Object.entries(frameSchemas[from]).map(([kind, payload]) => ({
      name: `${from}.${kind}`,
      from,
      kind,
      payload,
    })),
  );
  const names = (from: string) => frames.filter((frame) => frame.from === from).map(({ name }) => name);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Evenkeel',
      version: '1.0.0',
      description:
        'The WebSocket protocol evenkeel.v1 and the names on the broker. PROTOCOL.md is normative.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/ws',
        title: 'A WebSocket of the subprotocol evenkeel.v1',
        messages: refsTo([...names('client'), ...names('edge')]),
      },
      ...Object.fromEntries(meshTopology.exchanges.map(exchangeChannel)),
      ...Object.fromEntries(meshTopology.queues.map(({ name }) => [`queue.${name}`, queueChannel(name)])),
      [`queue.${queues.manage}`]: queueChannel(queues.manage),
    },
    operations: {
      fromClient: operation('receive', 'socket', names('client')),
      toClient: operation('send', 'socket', names('edge')),
    },
    components: {
      messages: {
        ...Object.fromEntries(frames.map(({ name, kind, payload }) => [name, { name: kind, payload }])),
        ...Object.fromEntries(
          Object.entries(amqpMessages).map(([name, message]) => [name, entryOf(name, message)]),
        ),
      },
    },
  };
}

function operation(action: 'send' | 'receive', channel: string, names: readonly string[]): Json {
  return {
    action,
    channel: ref('channels', channel),
    messages: names.map((name) => ref('channels', channel, 'messages', name)),
  };
}

function exchangeChannel({
  name,
  type,
  durable,
}: {
  name: string;
  type: string;
  durable: boolean;
}): [string, Json] {
  const carried = Object.entries(amqpMessages).filter(([, { exchange }]) => exchange === name);
  const exchange = { name, type, durable, autoDelete: false, vhost: '/' };
  const messages = refsTo(carried.map(([message]) => message));
  return [
    name,
    {
      address: null,
      title: `Exchange ${name}`,
      messages,
      bindings: { amqp: { is: 'routingKey', exchange, bindingVersion: '0.3.0' } },
    },
  ];
}

function queueChannel(name: string): Json {
  const queue = { name, durable: true, exclusive: false, autoDelete: false, vhost: '/' };
  return {
    address: name,
    title: `Queue ${name}`,
    messages: {},
    bindings: { amqp: { is: 'queue', queue, bindingVersion: '0.3.0' } },
  };
}

function entryOf(name: string, { key, summary }: AmqpMessage): Json {
  return { name, summary, description: `Routing key: ${key}`, ...messageSchemas[name] };
}
