import { describe, expect, it } from 'vitest';
import { node, statusOf } from '../../testing/nodes.js';
import { printed, TestTerminal } from '../../testing/printed.js';
import { partOf } from './confirm.js';

const nodes = [node('e1', { capacity: 300 }), node('e2', { capacity: 100 }), node('e3', { capacity: 100 })];

/** What is sent where this is answered; undefined: there is nobody to ask. */
async function run(answer: string | undefined, ...words: string[]) {
  const sent: string[] = [];
  const send = (command: string) => async () => {
    sent.push(command);
    return { ok: true, plan: null };
  };
  const operator = { status: async () => statusOf(nodes), drain: send('drain'), cordon: send('cordon') };
  const terminal = Object.assign(new TestTerminal(), { answer });
  const failure = await printed(operator, words, terminal).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { sent, failure, questions: terminal.questions };
}

describe('drain and cordon of more than half of the capacity', () => {
  it.each(['drain', 'cordon'])('%s asks, and goes on with yes alone', async (verb) => {
    const yes = await run('y', verb, 'e1');
    expect(yes.questions).toEqual([
      `e1: 60 % of the capacity of the active nodes. ${verb === 'drain' ? 'Drain' : 'Cordon'} it? [y/N] `,
    ]);
    expect(yes.sent).toEqual([verb]);
    for (const answer of ['', 'n', 'yep']) {
      const { sent, failure } = await run(answer, verb, 'e1');
      expect(sent).toEqual([]);
      expect(failure).toMatchObject({ code: 'declined' });
    }
  });

  it('are refused where there is nobody to ask', async () => {
    const { sent, failure } = await run(undefined, 'drain', 'e1');
    expect(sent).toEqual([]);
    expect(failure).toMatchObject({ code: 'unconfirmed', message: expect.stringContaining('--yes') });
  });

  it('do not ask with --yes, nor for half or less', async () => {
    for (const words of [['e1', '--yes'], ['e2'], ['e2', 'e3']]) {
      const { sent, questions } = await run(undefined, 'drain', ...words);
      expect([sent, questions]).toEqual([['drain'], []]);
    }
  });
});

describe('partOf', () => {
  it('counts active nodes alone, by weight where a capacity is not known', () => {
    expect(partOf([...nodes, node('e4', { state: 'cordoned', capacity: 900 })], ['e2', 'e4'])).toBe(0.2);
    const weighed = [node('a', { weight: 3 }), node('b')].map(({ capacity: _, ...n }) => n);
    expect(partOf(weighed, ['a'])).toBe(0.75);
    expect(partOf([], ['a'])).toBe(0);
  });
});
