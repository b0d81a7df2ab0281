import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Publishing, type PublishingOptions } from './publishing.js';

function make() {
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
  } as unknown as PublishingOptions);
  const send = (n: number, onReceipt?: () => void) =>
    publishing.ready('user.a.n', n, onReceipt ? { onReceipt } : {})();
  return { sent, send, made: (error?: Error) => made(error) };
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
