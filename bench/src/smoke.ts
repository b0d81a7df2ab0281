/** `npm run smoke`: one of each through a mesh that runs already. */
import { randomBytes } from 'node:crypto';
import { type Client, ClientError, connect } from '@evenkeel/client';
import { type LocalAddresses, localAddresses, parseFlags, reportFailure } from '@evenkeel/local';
import { createPublisher, type Publisher } from '@evenkeel/publisher';
import { createOperator } from 'evenkeel';
import WebSocket from 'ws';
import { whenReady } from './mesh/when-ready.js';

const help = `npm run smoke -- [--gateway URL] [--amqp-url URL] [--method NAME]

Sends an event, a topic message and a request through a running mesh and asks for a rebalance; a line for each.
The mesh must believe ?user= (EVENKEEL_AUTH=dev, as under npm start).
  --gateway URL         default: that of the running npm start or of Compose, else http://127.0.0.1:8080
  --amqp-url URL        default: that of the running npm start, if it has this gateway, else
                        amqp://guest:guest@127.0.0.1:5672
  --method NAME         what is asked of a service; default: demo.quote, of the demo
Exit status 0 only if everything was answered.
`;

/** Where a mesh is reached, by a client, an application and an operator. */
type Target = Pick<LocalAddresses, 'gateway' | 'appAmqpUrl' | 'operatorAmqpUrl'>;

const stepTimeoutMs = 15_000;
const user = `smoke-${randomBytes(4).toString('hex')}`;
const closers: (() => Promise<void>)[] = [];
let failed = 0;

async function run({ gateway, appAmqpUrl, operatorAmqpUrl }: Target, method: string): Promise<void> {
  const client = connect({ gateway, user, WebSocket, storage: false });
  closers.push(() => client.close());
  const isConnected = await step('connected', async () => {
    await client.ready();
    return `${client.node}, session ${client.session}`;
  });
  const publisher = await step('publisher', async () => {
    const made = await createPublisher({ amqpUrl: appAmqpUrl, name: 'smoke', attempts: 1 });
    closers.push(() => made.close());
    return made;
  });
  if (publisher !== undefined && isConnected !== undefined) {
    await step('event', () => roundTrip(publisher, client, 'first'));
    await step('topic', () => topic(publisher, client));
  }
  if (isConnected !== undefined) await step('request', () => request(client, method));
  await step('rebalance', () => rebalance(operatorAmqpUrl));
  if (publisher !== undefined && isConnected !== undefined) {
    await step('event after it', () => roundTrip(publisher, client, 'second'));
  }
}

async function roundTrip(publisher: Publisher, client: Client, text: string): Promise<string> {
  const sentAtMs = performance.now();
  let stop = (): void => undefined;
  const came = new Promise<unknown>((resolve) => {
    stop = client.on(`smoke.${text}`, ({ data }) => resolve(data));
  });
  try {
    const { routed } = await publisher.toUser(user, `smoke.${text}`, { text });
    if (!routed) throw new Error('no queue took it');
    const data = await came;
    if ((data as { text?: unknown }).text !== text) throw new Error(`got ${JSON.stringify(data)}`);
    return `published, delivered to the client after ${Math.round(performance.now() - sentAtMs)} ms`;
  } finally {
    stop();
  }
}

async function topic(publisher: Publisher, client: Client): Promise<string> {
  const name = `smoke.${user}`;
  let got: (data: unknown) => void = () => undefined;
  const came = new Promise<unknown>((resolve) => {
    got = resolve;
  });
  const subscription = await client.subscribe(name, ({ data }) => got(data));
  await publisher.toTopic(name, { text: 'topic' });
  const data = await came;
  await subscription.unsubscribe();
  if ((data as { text?: unknown }).text !== 'topic') throw new Error(`got ${JSON.stringify(data)}`);
  return 'subscribed, published, delivered';
}

async function request(client: Client, method: string): Promise<string> {
  try {
    return `answered by ${method}: ${JSON.stringify(await client.request(method))}`;
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== 'no-service') throw error;
    throw new Error(`no service answers ${method}: does the demo run? Another one is named with --method`);
  }
}

async function rebalance(amqpUrl: string): Promise<string> {
  const operator = await createOperator({ amqpUrl });
  try {
    const { plan } = await whenReady(stepTimeoutMs - 2_000, () => operator.rebalance());
    const { nodes } = await operator.status();
    const spread = nodes.map(({ node, connections }) => `${node} ${connections}`).join(', ');
    return `answered ok, ${plan?.total ?? 0} to move; ${spread}`;
  } finally {
    await operator.close();
  }
}

/** Undefined when it failed. */
async function step<Result>(name: string, act: () => Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`nothing came within ${stepTimeoutMs / 1_000} s`)),
      stepTimeoutMs,
    );
  });
  try {
    const result = await Promise.race([act(), late]);
    process.stdout.write(`ok      ${name}${typeof result === 'string' ? `: ${result}` : ''}\n`);
    return result;
  } catch (error) {
    failed++;
    process.stdout.write(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The broker of the `npm start` of this checkout, if that is what is meant. */
function defaultsFor(gateway: string | undefined, amqpUrl: string | undefined): Target {
  const running = localAddresses();
  const chosen = gateway ?? running?.gateway ?? 'http://127.0.0.1:8080';
  const isThisOne = running !== undefined && new URL(running.gateway).port === new URL(chosen).port;
  if (isThisOne && amqpUrl === undefined) return { ...running, gateway: chosen };
  const only = amqpUrl ?? 'amqp://guest:guest@127.0.0.1:5672';
  return { gateway: chosen, appAmqpUrl: only, operatorAmqpUrl: only };
}

let status = 1;
try {
  const flags = parseFlags(process.argv.slice(2), {
    gateway: { type: 'string' },
    'amqp-url': { type: 'string' },
    method: { type: 'string', default: 'demo.quote' },
    help: { type: 'boolean', default: false },
  });
  if (flags.help) {
    process.stdout.write(help);
    status = 0;
  } else {
    await run(defaultsFor(flags.gateway, flags['amqp-url']), flags.method);
    status = failed === 0 ? 0 : 1;
  }
} catch (error) {
  status = reportFailure(error);
}
await Promise.race([
  Promise.allSettled(closers.map((close) => close())),
  new Promise((resolve) => setTimeout(resolve, 3_000)),
]);
process.exit(status);
