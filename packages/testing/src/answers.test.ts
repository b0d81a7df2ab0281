import { expect, it, onTestFinished, vi } from 'vitest';
import { createTestMesh } from './index.js';

/** A service that says words one after another, up to `hold`, where it waits until nobody wants more; and a client. */
async function speaking() {
  const mesh = createTestMesh();
  onTestFinished(() => mesh.close());
  const service = await mesh.createPublisher({ name: 'words' });
  const ended: unknown[] = [];
  await service.serve('words.say', async function* ({ data, signal }) {
    const { count, hold } = data as { count: number; hold?: number };
    for (let n = 0; n < count; n += 1) {
      if (n === hold) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (signal.aborted) return void ended.push(n);
      yield n;
    }
    return 'done';
  });
  const client = mesh.connect({ user: 'alice' });
  await mesh.settled();
  return { mesh, client, ended };
}
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

it('an answer in parts comes whole and in order, also one of more parts than a service sends ahead', async () => {
  const { mesh, client } = await speaking();
  const said: unknown[] = [];
  const answer = client.stream('words.say', { count: 100 });
  for (;;) {
    const { done, value } = await answer.next();
    said.push(value);
    if (done) break;
  }
  expect(said).toEqual([...numbers(100), 'done']);
  expect(await client.request('words.say', { count: 0 })).toBe('done');
  await mesh.settled();
});

it('it goes on over a move and a lost connection, each part once', async () => {
  const { mesh, client } = await speaking();
  const said: unknown[] = [];
  for await (const n of client.stream('words.say', { count: 60 })) {
    said.push(n);
    if (n === 10) mesh.move(client);
    if (n === 30) {
      mesh.disconnect(client);
      mesh.restore(client);
    }
  }
  expect(said).toEqual(numbers(60));
});

it('who leaves it has its service told', async () => {
  const { mesh, client, ended } = await speaking();
  for await (const n of client.stream('words.say', { count: 5, hold: 2 })) if (n === 1) break;
  await vi.waitFor(() => expect(ended).toEqual([2]));
  await mesh.settled();
});
