import { readReport, type StatsListener } from '@evenkeel/mesh';
import { meshPolicy, moveReport, nodeStats, sessionsReport } from '@evenkeel/protocol';
import { isSame, jsonOf } from '../same.js';
import { holds, type Target } from '../target.js';
import { envelopeWords, messageOf } from './envelope.js';

const reports = [nodeStats, moveReport, sessionsReport, meshPolicy] as const;

/** Longest that is said of a report that is not understood, characters, for each byte of it: it names what is wrong, all of it. */
const saidPerByte = 400;

/** What edges tell of themselves. */
export const statistics: Target = {
  name: 'statistics',
  about: 'reports on mesh.stats: statistics, moves, sessions, the policy',
  maxBytes: 16_384,
  words: [
    ...envelopeWords,
    ...new Set(reports.flatMap(({ shape }) => Object.keys(shape))),
    ...[
      'stats.edge-1',
      'moves.edge-1',
      'sessions.edge-1',
      'policy',
      'edge-1',
      'edge-2',
      'edge',
      'active',
      'draining',
    ],
    ...[
      'cordoned',
      'alice.s1',
      'least-loaded',
      'move',
      'to',
      'asked',
      'sent',
      'done',
      'failed',
      'pinned',
      'isFinal',
      'broker',
    ],
  ],
  run(input) {
    const message = messageOf(input, { exchange: 'mesh.stats' });
    if (message === undefined) return;
    const { heard, why } = read(message);
    holds((heard === undefined) === (why !== undefined), 'a report is heard, or it is said why not', why);
    if (why !== undefined) {
      const most = saidPerByte * (message.body.length + 100);
      holds(why.length <= most, 'what is said of a report is bounded', why);
      return;
    }
    const { key, properties } = message;
    const { node } = (heard ?? {}) as { node?: string };
    if (node !== undefined) {
      holds(key.endsWith(`.${node}`), 'a report is about its sender', { key, node });
      const { userId = '' } = properties;
      holds(
        !userId.startsWith('edge-') || userId === `edge-${node}`,
        'who has a name speaks for that alone',
        userId,
      );
    }
    holds(jsonOf(message.body.toString('utf8')) !== undefined, 'a report is JSON');
    const again = read({ ...message, body: Buffer.from(JSON.stringify(heard)) });
    holds(isSame(again.heard, heard), 'what was read can be sent on, and says the same', heard);
  },
};

type Message = NonNullable<ReturnType<typeof messageOf>>;

function read(message: Message): { readonly heard: unknown; readonly why: string | undefined } {
  let heard: unknown;
  const hear = (report: unknown): void => {
    heard = report;
  };
  const listener: StatsListener = { onStats: hear, onMoves: hear, onSessions: hear, onPolicy: hear };
  const why = readReport(message, listener);
  return { heard, why };
}
