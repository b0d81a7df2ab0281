import { describe, expect, it } from 'vitest';
import { Lifecycle, StartError } from './lifecycle.js';
import { createLog } from './log.js';

const log = createLog({ service: 'test', level: 'silent' });

function recorder() {
  const events: string[] = [];
  const step = (name: string) => ({
    start: async () => {
      events.push(`start ${name}`);
    },
    stop: async () => {
      events.push(`stop ${name}`);
    },
  });
  return { events, step };
}

describe('Lifecycle', () => {
  it('starts in order, stops once in reverse', async () => {
    const { events, step } = recorder();
    const lifecycle = new Lifecycle(log).add('a', step('a')).add('b', step('b'));
    expect(lifecycle.isReady).toBe(false);
    await lifecycle.start();
    expect(lifecycle.isReady).toBe(true);
    expect(await Promise.all([lifecycle.stop('test'), lifecycle.stop('again')])).toEqual([true, true]);
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect(lifecycle.state).toBe('stopped');
  });

  it('stops what had started when a step fails to start', async () => {
    const { events, step } = recorder();
    const lifecycle = new Lifecycle(log)
      .add('a', step('a'))
      .add('b', {
        start: () => {
          throw new Error('port taken');
        },
      })
      .add('c', step('c'));
    await expect(lifecycle.start()).rejects.toThrow('Could not start b: port taken');
    expect(events).toEqual(['start a', 'stop a']);
  });

  it('goes on to the next step when one fails or hangs while stopping', async () => {
    const { events, step } = recorder();
    const lifecycle = new Lifecycle(log)
      .add('a', step('a'))
      .add('hangs', { stop: () => new Promise<void>(() => {}) })
      .add('fails', { stop: () => Promise.reject(new Error('no')) });
    await lifecycle.start();
    expect(await lifecycle.stop('test', 20)).toBe(false);
    expect(events).toEqual(['start a', 'stop a']);
  });

  it('starts no further step once a stop has come, and stops the one that was starting', async () => {
    const { events, step } = recorder();
    const lifecycle = new Lifecycle(log);
    lifecycle
      .add('a', {
        start: () => {
          void lifecycle.stop('early');
        },
        stop: () => {
          events.push('stop a');
        },
      })
      .add('b', step('b'));
    await expect(lifecycle.start()).rejects.toBeInstanceOf(StartError);
    expect(events).toEqual(['stop a']);
    expect(lifecycle.state).toBe('stopped');
  });
});
