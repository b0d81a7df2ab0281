import { BrokerError } from '@evenkeel/broker';
import { expect, it } from 'vitest';
import { EdgeNames } from './edge-names.js';

type Check = () => Promise<{ messages: number; consumers: number } | undefined>;

function world(check: Check) {
  const asked: string[] = [];
  const clock = { nowMs: 0 };
  const names = new EdgeNames({
    consuming: {
      topology: () => ({
        checkQueue: (name) => {
          asked.push(name);
          return check();
        },
      }),
    },
    now: () => clock.nowMs,
  });
  return { asked, clock, names };
}

it.each([
  ['not there once RabbitMQ says that nobody has it', async () => undefined, false],
  [
    'not there where the node of the broker that it was on is down',
    () => Promise.reject(new BrokerError('queue-down', 'down')),
    false,
  ],
  [
    'there where another connection has it',
    () => Promise.reject(new BrokerError('queue-locked', 'locked')),
    true,
  ],
  [
    'perhaps there while RabbitMQ does not answer',
    () => Promise.reject(new BrokerError('broker-unavailable', 'away')),
    true,
  ],
] as [string, Check, boolean][])('an edge is %s', async (_what, check, isThere) => {
  const { asked, names } = world(check);
  expect(await names.mayBeThere('edge-2')).toBe(isThere);
  expect(asked).toEqual(['edge.edge-2.name']);
});

it('a crowd that comes from one edge is one question', async () => {
  const { asked, clock, names } = world(async () => undefined);
  for (let n = 0; n < 5; n += 1) await names.mayBeThere('edge-2');
  await names.mayBeThere('edge-3');
  clock.nowMs += 300;
  await names.mayBeThere('edge-2');
  expect(asked).toEqual(['edge.edge-2.name', 'edge.edge-3.name', 'edge.edge-2.name']);
});
