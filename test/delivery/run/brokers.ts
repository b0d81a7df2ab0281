import { readFileSync } from 'node:fs';
import type { Fault, Held } from './fault.js';
import type { Stage } from './stage.js';

/** An alarm of RabbitMQ's: publishers are blocked for as long as it holds. */
const alarm =
  (name: string, set: readonly string[], clear: readonly string[]): Fault['begin'] =>
  async ({ broker }) => {
    await broker.ctl(set);
    return {
      end: async () => {
        const alarms = await broker.ctl(['eval', 'rabbit_alarm:get_alarms().']);
        await broker.ctl(clear);
        return alarms.includes(name) ? `the ${name} alarm was on` : undefined;
      },
    };
  };

/** Its process stands still: connections stay open, and nothing answers. */
const frozen: Fault['begin'] = async ({ broker }) => {
  const { pid } = broker;
  if (pid === undefined) throw new Error('a broker in a container has no process here: --broker local');
  process.kill(pid, 'SIGSTOP');
  return {
    end: async () => {
      const state = /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
      process.kill(pid, 'SIGCONT');
      return state === 'T' ? `process ${pid} stood still` : undefined;
    },
  };
};

const restarted: Fault['begin'] = async ({ broker }) => {
  const end = broker.ended();
  await broker.restart();
  return { end: async () => `it ended (${await end}), and runs again` };
};

const emptied: Fault['begin'] = async ({ broker }) => {
  for (const step of ['stop_app', 'reset', 'start_app']) await broker.ctl([step]);
  const exchanges = await broker.ctl(['list_exchanges', 'name', '--no-table-headers']);
  return {
    end: async () => (exchanges.includes('mesh.events') ? 'reset, and back with its definitions' : undefined),
  };
};

/** How long a queue that is just being made again is waited for. */
const deletableMs = 15_000;

/** Deletes the queues whose names begin so, as many as `most`: a fault of the broker, which has to answer for it. */
async function deleteQueues({ broker }: Stage, prefix: string, most: number): Promise<Held> {
  const deleted: string[] = [];
  const endsAtMs = performance.now() + deletableMs;
  do {
    const listed = await broker.ctl(['list_queues', 'name', '--no-table-headers']);
    const names = listed.split('\n').filter((name) => name.startsWith(prefix));
    for (const name of names.slice(0, most)) {
      const answer = await broker.ctl(['eval', deletion(name)]);
      if (answer.includes('deleted')) deleted.push(name);
    }
  } while (deleted.length === 0 && performance.now() < endsAtMs);
  return { end: async () => (deleted.length > 0 ? `${deleted.join(', ')} deleted` : undefined) };
}

/** `delete_queue` refuses those that are exclusive to a connection. One that has gone meanwhile is none. */
const deletion = (name: string): string =>
  `case rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${name}">>)) of ` +
  `{ok, Q} -> case catch rabbit_amqqueue:delete(Q, false, false, <<"chaos">>) of {'EXIT', _} -> absent; _ -> deleted end; ` +
  '_ -> absent end.';

export const brokers = {
  'broker-restarted': { part: 'broker', on: 'one', holdMs: 1_000, begin: restarted },
  'broker-frozen': { part: 'broker', on: 'one', holdMs: 8_000, begin: frozen },
  'broker-emptied': { part: 'broker', on: 'one', holdMs: 1_000, begin: emptied },
  'memory-alarm': {
    part: 'broker',
    holdMs: 6_000,
    begin: alarm(
      'memory',
      ['set_vm_memory_high_watermark', '0.00001'],
      ['set_vm_memory_high_watermark', '0.6'],
    ),
  },
  'disk-alarm': {
    part: 'broker',
    holdMs: 6_000,
    begin: alarm('disk', ['set_disk_free_limit', '900000GB'], ['set_disk_free_limit', '50MB']),
  },
  'session-queue-deleted': {
    part: 'broker',
    holdMs: 1_000,
    begin: (stage) => deleteQueues(stage, 'session.', 2),
  },
  'control-queue-deleted': {
    part: 'broker',
    holdMs: 1_000,
    begin: (stage) => deleteQueues(stage, 'control.', 1),
  },
  'topic-queue-deleted': {
    part: 'broker',
    holdMs: 1_000,
    begin: (stage) => deleteQueues(stage, 'edge.', 1),
  },
} as const satisfies Readonly<Record<string, Fault>>;
