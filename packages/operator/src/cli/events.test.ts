import { describe, expect, it } from 'vitest';
import { printed, TestTerminal } from '../../testing/printed.js';
import { OperatorError } from '../errors.js';
import { isLater } from './events.js';

const at = Date.UTC(2026, 0, 1, 10, 2, 3);
const event = (id: string) => ({ id, at, kind: 'node', text: `edge-${id} has joined` });
/** Ids as balancers give them: when one began to lead, to the base of 36, and a count. */
const ids = (leadsSinceMs: number) => (n: number) => `${leadsSinceMs.toString(36)}-${n}`;
const of1 = ids(at);
const of2 = ids(at + 60_000);
type Answer = { events: ReturnType<typeof event>[]; last: string | null };

/** What `evenkeel events` prints where these are the answers; the last look is the last. */
async function run(answers: (Answer | Error)[], ...words: string[]) {
  const terminal = new TestTerminal();
  const asked: unknown[] = [];
  const events = async (args: object) => {
    asked.push(args);
    const answer = answers.shift();
    if (answers.length === 0) terminal.isInterrupted = true;
    if (answer instanceof Error) throw answer;
    return { ok: true, ...answer };
  };
  const text = await printed({ events }, ['events', ...words], terminal);
  return { lines: text.trim().split('\n'), errors: terminal.errors, asked };
}

describe('events', () => {
  it('prints the last ones, a line each', async () => {
    const { lines } = await run([{ events: ['1-1', '1-2', '1-3'].map(event), last: '1-3' }], '--limit', '2');
    expect(lines).toEqual([
      '2026-01-01 10:02:03  node     edge-1-2 has joined',
      '2026-01-01 10:02:03  node     edge-1-3 has joined',
    ]);
  });

  it('--follow prints each event once, also when another leader gives all that it has', async () => {
    const { lines, asked } = await run(
      [
        { events: [of1(1), of1(2)].map(event), last: of1(2) },
        { events: [], last: of1(2) },
        { events: [event(of1(3))], last: of1(3) },
        { events: [of1(2), of1(3), of2(1)].map(event), last: of2(1) },
      ],
      '--follow',
      '--json',
    );
    expect(lines.map((line) => JSON.parse(line).id)).toEqual([of1(1), of1(2), of1(3), of2(1)]);
    expect(asked).toEqual([{}, { after: of1(2) }, { after: of1(2) }, { after: of1(3) }]);
  });

  it('--follow says once that nobody answers, and goes on', async () => {
    const silence = new OperatorError('timeout', 'no balancer answered');
    const { lines, errors } = await run(
      [{ events: [event('1-1')], last: '1-1' }, silence, silence, { events: [event('2-1')], last: '2-1' }],
      '--follow',
    );
    expect(lines).toHaveLength(2);
    expect(errors).toBe('evenkeel: no balancer answered (timeout)\nevenkeel: a balancer answers again\n');
  });
});

it.each([
  ['1-2', '1-1', true],
  ['1-10', '1-9', true],
  ['2-1', '1-9', true],
  ['1-1', '1-1', false],
  ['1-9', '2-1', false],
  [of1(2), of1(1), true],
  [of2(1), of1(9), true],
  [of1(9), of2(1), false],
  ['10-1', 'z-9', true],
])('event %s is later than %s: %s', (id, other, is) => {
  expect(isLater(id, other)).toBe(is);
});
