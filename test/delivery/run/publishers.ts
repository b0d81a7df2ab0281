import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensurePackages } from '@evenkeel/local';
import { createPublisher } from '@evenkeel/publisher';
import type { Line } from '../log.js';
import type { Recorder } from './recorder.js';

/** What a publisher may be told while it publishes. */
export interface Orders {
  readonly rate?: number;
  /** Time to live of messages, ms; the SDK sets none. */
  readonly expiration?: number | null;
  /** So many more at once. */
  readonly burst?: number;
}

export interface RunningPublisher {
  tell(orders: Orders): void;
  stop(): Promise<void>;
}

export interface PublisherOptions {
  readonly amqpUrl: string;
  readonly users: readonly string[];
  readonly topic: string;
  /** A topic with a history; the SDK alone publishes to it. */
  readonly kept: string;
  readonly recorder: Recorder;
}

const rate = 6;
/** Longer than this for a confirm, and the channel may have been lost and the message sent again. */
const resentAfterMs = 300;

/** By the project's own SDK. */
export async function startSdkPublisher(options: PublisherOptions): Promise<RunningPublisher> {
  const { amqpUrl, users, topic, kept, recorder } = options;
  const sdk = await createPublisher({ amqpUrl, name: 'delivery' });
  const open = new Set<Promise<void>>();
  let n = 0;
  let extra = 0;
  let isStopped = false;
  const publish = async (): Promise<void> => {
    const mine = ++n;
    const user = users[mine % users.length] ?? '';
    const to = mine % 5 === 4 ? topic : mine % 5 === 2 ? kept : undefined;
    const id = `sdk-${mine}`;
    const data = { sdk: mine };
    const keys = [to ? `topic.${to}` : `user.${user}.order.made`];
    recorder.add({ kind: 'publish', publisher: 'sdk', n: mine, keys, id, data });
    const beganAt = performance.now();
    const reconnects = () => sdk.figures().connections.publishing.reconnects;
    const before = reconnects();
    const outcome = await (to
      ? sdk.toTopic(to, data, { id })
      : sdk.toUser(user, 'order.made', data, { id })
    ).then(
      ({ routed }) => (routed ? ('routed' as const) : ('returned' as const)),
      () => 'unknown' as const,
    );
    const isInDoubt = reconnects() !== before || performance.now() - beganAt > resentAfterMs;
    const resent = isInDoubt ? { resent: true } : {};
    recorder.add({ kind: 'confirm', publisher: 'sdk', n: mine, outcome, ...resent });
  };
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      for (let left = 1 + extra; left > 0; left--) {
        const one = publish().finally(() => open.delete(one));
        open.add(one);
      }
      extra = 0;
      await sleep(1000 / rate);
    }
  };
  const looping = loop();
  return {
    tell: ({ burst = 0 }) => {
      extra = burst;
    },
    async stop() {
      isStopped = true;
      await looping;
      await Promise.all(open);
      await sdk.close();
    },
  };
}

/** Listens at `mesh.undelivered`, as an application does that sends push or e-mail instead. */
export async function startListener(amqpUrl: string, recorder: Recorder): Promise<RunningPublisher> {
  const { child, exited } = await startPython('listen.py', [amqpUrl], recorder);
  return {
    tell: () => undefined,
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** By pika, in one of three manners: `bare`, `cc` and `cloudevents`. */
export async function startPikaPublisher(
  manner: 'bare' | 'cc' | 'cloudevents',
  { amqpUrl, users, topic, recorder }: PublisherOptions,
): Promise<RunningPublisher> {
  const args = [amqpUrl, manner, users.join(','), topic, String(rate)];
  const { child, exited } = await startPython('publish.py', args, recorder);
  const tell = (orders: object): void => void child.stdin.write(`${JSON.stringify(orders)}\n`);
  return {
    tell,
    async stop() {
      tell({ stop: true });
      const timer = setTimeout(() => child.kill(), 5000);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** A script that says what it does in lines of the log. */
async function startPython(script: string, args: readonly string[], recorder: Recorder) {
  await ensurePackages(['python3-pika'], 'for publishers without the SDK');
  // Beside the source of what is compiled here.
  const path = join(import.meta.dirname, '..', '..', '..', 'delivery', 'run', script);
  const child = spawn('/usr/bin/python3', [path, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  createInterface(child.stdout).on('line', (text) => {
    const { at, ...line } = JSON.parse(text) as Line;
    recorder.addAt(at, line as Parameters<Recorder['addAt']>[1]);
  });
  // It may end by itself, long before anybody waits for it.
  return { child, exited: once(child, 'exit') };
}
