import { BrokerError } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Generations, type Look, newestFrom } from './generations.js';

const counts = { messages: 3, consumers: 0 };
const there = (looks: readonly Look[]) => async (generation: number) => looks[generation] ?? 'none';

describe('the queue that a session has', () => {
  it.each<[string, Look[], object]>([
    ['none', [], { generation: 0, counts: undefined, isLost: false, older: [] }],
    ['the one that it began with', [counts], { generation: 0, counts, isLost: false, older: [] }],
    [
      'lost: the next is to be made',
      ['down'],
      { generation: 1, counts: undefined, isLost: true, older: [0] },
    ],
    ['made in place of a lost one', ['down', counts], { generation: 1, counts, isLost: false, older: [0] }],
    [
      'the newer of two, the node of the first being back',
      [counts, counts],
      { generation: 1, counts, isLost: false, older: [0] },
    ],
    ['lost once more', [counts, 'down'], { generation: 2, counts: undefined, isLost: true, older: [0, 1] }],
    [
      'the third, those before it deleted',
      ['none', 'none', counts],
      { generation: 2, counts, isLost: false, older: [] },
    ],
    [
      'lost behind one that was deleted',
      ['none', 'down'],
      { generation: 2, counts: undefined, isLost: true, older: [1] },
    ],
  ])('is %s', async (_what, looks, expected) => {
    expect(await newestFrom(0, there(looks))).toEqual(expected);
  });

  it('is looked for from the number that is known', async () => {
    const asked: number[] = [];
    const look = async (generation: number) => {
      asked.push(generation);
      return generation === 4 ? counts : 'none';
    };
    expect(await newestFrom(4, look)).toMatchObject({ generation: 4, counts });
    expect(asked).toEqual([4, 5]);
  });
});

describe('a queue that nobody has named', () => {
  const none: Look[] = Array.from({ length: 32 }, () => 'none');

  it('is found where all before it were deleted, and is looked for no further than that', async () => {
    expect(await newestFrom(0, there([...none, counts]))).toMatchObject({ generation: 32, counts });
    expect(await newestFrom(0, there([...none, 'none', counts]))).toMatchObject({
      generation: 0,
      counts: undefined,
    });
  });

  it('takes no more looks than a named one where a queue is there, or lost', async () => {
    const looksOf = async (first: Look) => {
      let looks = 0;
      await newestFrom(0, async (generation) => {
        looks += 1;
        return generation === 0 ? first : 'none';
      });
      return looks;
    };
    expect([await looksOf(counts), await looksOf('down')]).toEqual([2, 4]);
  });

  it('is looked for three numbers further where somebody is sure of the one before', async () => {
    let looks = 0;
    const look = async (): Promise<Look> => {
      looks += 1;
      return 'none';
    };
    expect(await newestFrom(7, look, true)).toMatchObject({ generation: 7, counts: undefined });
    expect(looks).toBe(4);
  });

  it('counts as consumed where one before it is: its consumer is about to go on', async () => {
    const held = { messages: 1, consumers: 1 };
    expect(await newestFrom(0, there([held, counts]))).toMatchObject({
      generation: 1,
      counts: { messages: counts.messages, consumers: 1 },
    });
  });
});

describe('the queues of a broker', () => {
  function make(amqpUrl: string, down?: string) {
    const asked: string[] = [];
    const deleted: string[] = [];
    const topology = {
      async checkQueue(name: string) {
        asked.push(name);
        if (name === down) throw new BrokerError('queue-down', 'its node is down');
        return down === undefined ? counts : undefined;
      },
      async deleteUnusedQueue(name: string) {
        deleted.push(name);
      },
    };
    return { asked, deleted, generations: new Generations({ topology, amqpUrl }) };
  }

  it('of one address are looked at once, until one of them is lost with its node', async () => {
    const alone = make('amqp://a');
    expect(await alone.generations.find('u', 's')).toMatchObject({ generation: 0, counts });
    expect(alone.asked).toEqual(['session.u.s']);
    expect(alone.generations.isCluster).toBe(false);
    const behindOne = make('amqp://balanced', 'session.u.s');
    expect(await behindOne.generations.find('u', 's')).toMatchObject({ generation: 1, isLost: true });
    expect(behindOne.generations.isCluster).toBe(true);
  });

  it('are deleted when a session needs them no more', async () => {
    const { deleted, generations } = make('amqp://a,amqp://b');
    generations.leave('session.u.s');
    await expect.poll(() => deleted).toEqual(['session.u.s']);
  });
});
