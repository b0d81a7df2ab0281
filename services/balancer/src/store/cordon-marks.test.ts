import { expect, it } from 'vitest';
import { CordonMarks } from './cordon-marks.js';

/** Queues of a broker, and a leader that knows of nodes `a` and `b`. */
function make() {
  const world = { queues: new Set<string>(), isAway: false, isSure: true, known: ['a', 'b'] };
  const wanted = new Map<string, unknown>();
  const done: string[] = [];
  const onBroker = async (what: string, change: () => void) => {
    if (world.isAway) throw new Error('no answer');
    change();
    done.push(what);
  };
  const warned: string[] = [];
  const marks = new CordonMarks({
    topology: {
      declareQueue: async ({ name }) => {
        await onBroker(`+${name}`, () => world.queues.add(name));
        return { messages: 0, consumers: 0, asIs: false };
      },
      deleteQueue: (name) => onBroker(`-${name}`, () => world.queues.delete(name)),
    },
    arguments: {},
    wanted,
    known: () => world.known,
    mayWrite: () => world.isSure,
    log: { warn: (_: object, message?: string) => void warned.push(message ?? '') },
  });
  let nowMs = 0;
  const play = async (seconds: number) => {
    for (let tick = 0; tick < seconds * 10; tick += 1) {
      nowMs += 100;
      await marks.tick(nowMs);
    }
  };
  return { world, wanted, done, warned, marks, play, marked: () => [...world.queues].sort() };
}

it('a node is marked before it is told, and while it is to be cordoned', async () => {
  const { wanted, marks, play, marked } = make();
  await marks.put(['a']);
  expect(marked()).toEqual(['mesh.cordon.a']);
  // What is carried out is not undone meanwhile.
  await play(3);
  expect(marked()).toEqual(['mesh.cordon.a']);
  wanted.set('a', {});
  marks.settle(['a']);
  await play(3);
  expect(marked()).toEqual(['mesh.cordon.a']);
  wanted.delete('a');
  await marks.remove(['a']);
  expect(marked()).toEqual([]);
});

it('a node that could not be told is marked no more', async () => {
  const { marks, play, marked } = make();
  await marks.put(['a']);
  marks.settle(['a']);
  await play(1);
  expect(marked()).toEqual([]);
});

it('a successor marks what is to be and takes away what is not, once', async () => {
  const { world, wanted, done, marks, play, marked } = make();
  wanted.set('a', {}).set('away', {});
  world.queues.add('mesh.cordon.b');
  await play(5);
  expect(marked()).toEqual(['mesh.cordon.a', 'mesh.cordon.away']);
  expect(done.length).toBe(3);
  marks.doubt();
  await play(5);
  expect(done.length).toBe(6);
});

it('what is there is made again within a minute of its loss, and what failed when the broker answers', async () => {
  const { world, wanted, warned, play, marked } = make();
  wanted.set('a', {});
  await play(2);
  world.queues.clear();
  await play(61);
  expect(marked()).toEqual(['mesh.cordon.a']);
  world.isAway = true;
  wanted.set('b', {});
  await play(5);
  expect(warned.length).toBe(1);
  world.isAway = false;
  await play(2);
  expect(marked()).toEqual(['mesh.cordon.a', 'mesh.cordon.b']);
});

it('who does not lead for certain changes nothing', async () => {
  const { world, wanted, done, marks, play } = make();
  world.isSure = false;
  wanted.set('a', {});
  await marks.put(['b']);
  await play(5);
  expect(done).toEqual([]);
});

it('thousands are marked in turn', async () => {
  const { wanted, play, marked } = make();
  for (let n = 0; n < 120; n += 1) wanted.set(`n${n}`, {});
  await play(1);
  expect(marked().length).toBe(50);
  await play(2);
  expect(marked().length).toBe(120);
});
