import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestMesh } from './index.js';

const step = fc.constantFrom('event', 'event', 'message', 'ask', 'move', 'disconnect', 'restore', 'settle');

it('whatever moves and breaks in between, every event comes once and in order, and every call is answered', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, isSlow) => {
      const mesh = createTestMesh({ nodes: ['a', 'b', 'c'], window: 2 });
      const shop = await mesh.createPublisher({ name: 'shop' });
      await shop.serve('shop.echo', ({ data }) => data);
      const client = mesh.connect({ user: 'alice' });
      const seen: unknown[] = [];
      const gaps: unknown[] = [];
      const messages: number[] = [];
      const answers: Promise<unknown>[] = [];
      const asked: number[] = [];
      client.onStatus((status) => status.type === 'gap' && gaps.push(status.topic));
      client.on('n', async ({ data }) => {
        if (isSlow) await new Promise((resolve) => setTimeout(resolve));
        seen.push(data);
      });
      await client.subscribe('news', ({ data }) => messages.push(Number(data)));
      let isAway = false;
      let events = 0;
      for (const [n, what] of steps.entries()) {
        if (what === 'event') await shop.toUser('alice', 'n', events++);
        else if (what === 'message') await shop.toTopic('news', n);
        else if (what === 'ask') {
          asked.push(n);
          answers.push(client.request('shop.echo', n));
        } else if (what === 'move' && client.state === 'connected' && !isAway) mesh.move(client);
        else if (what === 'disconnect' || what === 'restore') {
          isAway = what === 'disconnect';
          mesh[what](client);
          // Learned a moment later.
          await new Promise(setImmediate);
        } else if (what === 'settle') await mesh.settled();
      }
      mesh.restore(client);
      await mesh.settled();
      expect(await Promise.all(answers)).toEqual(asked);
      expect(seen).toEqual(Array.from({ length: events }, (_, i) => i));
      expect(messages).toEqual([...new Set(messages)].toSorted((a, b) => a - b));
      const sent = steps.flatMap((what, n) => (what === 'message' ? n : []));
      if (gaps.length === 0) expect(messages).toEqual(sent);
      expect(gaps.filter((topic) => topic === undefined)).toEqual([]);
      await mesh.close();
    }),
    { numRuns: 60 },
  );
});
