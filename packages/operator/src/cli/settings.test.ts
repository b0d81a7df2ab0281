import { describe, expect, it } from 'vitest';
import { printed } from '../../testing/printed.js';
import { readValue } from './settings.js';

const at = Date.UTC(2026, 0, 1, 10, 2, 3);

async function set(...words: string[]) {
  const sent: Record<string, unknown>[] = [];
  const operator = {
    set: async (args: Record<string, unknown>) => {
      sent.push(args);
      const { value, ...rest } = args;
      return { ok: true, ...rest, ...(value === null ? { from: 'environment' } : { value, from: 'live' }) };
    },
  };
  return { text: await printed(operator, ['set', ...words]), sent };
}

describe('set', () => {
  it('sets a setting of the balancers, or of a node, and says what it is now', async () => {
    const mode = await set('mode', 'manual');
    expect(mode).toEqual({ text: 'mode: manual (live)\n', sent: [{ name: 'mode', value: 'manual' }] });
    const weight = await set('--node', 'e1', 'weight', '2');
    expect(weight).toEqual({
      text: 'weight of e1: 2 (live)\n',
      sent: [{ node: 'e1', name: 'weight', value: 2 }],
    });
  });

  it('goes back to what the environment says with --default', async () => {
    const back = await set('mode', '--default');
    expect(back.sent).toEqual([{ name: 'mode', value: null }]);
    expect(back.text).toBe('mode: as the environment has it\n');
  });

  it('takes a value or --default, and not both', async () => {
    await expect(set('mode')).rejects.toMatchObject({ code: 'usage' });
    await expect(set('mode', 'manual', '--default')).rejects.toMatchObject({ code: 'usage' });
  });
});

it.each([
  ['2', 2],
  ['0.5', 0.5],
  ['true', true],
  ['auto', 'auto'],
  ['22:00-06:00', '22:00-06:00'],
  ['007', '007'],
  ['', ''],
])('the value %j is sent as %j', (text, value) => {
  expect(readValue(text)).toBe(value);
});

it('settings shows each value, its default and who has changed it, and what is set of nodes', async () => {
  const settings = [
    { name: 'mode', value: 'manual', default: 'auto', from: 'live', by: 'ann', at, takes: 'auto or manual' },
    { name: 'ratePerSecond', value: 100, default: 100, from: 'environment' },
  ];
  const nodes = [{ node: 'e1', name: 'weight', value: 2, by: 'ann', at }];
  const text = await printed({ settings: async () => ({ ok: true, settings, nodes }) }, ['settings']);
  expect(text).toMatch(/mode +manual +auto +by ann 2026-01-01 10:02:03 +auto or manual/);
  expect(text).toMatch(/ratePerSecond +100\n/);
  expect(text).toMatch(/e1 +weight +2 +by ann/);
});
