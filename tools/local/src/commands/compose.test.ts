import { expect, it } from 'vitest';
import { merge } from '../env-file.js';
import { clusterValues } from './compose.js';

const set = (before: string, isCluster: boolean): Record<string, string> =>
  Object.fromEntries(
    merge(before, clusterValues(before, isCluster))
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('=') as [string, string]),
  );

it('has one broker without a word, unless there were several', () => {
  expect(clusterValues('COMPOSE_PROFILES=observability\n', false)).toEqual({ made: {}, once: {} });
});

it('goes to three brokers and back, and leaves other profiles as they are', () => {
  const there = set('COMPOSE_PROFILES=observability\nOWN=1\n', true);
  expect(there).toMatchObject({
    COMPOSE_PROFILES: 'observability,cluster',
    EVENKEEL_BROKER_CONF: './infra/rabbitmq/cluster.conf',
    OWN: '1',
  });
  const text = (values: Record<string, string>) =>
    Object.entries(values)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('');
  const again = set(text(there), true);
  expect(again).toEqual(there);
  expect(set(text(there), false)).toMatchObject({
    COMPOSE_PROFILES: 'observability',
    EVENKEEL_BROKER_CONF: './infra/rabbitmq/alone.conf',
    OWN: '1',
  });
});
