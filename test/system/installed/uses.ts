// Compiled in a project with the packages installed, by several module resolutions; never run.
import { type Client, ClientError, type ClientErrorCode, connect, type Status } from '@evenkeel/client';
import { BrokerError, createPublisher, type Published, PublisherError } from '@evenkeel/publisher';
import { createHooks, EvenkeelProvider } from '@evenkeel/react';
import { createTestMesh, type TestMesh } from '@evenkeel/testing';
import { createOperator, type NodeStatus, OperatorError } from 'evenkeel';

interface Events {
  'order.created': { number: number };
}
interface Topics {
  news: { title: string };
  [room: `room.${string}`]: { text: string };
}
interface Requests {
  'shop.price': { data: { item: string }; reply: number };
}

/** Maps of types may be interfaces; what they do not name is free, but for events. */
export async function typed(): Promise<number> {
  const client = connect<Events, Topics, Requests>({ gateway: 'http://127.0.0.1:8080', user: 'alice' });
  // @ts-expect-error No event has this name.
  client.on('order.creatd', () => {});
  await client.subscribe('news', ({ data }) => data.title.trim());
  await client.subscribe('room.7', ({ data }) => data.text.trim());
  await client.subscribe<{ n: number }>('others', ({ data }) => data.n.toFixed());
  // @ts-expect-error It has a title.
  await client.subscribe('news', ({ data }) => data.titel);
  const price = await client.request('shop.price', { item: 'tea' });
  await client.request<string>('shop.other');
  return price;
}

/** A service's code is told apart from the client's. */
export function whose(error: ClientError): string {
  if (error.source === 'service') return error.code;
  const known: ClientErrorCode = 'no-service';
  return error.code === known ? 'nobody serves it' : String(error.cause);
}

export async function uses(): Promise<{ published: Published; nodes: readonly NodeStatus[] }> {
  const client: Client<Events> = connect<Events>({ gateway: 'http://127.0.0.1:8080', user: 'alice' });
  client.on('order.created', ({ data }) => data.number.toFixed());
  client.onStatus((status: Status) => (status.type === 'gap' ? status.reason : status.type));
  const publisher = await createPublisher({ amqpUrl: 'amqp://127.0.0.1', name: 'shop' });
  const published = await publisher.toUser('alice', 'order.created', { number: 7 });
  const operator = await createOperator({ amqpUrl: 'amqp://127.0.0.1' });
  const { nodes } = await operator.status();
  return { published, nodes };
}

interface Mesh {
  connect: typeof connect;
  createPublisher: typeof createPublisher;
}

const { useEvent, usePresence, useStream, useTopic } = createHooks<Events, Topics, Requests>();

/** The hooks have the client's map of types. */
export function Hooked(): string {
  useEvent('order.created', ({ data }) => data.number.toFixed());
  // @ts-expect-error No event has this name.
  useEvent('order.creatd', () => {});
  const room = useTopic('room.7', ({ data }) => data.text.trim(), { last: 3 });
  // @ts-expect-error It has a text.
  void room.publish({ txt: 'ahoy' });
  const { count } = usePresence('room.7') ?? { count: 0 };
  const answer = useStream<string>('shop.price');
  answer.ask({ item: 'tea' });
  return `${EvenkeelProvider.name} ${room.state} ${count} ${answer.parts.join('')}`;
}

/** The double goes wherever the mesh does. */
export async function doubled(): Promise<Mesh> {
  const mesh: TestMesh = createTestMesh({ nodes: ['a', 'b'] });
  const client = mesh.connect<Events>({ user: 'alice' });
  client.on('order.created', ({ data }) => data.number.toFixed());
  await mesh.createPublisher({ name: 'shop' });
  await mesh.settled();
  mesh.move(client);
  return mesh;
}

export const codeOf = (error: unknown): string | undefined =>
  error instanceof ClientError ||
  error instanceof PublisherError ||
  error instanceof BrokerError ||
  error instanceof OperatorError
    ? error.code
    : undefined;
