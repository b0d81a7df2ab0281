import { Answers, type AnswersOptions } from '../src/session/answers.js';
import { Asks } from '../src/session/asks.js';
import { StreamLoad } from '../src/session/load.js';

/** Answers of a session of alice, and what services were told of them. */
export function answersWorld(options: Partial<AnswersOptions> = {}) {
  const told: string[] = [];
  const load = new StreamLoad();
  const claims = { uid: 'alice', sid: 's' };
  const answers = new Answers({
    claims,
    asks: new Asks({ claims, maxBytes: 1_000, ackWithinMs: 1_000, isBare: false, now: () => 7 }),
    limit: 2,
    maxBytes: 1_000,
    cancels: {
      cancel: ({ uid, sid }, id) => void told.push(`cancel ${uid} ${sid} ${id}`),
      received: ({ uid, sid }, id, word) => void told.push(`received ${uid} ${sid} ${id} ${word}`),
      taken: (_, id, n, word) => void told.push(`taken ${id} ${n} ${word}`),
    },
    load,
    onPart: () => {},
    ...options,
  });
  return { answers, told, load };
}
