import { BrokerError } from '@evenkeel/broker';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { EdgeNode } from '../node.js';
import { CordonMark } from './cordon-mark.js';

type Answer = boolean | 'down' | 'none';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An edge that starts, and what RabbitMQ says of its mark. */
function make(answer: Answer) {
  const world = { answer, looks: 0 };
  const node = new EdgeNode('e1', 'b');
  const topology = {
    checkQueue: async (name: string) => {
      expect(name).toBe('mesh.cordon.e1');
      world.looks += 1;
      if (world.answer === 'none') throw new BrokerError('broker-unavailable', 'no answer');
      if (world.answer === 'down') throw new BrokerError('queue-down', 'its node is away');
      return world.answer ? { messages: 0, consumers: 0 } : undefined;
    },
  };
  const warned: string[] = [];
  const log = { info: () => {}, warn: (_: object, message?: string) => void warned.push(message ?? '') };
  const mark = new CordonMark({ node, topology, log });
  onTestFinished(() => mark.stop());
  let isStarted = false;
  const start = async () => {
    await mark.start();
    isStarted = true;
  };
  return { world, node, warned, mark, start, isStarted: () => isStarted };
}

describe('an edge that starts', () => {
  it.each([
    [true, 'cordoned'],
    // It is there, where it is out of reach.
    ['down', 'cordoned'],
    [false, 'active'],
  ] as const)('goes on at once where its mark is %s: %s', async (answer, state) => {
    const { node, start, warned } = make(answer);
    await start();
    expect([node.state, warned]).toEqual([state, []]);
  });

  it('looks once where there is no mark', async () => {
    const { world, start } = make(false);
    await start();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(world.looks).toBe(1);
  });

  it('waits 5 s for an answer, says so, and is cordoned as soon as one comes', async () => {
    const { world, node, start, isStarted, warned } = make('none');
    void start();
    await vi.advanceTimersByTimeAsync(4_900);
    expect([isStarted(), node.state]).toEqual([false, 'active']);
    await vi.advanceTimersByTimeAsync(200);
    expect([isStarted(), node.state, warned.length]).toEqual([true, 'active', 1]);
    world.answer = true;
    await vi.advanceTimersByTimeAsync(600);
    expect(node.state).toBe('cordoned');
  });

  it('is active again once its mark has gone for longer than a broker that was emptied lacks it', async () => {
    const { world, node, start } = make(true);
    await start();
    for (const answer of [false, true, 'none', false, true] as const) {
      world.answer = answer;
      await vi.advanceTimersByTimeAsync(5_000);
      expect(node.state).toBe('cordoned');
    }
    world.answer = false;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(node.state).toBe('active');
  });

  it('obeys commands that come meanwhile, whatever the mark is then', async () => {
    const { world, node, start } = make(true);
    await start();
    node.uncordon();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(node.state).toBe('active');
    const other = make(true);
    await other.start();
    other.node.cordon();
    other.world.answer = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect([other.node.state, other.world.looks, world.looks]).toEqual(['cordoned', 2, 2]);
  });

  it('looks no more once it stops', async () => {
    const { world, mark, start } = make(true);
    await start();
    mark.stop();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(world.looks).toBeLessThanOrEqual(2);
  });
});
