import { expect, test } from 'vitest';
import { PerCell } from './per-cell.js';

function make() {
  const done: string[] = [];
  const cells = new PerCell<string>({
    make: (cell, amqpUrl) => {
      if (amqpUrl === 'bad') throw new Error('no address');
      return `${cell}@${amqpUrl}`;
    },
    enter: (held) => void done.push(`enter ${held}`),
    leave: (held) => void done.push(`leave ${held}`),
  });
  return { cells, done };
}

test('there is one for each address, made anew where that changes', () => {
  const { cells, done } = make();
  cells.follow(new Map(Object.entries({ north: '1', south: '2' })));
  done.length = 0;
  cells.follow(new Map(Object.entries({ north: '3', west: '4' })));
  expect(done).toEqual(['leave north@1', 'leave south@2', 'enter north@3', 'enter west@4']);
  expect(cells.values()).toEqual(['north@3', 'west@4']);
  expect(cells.get('south')).toBeUndefined();
});

test('an address that cannot be used changes nothing', () => {
  const { cells, done } = make();
  cells.follow(new Map([['north', '1']]));
  done.length = 0;
  expect(() => cells.follow(new Map(Object.entries({ east: '2', south: 'bad' })))).toThrow('no address');
  expect([done, cells.values()]).toEqual([[], ['north@1']]);
});
