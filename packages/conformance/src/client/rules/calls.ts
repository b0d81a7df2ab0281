import type { ScriptedConnection } from '@evenkeel/testkit';
import type { Rule } from '../../rule.js';
import { must, mustEqual } from '../../verdict.js';
import { type ClientCase, settleMs } from '../case.js';
import { mustStop } from './closes.js';
import { asksToMove } from './moves.js';

/** What a driver is told to do, in the data of an event. */
interface Step {
  readonly do: 'publish' | 'request' | 'end';
  /** Repeated in the answer. */
  readonly call?: string;
  readonly topic?: string;
  readonly method?: string;
  readonly data?: unknown;
  readonly bytes?: string;
}

const publish = (call: string, data: unknown = call): Step => ({
  do: 'publish',
  call,
  topic: 'chat.all',
  data,
});
const request = (call: string): Step => ({ do: 'request', call, method: 'greet', data: call });

/** The client is told to do these, by an event. */
function tell(connection: ScriptedConnection, steps: readonly Step[]): void {
  connection.event(`do-${connection.seq + 1}`, { data: { do: steps } });
}

const callsOf = ({ frames }: ScriptedConnection) =>
  frames.filter((frame) => frame.t === 'publish' || frame.t === 'request');
const idsOf = (connection: ScriptedConnection): string[] => callsOf(connection).map(({ id }) => id);

/** As many calls have come there. */
async function sent(c: ClientCase, connection: ScriptedConnection, count: number): Promise<string[]> {
  await c.until(`sent ${count} calls at ${connection.edge.node}`, () => callsOf(connection).length >= count);
  return idsOf(connection);
}

async function answered(c: ClientCase, call: string): Promise<Record<string, unknown>> {
  const [answer] = await c.until(`told the answer to '${call}'`, () => {
    const answers = c.answers(call);
    return answers.length > 0 && answers;
  });
  return answer ?? {};
}

export const callRules: readonly Rule<ClientCase>[] = [
  {
    id: 'call-answers',
    section: '2.2',
    text: 'ok and error answer the request that they name, in any order',
    needs: ['request'],
    async check(c) {
      const connection = await c.connect();
      tell(connection, [request('one'), request('two'), request('three')]);
      const [one, two, three] = await sent(c, connection, 3);
      must(new Set([one, two, three]).size === 3, 'The client gave two open requests one id.');
      connection.send({ t: 'ok', re: three ?? '', data: 'III' });
      connection.send({ t: 'error', re: two ?? '', code: 'no-service', message: 'none' });
      connection.send({ t: 'ok', re: 'nobody', data: 'x' });
      connection.send({ t: 'ok', re: one ?? '', data: { text: 'I' } });
      mustEqual((await answered(c, 'one')).data, { text: 'I' }, 'A request got another answer');
      mustEqual(
        (await answered(c, 'two')).error,
        'no-service',
        'An error reached its request with another code',
      );
      mustEqual((await answered(c, 'three')).data, 'III', 'A request got another answer');
    },
  },
  {
    id: 'call-bytes',
    section: '2.2',
    text: 'a reply with encoding base64 is handed on as bytes',
    needs: ['request'],
    async check(c) {
      const connection = await c.connect();
      tell(connection, [request('one')]);
      const [id = ''] = await sent(c, connection, 1);
      connection.send({ t: 'ok', re: id, data: 'AP+A', encoding: 'base64', contentType: 'image/png' });
      mustEqual(
        (await answered(c, 'one')).bytes,
        'AP+A',
        'The client did not hand a reply of bytes on as bytes',
      );
    },
  },
  {
    id: 'call-publishes-bytes',
    section: '2.1',
    text: 'bytes are sent as base64 with encoding',
    needs: ['publish', 'bytes'],
    async check(c) {
      const connection = await c.connect();
      tell(connection, [{ do: 'publish', call: 'one', topic: 'chat.all', bytes: 'AP+A' }]);
      await sent(c, connection, 1);
      const [frame] = connection.all('publish');
      mustEqual(
        [frame?.data, frame?.encoding],
        ['AP+A', 'base64'],
        'The client sent bytes otherwise than as base64 with encoding',
      );
    },
  },
  ...(['publish', 'request'] as const).map(
    (kind): Rule<ClientCase> => ({
      id: `call-resend-${kind}`,
      section: '2',
      text: `after a loss a ${kind} that is not answered goes again, with the same id`,
      needs: [kind],
      async check(c) {
        c.a.defaults.answer = false;
        const first = await c.connect();
        tell(first, [kind === 'publish' ? publish('one') : request('one')]);
        const [id] = await sent(c, first, 1);
        await c.acked(first, 1);
        first.terminate();
        const second = await c.attach(c.a);
        const [again] = await sent(c, second, 1);
        mustEqual(
          again,
          id,
          `The client sent its ${kind} again under another id, so that services take it for another`,
        );
        second.send({ t: 'ok', re: again ?? '', data: null });
        must(
          (await answered(c, 'one')).error === undefined,
          'The call failed although its repeat was answered.',
        );
        must(callsOf(second).length === 1, `The client sent its ${kind} more than once on one socket.`);
      },
    }),
  ),
  {
    id: 'call-not-twice',
    section: '2.1',
    text: 'what is answered is not sent again after a loss',
    needs: ['publish'],
    async check(c) {
      const first = await c.connect();
      tell(first, [publish('one')]);
      await answered(c, 'one');
      await c.acked(first, 1);
      first.terminate();
      const second = await c.attach(c.a);
      await c.never(
        'The client sent again what had been answered.',
        () => callsOf(second).length > 0,
        2 * settleMs,
      );
    },
  },
  {
    id: 'move-calls',
    section: '4',
    text: 'what the old edge did not count in received goes to the new one with the same id, and nothing else does',
    needs: ['publish'],
    async check(c) {
      c.a.defaults.answer = false;
      const first = await c.connect();
      tell(first, [publish('one'), publish('two'), publish('three')]);
      const [one, two, three] = await sent(c, first, 3);
      const second = await asksToMove(c, first, c.b);
      first.send({ t: 'ok', re: one ?? '' });
      first.moved(first.received - 2);
      second.welcome({ resumed: true });
      const again = await sent(c, second, 2);
      mustEqual(again, [two, three], 'The client sent other calls again than those that moved left out');
      for (const call of ['one', 'two', 'three'])
        must((await answered(c, call)).error === undefined, `The call '${call}' failed over a move.`);
      must(callsOf(second).length === 2, 'The client sent again what the old edge had accepted.');
    },
  },
  {
    id: 'move-calls-answered-there',
    section: '4',
    text: 'a request that the old edge accepted is answered by the new one',
    needs: ['request'],
    async check(c) {
      const first = await c.connect();
      tell(first, [request('one')]);
      const [id = ''] = await sent(c, first, 1);
      const second = await asksToMove(c, first, c.b);
      first.moved();
      second.welcome({ resumed: true });
      second.send({ t: 'ok', re: id, data: 'late' });
      mustEqual((await answered(c, 'one')).data, 'late', 'The answer to a request was lost over a move');
      must(callsOf(second).length === 0, 'The client sent a request again that moved had counted.');
    },
  },
  ...[
    {
      id: 'default',
      said: 'where welcome does not say how long a frame may be',
      limits: undefined,
      most: 65_536,
    },
    {
      id: 'told',
      said: 'where welcome says how long a frame may be',
      limits: { framesPerSecond: 100, burst: 400, maxTopics: 128, maxFrameBytes: 2_048 },
      most: 2_048,
    },
  ].map(
    ({ id, said, limits, most }): Rule<ClientCase> => ({
      id: `limits-frame-${id}`,
      section: '2.2',
      text: `a client sends no frame longer than an edge takes, and goes on, ${said}`,
      needs: ['publish'],
      async check(c) {
        const connection = await c.connect([], limits && { limits });
        tell(connection, [publish('long', 'ü'.repeat(most / 2 + 100)), publish('short')]);
        must(
          (await answered(c, 'short')).error === undefined,
          'A short publish failed after one that is too long.',
        );
        must((await answered(c, 'long')).error !== undefined, 'A publish that is too long was told as sent.');
        const sizes = callsOf(connection).map((frame) => Buffer.byteLength(JSON.stringify(frame)));
        const longest = Math.max(...sizes);
        must(
          longest <= most,
          `The client sent a frame of ${longest} bytes: for more than ${most} an edge closes with 1009.`,
        );
      },
    }),
  ),
  {
    id: 'limits-rate',
    section: '2.2',
    text: 'more calls than welcome allows in a second are all carried out: the client paces itself, or sends again',
    needs: ['publish'],
    async check(c) {
      const limits = { framesPerSecond: 40, burst: 10, maxTopics: 128, maxFrameBytes: 65_536 };
      c.a.defaults.answer = false;
      const connection = await c.connect([], { limits });
      // As an edge counts: so many at once, and so many more a second.
      let tokens = limits.burst;
      let atMs = performance.now();
      connection.socket.on('message', () => {
        const frame = connection.frames.at(-1);
        if (frame?.t !== 'publish') return;
        const now = performance.now();
        tokens = Math.min(limits.burst, tokens + ((now - atMs) * limits.framesPerSecond) / 1_000);
        atMs = now;
        if (tokens >= 1) connection.send({ t: 'ok', re: frame.id });
        else connection.send({ t: 'error', re: frame.id, code: 'rate-limited', message: 'later' });
        tokens = Math.max(0, tokens - 1);
      });
      const calls = Array.from({ length: 40 }, (_, n) => `p${n}`);
      tell(
        connection,
        calls.map((call) => publish(call)),
      );
      for (const call of calls) {
        const { error } = await answered(c, call);
        must(
          error === undefined,
          `Of 40 calls at once, under a burst of 10, one failed with ${String(error)}.`,
        );
      }
    },
  },
  {
    id: 'bye',
    section: '2.1',
    text: 'a client that ends its session says bye, having acknowledged, and stops when it is told ended',
    needs: ['end'],
    async check(c) {
      const connection = await c.connect();
      connection.event('e1');
      tell(connection, [{ do: 'end' }]);
      await c.until('said bye', () => connection.all('bye').length > 0);
      must(connection.acked >= 1, 'The client said bye before it had acknowledged what it had handled.');
      connection.close(1000, 'ended');
      await mustStop(c, 1, 'after its bye was answered');
    },
  },
  {
    id: 'bye-over-move',
    section: '2.1',
    text: 'bye that falls into a move is said again on the socket that gets welcome',
    needs: ['end'],
    async check(c) {
      const first = await c.connect();
      const second = await asksToMove(c, first, c.b);
      tell(first, [{ do: 'end' }]);
      await c.until('said bye', () => first.all('bye').length > 0);
      first.moved();
      second.welcome({ resumed: true });
      await c.until('said bye again on the new socket of a move', () => second.all('bye').length > 0);
      second.close(1000, 'ended');
      await mustStop(c, 1, 'after its bye was answered');
    },
  },
];
