import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import { type ClientCase, settleMs } from '../case.js';

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `e${from + n}`);

/** A timer may come a moment early. */
const earlyMs = 20;

export const eventRules: readonly Rule<ClientCase>[] = [
  {
    id: 'hello-first',
    section: '2.1',
    text: 'hello is the first frame, names the topics, and claims no state on the first connection',
    async check(c) {
      const connection = await c.connect(['prices.eur', 'news']);
      const [hello] = connection.all('hello');
      must(hello?.resume !== true, 'The client says resume: true in its first hello, where it has no state.');
      mustEqual(
        [...(hello?.topics ?? [])].sort(),
        ['news', 'prices.eur'],
        'The topics that the application wants from the start are not those of hello',
      );
      must(
        hello?.ack !== 'write',
        'The client asks for ack: write, so that events are lost with the socket.',
      );
      must(hello?.last === undefined, 'The client names a last connection in its first hello.');
    },
  },
  {
    id: 'hello-last',
    section: '2.1',
    text: 'hello names in last the connection that brought the last event and its seq, or leaves last out',
    async check(c) {
      const first = await c.connect();
      for (const id of numbered(1, 3)) first.event(id);
      await c.acked(first, 3);
      first.terminate();
      const second = await c.attach(c.a);
      const [hello] = second.all('hello');
      if (hello?.last !== undefined)
        mustEqual(hello.last, { connection: first.name, seq: 3 }, 'hello names another last event than came');
      must(hello?.awayMs === undefined || hello.awayMs >= 0, 'hello has a negative awayMs.');
      second.terminate();
      // The second connection has brought no event.
      const third = await c.attach(c.a);
      const [again] = third.all('hello');
      if (again?.last !== undefined)
        mustEqual(
          again.last,
          { connection: first.name, seq: 3 },
          'hello must name the connection that brought the last event, not the last connection',
        );
    },
  },
  {
    id: 'event-order',
    section: '2.2',
    text: 'events are handed on once and in order, however fast they come',
    async check(c) {
      const connection = await c.connect();
      const ids = numbered(1, 60);
      for (const id of ids) connection.event(id);
      await c.handedOn(ids, 'Every event must be handed on once, in order');
      await c.acked(connection, 60);
    },
  },
  {
    id: 'ack-after-handling',
    section: '2.1',
    text: 'an event is acknowledged when it is handled, not when it has come',
    async check(c) {
      const connection = await c.connect();
      const sentAtMs = performance.now();
      connection.event('e1', { data: { waitMs: 800 } });
      connection.event('e2');
      await c.until('acknowledged two events', () => connection.acked === 2);
      const [first] = c.acks(connection);
      must(
        (first?.atMs ?? 0) - sentAtMs >= 800 - earlyMs,
        'The client acknowledged an event while its handler was still at work.',
      );
    },
  },
  {
    id: 'ack-only-handled',
    section: '2.1',
    text: 'an ack names no event whose turn has not come',
    async check(c) {
      const connection = await c.connect();
      connection.event('e1');
      const sentAtMs = performance.now();
      connection.event('e2', { data: { waitMs: 700 } });
      for (const id of numbered(3, 10)) connection.event(id);
      await c.acked(connection, 10);
      const early = c.acks(connection).find(({ seq, atMs }) => seq > 1 && atMs - sentAtMs < 700 - earlyMs);
      must(
        early === undefined,
        `The client acknowledged up to event ${early?.seq} while event 2 was being handled.`,
      );
      await c.handedOn(numbered(1, 10), 'Events wait for those before them');
    },
  },
  {
    id: 'ack-window',
    section: '2.1',
    text: 'a client acknowledges within the window, so that the edge can go on',
    async check(c) {
      const connection = await c.connect([], { window: 2 });
      for (let n = 1; n <= 10; n += 2) {
        for (const id of numbered(n, n + 1)) connection.event(id);
        await c.acked(connection, n + 1, 3_000);
      }
      await c.handedOn(numbered(1, 10), 'Under a window of 2 every event must be handed on');
    },
  },
  {
    id: 'ack-batched',
    section: '2.1',
    text: 'acknowledgements are cumulative: events that come together need fewer acks than events (advice)',
    isAdvice: true,
    async check(c) {
      const connection = await c.connect();
      for (const id of numbered(1, 60)) connection.event(id);
      await c.acked(connection, 60);
      const count = c.acks(connection).length;
      must(count <= 30, `The client sent ${count} acks for 60 events that came together.`);
    },
  },
  {
    id: 'ack-per-connection',
    section: '2.2',
    text: 'seq begins anew on each connection, and so do acknowledgements',
    async check(c) {
      const first = await c.connect();
      for (const id of numbered(1, 5)) first.event(id);
      await c.acked(first, 5);
      first.terminate();
      const second = await c.attach(c.a);
      await c.never(
        'The client acknowledged on its new connection what the old one had brought.',
        () => second.acked > 0,
        settleMs,
      );
      second.event('e6');
      await c.acked(second, 1);
      await c.handedOn(numbered(1, 6), 'Every event must be handed on once, in order');
    },
  },
  {
    id: 'ack-busy',
    section: '2.1',
    text: 'a client that takes longer than heartbeatMs over one event says so, by repeating its last ack with busy',
    async check(c) {
      // Long enough that a machine with much to do does not take the edge for silent.
      const connection = await c.connect([], { heartbeatMs: 1_000 });
      connection.event('e1');
      await c.acked(connection, 1);
      connection.event('e2', { data: { waitMs: 3_500 } });
      await c.acked(connection, 2);
      const busy = connection.all('ack').filter((ack) => ack.busy === true);
      must(busy.length > 0, 'The client was at work on one event for three heartbeats and did not say busy.');
      must(
        busy.every(({ seq }) => seq <= 1),
        'The client said busy with a seq that it had not handled.',
      );
      await c.never(
        'The client says busy while it has nothing to do.',
        () => connection.all('ack').filter((ack) => ack.busy === true).length > busy.length,
        2_000,
      );
    },
  },
  {
    id: 'unknown-frames',
    section: '2',
    text: 'a client ignores kinds of frames that it does not know',
    async check(c) {
      const connection = await c.connect();
      connection.event('e1');
      for (const kind of ['sparkle', 'ask', 'presence'])
        connection.socket.send(JSON.stringify({ t: kind, seq: 1, id: 'x', data: { any: [1] } }));
      connection.event('e2');
      await c.handedOn(['e1', 'e2'], 'Frames of unknown kinds must change nothing');
      must(
        connection.closedWith === undefined,
        'The client left over a frame of a kind that it does not know.',
      );
    },
  },
  {
    id: 'ask-acknowledged',
    section: '2.2',
    text: 'an ask is acknowledged as an event, whether the client answers it or not, and events go on',
    async check(c) {
      const connection = await c.connect();
      connection.event('e1');
      const id = `asker.${'0'.repeat(22)}`;
      connection.seq += 1;
      connection.send({ t: 'ask', seq: connection.seq, id, method: 'conformance.nobody', data: null });
      connection.event('e2');
      await c.handedOn(['e1', 'e2'], 'A question must keep no event waiting');
      await c.acked(connection, 3);
    },
  },
  {
    id: 'error-alone',
    section: '2.2',
    text: 'an error that concerns no request ends nothing',
    async check(c) {
      const connection = await c.connect();
      connection.send({ t: 'error', code: 'unknown-type', message: 'no such kind' });
      connection.event('e1');
      await c.handedOn(['e1'], 'After an error frame the connection goes on');
      must(connection.closedWith === undefined, 'The client left over an error frame.');
    },
  },
  {
    id: 'unknown-fields',
    section: '2',
    text: 'a client ignores fields that it does not know, and does without those that earlier edges do not send',
    async check(c) {
      c.launch();
      const connection = await c.hello(c.a);
      const send = (frame: object) =>
        connection.socket.send(JSON.stringify({ ...frame, future: { any: [1] } }));
      const { session } = c.mesh;
      send({ t: 'welcome', session, node: 'edge-a', resumed: false, heartbeatMs: 15_000, window: 64 });
      connection.seq = 2;
      send({ t: 'event', seq: 1, id: 'e1', name: 'test', data: 1, at: 1, headers: { 'x-any': 'v' } });
      send({ t: 'event', seq: 2, id: 'e2', name: 'test', data: 2, at: 1 });
      await c.handedOn(['e1', 'e2'], 'Unknown fields must change nothing');
      await c.acked(connection, 2);
    },
  },
  {
    id: 'gap-before-next',
    section: '2.2',
    text: 'a gap is told before the next event',
    async check(c) {
      const connection = await c.connect();
      connection.event('e1', { data: { waitMs: 300 } });
      connection.send({ t: 'gap', reason: 'overflow' });
      connection.event('e2');
      await c.handedOn(['e1', 'e2'], 'A gap must change nothing about events');
      const order = c.lines.filter(({ kind, id }) => kind === 'gap' || id === 'e2').map(({ kind }) => kind);
      must(order.includes('gap'), 'The client did not tell its application of a gap.');
      must(order[0] === 'gap', 'The client told of a gap only after the event that follows it.');
      const [gap] = c.all('gap');
      mustEqual(gap?.reason, 'overflow', 'The client told another reason of a gap');
      must((gap?.topic ?? null) === null, 'The client told a gap of events as one of a topic.');
    },
  },
  {
    id: 'gap-of-unknown-reason',
    section: '2.3',
    text: 'a gap is told also where the client does not know its reason',
    async check(c) {
      const connection = await c.connect();
      connection.socket.send(JSON.stringify({ t: 'gap', reason: 'history-lost' }));
      connection.event('e1');
      await c.handedOn(['e1'], 'A gap of an unknown reason must change nothing about events');
      must(c.all('gap').length === 1, 'The client did not tell of a gap whose reason it does not know.');
    },
  },
  {
    id: 'gap-after-loss',
    section: '5',
    text: 'a session that had expired is told as a gap, and the client goes on',
    async check(c) {
      const first = await c.connect();
      first.event('e1');
      await c.acked(first, 1);
      first.terminate();
      const second = await c.attach(c.a, { resumed: false });
      second.send({ t: 'gap', reason: 'session-expired' });
      second.event('e2');
      await c.handedOn(['e1', 'e2'], 'After a gap session-expired the client must go on');
      must(
        c.all('gap').some(({ reason }) => reason === 'session-expired'),
        'The client did not tell that its session had expired.',
      );
    },
  },
  ...[
    {
      id: 'json',
      text: 'JSON',
      data: { n: [1, null, false, 'ü'] },
      seen: { data: { n: [1, null, false, 'ü'] } },
    },
    { id: 'null', text: 'null', data: null, seen: { data: null } },
    { id: 'false', text: 'false', data: false, seen: { data: false } },
    { id: 'text', text: 'a string', data: 'ahoy', seen: { data: 'ahoy' } },
  ].map(
    ({ id, text, data, seen }): Rule<ClientCase> => ({
      id: `body-${id}`,
      section: '2',
      text: `${text} arrives as it is`,
      async check(c) {
        const connection = await c.connect();
        connection.event('e1', { data });
        await c.handedOn(['e1'], 'An event must be handed on whatever its body');
        mustEqual(c.all('event')[0]?.data, seen.data, `The client changed ${text}`);
      },
    }),
  ),
  {
    id: 'body-bytes',
    section: '2',
    text: 'data with encoding base64 is handed on as bytes',
    async check(c) {
      const connection = await c.connect();
      const payload = { data: 'AP+A/w==', encoding: 'base64', contentType: 'image/png' } as const;
      connection.event('e1', payload);
      // What the edge could not decode is bytes too.
      connection.event('e2', { ...payload, contentEncoding: 'zstd' });
      await c.handedOn(['e1', 'e2'], 'An event of bytes must be handed on');
      for (const event of c.all('event'))
        mustEqual(event.bytes, payload.data, 'The client did not hand the body on as bytes');
    },
  },
  {
    id: 'body-large',
    section: '2',
    text: 'a client takes frames of 1,048,576 bytes (SHOULD)',
    isAdvice: true,
    async check(c) {
      const connection = await c.connect();
      connection.event('e1', { data: 'x'.repeat(1_048_576 - 200) });
      await c.acked(connection, 1);
      must(connection.closedWith === undefined, 'The client closed over a frame of 1 MiB.');
    },
  },
];
