import { eventually } from '@evenkeel/testkit';
import type { Fault } from './fault.js';
import type { Stage } from './stage.js';

/** Lines of what `rabbitmqctl` lists. */
async function listed({ broker }: Stage, args: readonly string[]): Promise<string[][]> {
  const text = await broker.ctl([...args, '--no-table-headers']);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Has a policy of this name limit the queues of sessions, and writes that down; returns what takes it away again. */
export async function limitQueues(
  { broker, recorder }: Stage,
  name: string,
  limits: { readonly 'max-length': number; readonly 'message-ttl'?: number },
): Promise<() => Promise<void>> {
  await broker.ctl(['set_policy', name, '^session[.]', JSON.stringify(limits), '--apply-to', 'queues']);
  recorder.add({ kind: 'policy', maxLength: limits['max-length'] });
  return async () => {
    await broker.ctl(['clear_policy', name]);
    recorder.add({ kind: 'policy' });
  };
}

/** The exchange goes, and every binding with it: whoever had one has to make it again. */
const exchangeDeleted: Fault['begin'] = async (stage) => {
  const name = 'mesh.events';
  const deletion =
    `case rabbit_exchange:lookup(rabbit_misc:r(<<"/">>, exchange, <<"${name}">>)) of ` +
    '{ok, _} -> ok = rabbit_exchange:delete(rabbit_misc:r(<<"/">>, exchange, <<"' +
    `${name}">>), false, <<"chaos">>), deleted; _ -> absent end.`;
  const answer = await stage.broker.ctl(['eval', deletion]);
  return {
    end: async () => {
      // However short it was to be, and whatever the balancers are busy with.
      const isThere = async () =>
        (await listed(stage, ['list_exchanges', 'name'])).some(([each]) => each === name);
      const isBack = await eventually(`${name} is back`, isThere, 30_000).catch(() => false);
      return answer.includes('deleted') && isBack ? `${name} was deleted, and is back` : undefined;
    },
  };
};

/** Queues hold less than what waits in them: a policy of somebody who meant well. */
const policyChanged: Fault['begin'] = async (stage) => {
  const clear = await limitQueues(stage, 'chaos', { 'max-length': 15 });
  stage.tell({ burst: 40 });
  return {
    end: async () => {
      const rows = await listed(stage, ['list_queues', 'name', 'policy']);
      const held = rows.filter(([name, policy]) => name?.startsWith('session.') && policy === 'chaos').length;
      await clear();
      return held > 0 ? `the policy held for ${held} queues` : undefined;
    },
  };
};

/** The edges' user may do nothing any more; what it has open stays open. */
const permissionLost: Fault['begin'] = async (stage) => {
  const rights = async () =>
    (await listed(stage, ['list_permissions', '-p', '/'])).find(([user]) => user === 'edge');
  const before = await rights();
  await stage.broker.ctl(['clear_permissions', '-p', '/', 'edge']);
  return {
    end: async () => {
      const meanwhile = await rights();
      if (before) await stage.broker.ctl(['set_permissions', '-p', '/', ...before]);
      return before && meanwhile === undefined ? 'the user edge had no permission' : undefined;
    },
  };
};

/** Everybody's connections are closed, as an operator does it. */
const connectionsClosed: Fault['begin'] = async (stage) => {
  const open = async () => (await listed(stage, ['list_connections', 'pid'])).map(([pid]) => pid);
  const before = await open();
  await stage.broker.ctl(['close_all_connections', 'chaos']);
  return {
    end: async () => {
      const after = new Set(await open());
      const gone = before.filter((pid) => !after.has(pid)).length;
      // RabbitMQ waits for the answer of a process that stands still, as another fault may have it.
      return gone > before.length / 2 ? `${gone} of ${before.length} connections were closed` : undefined;
    },
  };
};

export const objects = {
  'events-exchange-deleted': {
    part: 'broker',
    holdMs: 4_000,
    begin: exchangeDeleted,
  },
  'policy-changed': { part: 'broker', holdMs: 5_000, begin: policyChanged },
  'permission-lost': { part: 'broker', holdMs: 5_000, begin: permissionLost },
  'connections-closed': { part: 'broker', holdMs: 2_000, begin: connectionsClosed },
} as const satisfies Readonly<Record<string, Fault>>;
