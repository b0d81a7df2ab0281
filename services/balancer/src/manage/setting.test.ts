import { expect, it } from 'vitest';
import { SmallCluster } from '../../testing/small-cluster.js';
import type { CommandContext } from './context.js';
import { set } from './setting.js';

it('what is set of a node that is gone for good can be taken back', async () => {
  const { balancer, nowMs } = new SmallCluster({ e1: {} });
  const { nodeSettings } = balancer.standing;
  nodeSettings.set('gone', 'weight', 2, { by: 'ann', at: 1 });
  nodeSettings.set('gone', 'capacity', 9, { by: 'ann', at: 1 });
  const c = { balancer, nowMs, user: 'bob' } as CommandContext;
  const command = { command: 'set', node: 'gone', name: 'weight', value: null } as const;
  expect(await set(command, c)).toEqual({ ok: true, node: 'gone', name: 'weight', from: 'environment' });
  expect(balancer.standing.changed).toEqual(['gone.capacity']);
  await set({ ...command, name: 'capacity' }, c);
  expect(balancer.standing.changed).toEqual([]);
  await expect(set(command, c)).rejects.toMatchObject({ code: 'unknown-node' });
});
