import { describe, expect, it } from 'vitest';
import { Lifecycle, StartError } from './lifecycle.js';
import { createLog } from './log.js';

const log = createLog({ service: 'test', level: 'silent', format: 'json' });

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
    expect(lifecycle.readiness()).toBe('created');
    await lifecycle.start();
    expect(lifecycle.readiness()).toBe(true);
    expect(await Promise.all([lifecycle.stop('test'), lifecycle.stop('again')])).toEqual([true, true]);
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect(lifecycle.state).toBe('stopped');
  });

  it('names the step that is still starting', async () => {
    let open: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      open = resolve;
    });
    const lifecycle = new Lifecycle(log).add('broker', { start: () => waiting }).add('http', {});
    const starting = lifecycle.start();
    expect(lifecycle.readiness()).toBe('starting: broker');
    open();
    await starting;
    expect(lifecycle.readiness()).toBe(true);
    const stopping = lifecycle.stop('test');
    expect(lifecycle.readiness()).toBe('stopping');
    await stopping;
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
      .add('hangs', { stop: () => new Promise<void>(() => {}), stopTimeoutMs: 20 })
      .add('fails', { stop: () => Promise.reject(new Error('no')) });
    await lifecycle.start();
    expect(await lifecycle.stop('test')).toBe(false);
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
