import { setImmediate as turn } from 'node:timers/promises';
import { BrokerError } from '@evenkeel/broker';
import { expect, it } from 'vitest';
import { Publishing, type PublishingOptions } from './publishing.js';

function make(turns: PublishingOptions['turns'] = {}) {
  const sent: string[] = [];
  let made: (error?: Error) => void = () => {};
  const publishing = new Publishing({
    confirms: {
      publish: async (_exchange: string, _key: string, body: Buffer | string) => {
        sent.push(String(body));
        return 'routed';
      },
    },
    tracing: { active: () => undefined },
    receipts: async () => ({
      word: 'w',
      add: () => {},
      listen: () =>
        new Promise<void>((resolve, reject) => {
          made = (error) => (error ? reject(error) : resolve());
        }),
    }),
    turns,
  } as unknown as PublishingOptions);
  const send = (n: unknown, onReceipt?: () => void, given?: Promise<unknown>) =>
    publishing.send(publishing.ready('user.a.n', n, onReceipt ? { onReceipt } : {}), given);
  return { publishing, sent, send, made: (error?: Error) => made(error) };
}

it('events go in the order of the calls, also while the first one with a receipt waits for its queue', async () => {
  const { sent, send, made } = make();
  const all = [send(1), send(2, () => {}), send(3), send(4, () => {}), send(5)];
  await turn();
  expect(sent).toEqual(['1']);
  made();
  await all[1];
  all.push(send(6));
  await Promise.all(all);
  expect(sent).toEqual(['1', '2', '3', '4', '5', '6']);
  await turn();
  await send(7);
  expect(sent.at(-1)).toBe('7');
});

it('where that queue cannot be made the others go all the same', async () => {
  const { sent, send, made } = make();
  const first = send(1, () => {});
  const second = send(2);
  await turn();
  made(new Error('refused'));
  await expect(first).rejects.toThrow('refused');
  await second;
  expect(sent).toEqual(['2']);
});

it('where it cannot, those with a receipt behind it fail too and nothing overtakes: the next one tries anew', async () => {
  const { sent, send, made } = make();
  const failing = [send(1, () => {}), send(2, () => {})].map((each) =>
    expect(each).rejects.toThrow('refused'),
  );
  const plain = send(3);
  await turn();
  made(new Error('refused'));
  await Promise.all([...failing, plain]);
  const again = [send(4, () => {}), send(5)];
  await turn();
  expect(sent).toEqual(['3']);
  made();
  await Promise.all(again);
  expect(sent).toEqual(['3', '4', '5']);
});

it('while that queue cannot be made none waits longer than it may, and they fail in order', async () => {
  const { publishing, sent, send } = make({ timeoutMs: 20 });
  const over: number[] = [];
  const late = { name: 'BrokerError', code: 'publish-timeout' };
  const first = send(1, () => {}).finally(() => over.push(1));
  const plain = send(2).finally(() => over.push(2));
  const second = send(3, () => {}).finally(() => over.push(3));
  expect(publishing.waiting).toBe(3);
  await expect(first).rejects.toMatchObject(late);
  await Promise.allSettled([plain, second]);
  expect(over).toEqual([1, 2, 3]);
  expect(publishing.waiting).toBe(0);
  expect(publishing.counts['publish-timeout']).toBe(3 - sent.length);
  await send(4);
  expect(sent.at(-1)).toBe('4');
});

it('so many wait for it and not more, in number and in bytes', async () => {
  const { publishing, sent, send, made } = make({ maxWaiting: 3, maxWaitingBytes: 20 });
  const full = { name: 'BrokerError', code: 'publisher-overflow' };
  const waiting = [send(1, () => {}), send('x'.repeat(15))];
  await expect(send('x'.repeat(3))).rejects.toMatchObject(full);
  waiting.push(send(2));
  await expect(send(3)).rejects.toMatchObject(full);
  expect(publishing.waiting).toBe(3);
  expect(publishing.counts['publisher-overflow']).toBe(2);
  await turn();
  made();
  await Promise.all(waiting);
  expect(sent.length).toBe(3);
  await send(4);
});

it('who closes it waits for those that wait, and then they fail', async () => {
  const { publishing, send, made } = make();
  const first = send(1, () => {});
  const flushed = publishing.flush();
  await turn();
  made();
  await Promise.all([first, flushed]);
  const other = make();
  const left = [other.send(1, () => {}), other.send(2)].map((each) => expect(each).rejects.toThrow('closed'));
  other.publishing.close(new Error('closed'));
  await Promise.all([...left, other.publishing.flush()]);
  expect(other.sent).toEqual([]);
});

it('what is still checked keeps back what comes after it, and what is wrong is left out', async () => {
  const { sent, send, made } = make();
  let isFine = () => {};
  const check = new Promise<void>((resolve) => {
    isFine = resolve;
  });
  const first = send(1, undefined, check);
  const refused = expect(send(2, undefined, Promise.reject(new Error('wrong')))).rejects.toThrow('wrong');
  const receipt = send(3, () => {}, Promise.resolve());
  const last = send(4);
  await refused;
  made();
  await turn();
  expect(sent).toEqual([]);
  isFine();
  await Promise.all([first, receipt, last]);
  expect(sent).toEqual(['1', '3', '4']);
});

it('without a check, and while nothing waits, an event is sent within its call', () => {
  const { sent, send } = make();
  void send(1);
  expect(sent).toEqual(['1']);
});

/** RabbitMQ answers when the test does. */
function holding(turns: PublishingOptions['turns'] = {}) {
  const answers: ((error?: Error) => void)[] = [];
  const publishing = new Publishing({
    confirms: {
      publish: () =>
        new Promise<'routed'>((resolve, reject) => {
          answers.push((error) => (error ? reject(error) : resolve('routed')));
        }),
    },
    tracing: { active: () => undefined },
    turns,
  } as unknown as PublishingOptions);
  const ready = (n: number) => publishing.ready('user.a.n', n, {});
  const all = (length: number) => Array.from({ length }, (_, n) => ready(n));
  return { publishing, answers, ready, all };
}

const late = new BrokerError('publish-timeout', 'late');

it('of many so many are on their way at once, and the next one goes with each that is confirmed', async () => {
  const { publishing, answers, ready, all } = holding();
  const batch = publishing.sendAll(all(3_000));
  const behind = publishing.send(ready(1));
  expect(answers.length).toBe(2_048);
  expect(publishing.waiting).toBe(953);
  answers[0]?.();
  await turn();
  expect(answers.length).toBe(2_049);
  const flushed = publishing.flush();
  for (let n = 1; n < 3_001; n += 1) {
    answers[n]?.();
    await Promise.resolve();
    if (answers.length <= n + 1) await turn();
  }
  await Promise.all([behind, flushed]);
  expect((await batch).filter(({ status }) => status === 'rejected')).toEqual([]);
});

it('of many where RabbitMQ stops to confirm the rest is given up at once, and those behind it go', async () => {
  const { publishing, answers, ready, all } = holding();
  const batch = publishing.sendAll(all(5_000));
  const behind = publishing.send(ready(1));
  for (const answer of [...answers]) answer(late);
  const settled = await batch;
  expect(settled).toMatchObject(Array(5_000).fill({ status: 'rejected', reason: late }));
  expect(publishing.counts).toMatchObject({ routed: 0, 'publish-timeout': 5_000 });
  expect(answers.length).toBe(2_049);
  answers.at(-1)?.();
  await behind;
});

it('of many one alone that is late keeps back nothing: others were confirmed meanwhile', async () => {
  const { publishing, answers, all } = holding();
  const batch = publishing.sendAll(all(2_060));
  answers[0]?.();
  await turn();
  answers[1]?.(late);
  await turn();
  expect(answers.length).toBe(2_050);
  for (let n = 2; n < 2_060; n += 1) {
    answers[n]?.();
    await turn();
  }
  expect((await batch).filter(({ status }) => status === 'rejected').length).toBe(1);
});

it('many that cannot have their turn in time fail each, in their places', async () => {
  const { publishing, ready, all } = holding({ timeoutMs: 10 });
  const never = new Promise(() => {});
  void publishing.send(ready(1), never).catch(() => {});
  // Free of the first, it would go.
  const settled = await publishing.sendAll(all(3), never);
  expect(settled).toMatchObject(Array(3).fill({ status: 'rejected', reason: { code: 'publish-timeout' } }));
  expect(publishing.counts['publish-timeout']).toBe(4);
});

it('one that finds no room leaves no rejection of its check behind', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  const { publishing, ready, all } = holding({ maxWaiting: 1 });
  // It is late long after this test.
  publishing.send(ready(1), new Promise(() => {})).catch(() => {});
  let refuse = () => {};
  const given = new Promise<void>((_resolve, reject) => {
    refuse = () => reject(new Error('wrong'));
  });
  const full = { code: 'publisher-overflow' };
  const settled = await publishing.sendAll(all(1), Promise.all([given]));
  expect(settled).toMatchObject([{ reason: full }]);
  await expect(publishing.send(ready(1), given)).rejects.toMatchObject(full);
  refuse();
  await turn();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});
