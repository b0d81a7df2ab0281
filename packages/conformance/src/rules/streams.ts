import type { Attached, Case } from '../case.js';
import type { RawSocket } from '../raw-socket.js';
import type { Rule } from '../rule.js';
import { must, mustEqual, pause } from '../verdict.js';

/** Acknowledges every event at once and notes its number. */
function follow(socket: RawSocket, seen: unknown[]): void {
  socket.onReceived(({ frame }) => {
    if (frame?.t !== 'event') return;
    seen.push(frame.data);
    socket.ack(frame.seq);
  });
}

/** Publishes numbers until told to stop; answers how many. */
function publishing(publish: (n: number) => Promise<unknown>): () => Promise<number> {
  let count = 0;
  let isOn = true;
  const run = (async () => {
    const confirms: Promise<unknown>[] = [];
    while (isOn) {
      count += 1;
      confirms.push(publish(count));
      await pause(3);
    }
    await Promise.all(confirms);
  })();
  return async () => {
    isOn = false;
    await run;
    return count;
  };
}

async function move(c: Case, session: Attached, hello?: Record<string, unknown>): Promise<Attached> {
  const socket = await c.dial(await c.commandMove(session), hello);
  return { ...session, socket, welcome: await socket.next('welcome', undefined, 15_000) };
}

const mustHaveNoGap = ({ log }: RawSocket): void =>
  must(
    log.every(({ frame }) => frame?.t !== 'gap'),
    'a move caused a gap',
  );

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

export const streamRules: Rule[] = [
  {
    id: 'stream-through-moves',
    section: '4',
    text: 'events published all the while through five moves: none lost, repeated or reordered, no gap',
    async check(c) {
      const seen: unknown[] = [];
      const sockets: RawSocket[] = [];
      let session = await c.attach();
      follow(session.socket, seen);
      const stop = publishing((n) => c.event('n', n));
      for (let n = 0; n < 5; n++) {
        await pause(100);
        sockets.push(session.socket);
        session = await move(c, session);
        follow(session.socket, seen);
        void sockets.at(-1)?.close();
      }
      const count = await stop();
      await waitFor(() => seen.length >= count);
      mustEqual(seen, upTo(count), 'events');
      for (const socket of [...sockets, session.socket]) mustHaveNoGap(socket);
    },
  },
  {
    id: 'topics-through-moves',
    section: '4',
    text: "topic messages all the while: the old socket's up to moved, then the new one's not seen yet, are complete and in order",
    async check(c) {
      const topic = c.word('topic');
      const hello = { topics: [topic] };
      let session = await c.attach({ hello });
      const stop = publishing((n) => c.topic(topic, n, { messageId: `${topic}-${n}` }));
      const merged: unknown[] = [];
      const ids = new Set<string>();
      const take = (socket: RawSocket) => {
        for (const { frame } of socket.log) {
          if (frame?.t !== 'message' || ids.has(frame.id)) continue;
          ids.add(frame.id);
          merged.push(frame.data);
        }
      };
      for (let n = 0; n < 3; n++) {
        await pause(100);
        const old = session.socket;
        session = await move(c, session, hello);
        mustEqual(old.log.at(-1)?.frame?.t, 'moved', 'the last frame on the old socket');
        take(old);
        void old.close();
      }
      const count = await stop();
      await waitFor(() =>
        session.socket.log.some(({ frame }) => frame?.t === 'message' && frame.data === count),
      );
      take(session.socket);
      mustEqual(merged, upTo(count), 'messages');
      mustHaveNoGap(session.socket);
    },
  },
  {
    id: 'mark-ends-topics',
    section: '4',
    text: "the mark that moved names stands on the new socket where the old one's topic messages end",
    async check(c) {
      const topic = c.word('topic');
      const hello = { topics: [topic] };
      const a = await c.attach({ hello });
      const stop = publishing((n) => c.topic(topic, n));
      try {
        await a.socket.next('message');
        const b = await c.dial(await c.commandMove(a), hello);
        const { mark } = await a.socket.next('moved');
        must(typeof mark === 'string', 'moved names no mark');
        await b.next('mark', (frame) => frame.mark === mark);
        const behind = () => {
          const at = b.frames.findIndex((frame) => frame.t === 'mark' && frame.mark === mark);
          return b.frames.slice(at).find((frame) => frame.t === 'message');
        };
        await waitFor(() => behind() !== undefined);
        const next = behind()?.data;
        const last = a.socket.of('message').at(-1)?.data;
        // What is published at the very moment of the mark may come before it at one edge and behind it at the other.
        must(
          Math.abs(Number(next) - Number(last) - 1) <= 16,
          `the old socket ended with ${last}, and behind the mark the new one has ${next}`,
        );
      } finally {
        await stop();
      }
    },
  },
  {
    id: 'moved-ends-topics',
    section: '2.2',
    text: 'moved is the last frame for topics too: what is published after it comes on the new socket alone',
    async check(c) {
      const topic = c.word('topic');
      const hello = { topics: [topic] };
      const a = await c.attach({ hello });
      await c.event('e', 1);
      await a.socket.next('event');
      const b = await c.dial(await c.commandMove(a), hello);
      await a.socket.next('moved');
      // The event is not acknowledged yet, so the old edge is still busy with the hand-over.
      for (let n = 1; n <= 3; n++) await c.topic(topic, n);
      for (let n = 1; n <= 3; n++) mustEqual((await b.next('message')).data, n, 'message on the new socket');
      await a.socket.mustNot('message', 100, 'a message came after moved');
      a.socket.send({ t: 'ack', seq: 1 });
      await b.next('welcome');
    },
  },
  {
    id: 'publishes-through-moves',
    section: '4',
    text: 'publishes of the client through a move: those counted in `received` and those sent again arrive once each',
    async check(c) {
      const topic = c.word('in');
      const inbound: (string | undefined)[] = [];
      await c.serve(topic, ({ properties }) => inbound.push(properties.messageId?.split('.').at(-1)));
      const a = await c.attach();
      const ids: string[] = [];
      const say = (socket: RawSocket, id: string) => socket.send({ t: 'publish', id, topic, data: 1 });
      let isOn = true;
      const talking = (async () => {
        for (let n = 1; isOn; n++) {
          ids.push(`p${n}`);
          say(a.socket, `p${n}`);
          await pause(3);
        }
      })();
      const b = await c.dial(await c.commandMove(a));
      const { received } = await a.socket.next('moved');
      isOn = false;
      await talking;
      await b.next('welcome');
      for (const id of ids.slice(received)) say(b, id);
      for (const id of ids.slice(received)) await b.mustOk(id);
      for (const id of ids.slice(0, received)) await a.socket.mustOk(id);
      await waitFor(() => inbound.length >= ids.length);
      mustEqual(inbound.sort(), ids.sort(), 'what reached the service');
    },
  },
];

async function waitFor(isTrue: () => boolean): Promise<void> {
  const endsAtMs = Date.now() + 5_000;
  while (!isTrue() && Date.now() < endsAtMs) await pause(20);
}
