import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Line, readLog } from '../log.js';
import { judge, type Verdict } from './judge.js';
import type { FaultKind } from './stream.js';

const histories = join(import.meta.dirname, '..', 'histories');
const textOf = (kind: string, name: string): string =>
  readFileSync(join(histories, kind, `${name}.jsonl`), 'utf8');
const namesOf = (kind: string): string[] =>
  readdirSync(join(histories, kind)).map((file) => file.replace('.jsonl', ''));

/** Why a bad history is refused: by its name, or as told here. */
const reasons: Readonly<Record<string, string>> = {
  'acknowledged-before-its-handler-had-ended': 'early',
  'answer-of-another': 'foreign',
  'part-of-another-number': 'foreign',
  'part-that-nobody-asked-for': 'foreign',
  'cut-off-line': 'malformed',
  'condition-never-shown': 'notShown',
  'equal-event-lost': 'lost',
  'false-gap-after-a-short-absence': 'falseGaps',
  'gap-after-the-next-event': 'lateGaps',
  'gap-before-the-hole': 'lost',
  'gap-of-another-stream': 'lost',
  'never-published': 'foreign',
  'overflow-told-far-below-the-limit': 'falseGaps',
  'overflow-told-of-a-queue-with-room': 'falseGaps',
  'new-event-with-an-old-position': 'lost',
  'one-gap-for-two-holes': 'lost',
  'topic-equal-messages-lost-after-a-move': 'lost',
  'topic-false-gap': 'falseGaps',
  'topic-gap-after-the-next-message': 'lateGaps',
};
const byPrefix = { lost: 'lost', repeated: 'repeated', reordered: 'reordered', 'false-gap': 'falseGaps' };
const counts = ['lost', 'lateGaps', 'repeated', 'reordered', 'falseGaps', 'foreign', 'early'] as const;

function reasonOf(name: string): string {
  const prefix = Object.entries(byPrefix).find(([each]) => name.replace('topic-', '').startsWith(each));
  return reasons[name] ?? prefix?.[1] ?? '';
}

/** The names of everything that a verdict holds against a history. */
const held = (verdict: Verdict): string[] => [
  ...counts.filter((name) => verdict[name] > 0),
  ...(['malformed', 'notShown'] as const).filter((name) => verdict[name].length > 0),
];

describe('bad histories', () => {
  test('there are at least twenty', () => {
    expect(namesOf('bad').length).toBeGreaterThanOrEqual(20);
  });
  test.each(namesOf('bad'))('%s is refused, and for that reason', (name) => {
    const verdict = judge(readLog(textOf('bad', name)));
    expect(verdict.ok).toBe(false);
    expect(held(verdict)).toContain(reasonOf(name));
  });
});

test.each(namesOf('good'))('the good history %s passes', (name) => {
  const verdict = judge(readLog(textOf('good', name)));
  expect(verdict.faults).toEqual([]);
  expect(verdict).toMatchObject({ ok: true, malformed: [], notShown: [] });
});

/** A run of one client that is cut now and then, on a mesh that makes no fault. */
const goodHistory = fc
  .array(fc.constantFrom('event', 'equal', 'cut', 'bank', 'returned'), { minLength: 4, maxLength: 60 })
  .map(historyOf)
  .filter((lines) => deliveriesIn(lines).length >= 3);

type Fault = { readonly kind: FaultKind; readonly spoil: (lines: Line[], index: number) => Line[] };
const faults: readonly Fault[] = [
  { kind: 'lost', spoil: (lines, at) => lines.filter((_, i) => i !== at) },
  { kind: 'repeated', spoil: (lines, at) => [...lines.slice(0, at + 1), ...lines.slice(at)] },
  {
    kind: 'false-gap',
    spoil: (lines, at) => [
      ...lines.slice(0, at),
      { ...(lines[at] as Line & { kind: 'frame' }), frame: { t: 'gap', reason: 'overflow' } },
      ...lines.slice(at),
    ],
  },
];

test('a good history passes, and one fault put anywhere into it is found', () => {
  fc.assert(
    fc.property(goodHistory, fc.nat(), fc.constantFrom(...faults), (good, pick, { kind, spoil }) => {
      expect(verdictOf(good).faults).toEqual([]);
      // What came back to its publisher is missing all the same: a gap there is true.
      fc.pre(
        kind !== 'false-gap' || !good.some((each) => each.kind === 'confirm' && each.outcome !== 'routed'),
      );
      const places = deliveriesIn(good);
      const spoilt = verdictOf(spoil([...good], places[pick % places.length] ?? 0));
      expect(spoilt.faults.map((each) => each.kind)).toContain(kind);
    }),
    { numRuns: Number(process.env.EVENKEEL_TEST_RUNS ?? 300) },
  );
});

test('two deliveries that change places are found', () => {
  fc.assert(
    fc.property(goodHistory, fc.nat(), (good, pick) => {
      const places = deliveriesIn(good);
      const [a = 0, b = 0] = places.slice(pick % (places.length - 1));
      const [first, second] = [good[a], good[b]] as (Line & { kind: 'frame' })[];
      fc.pre(first?.connection === second?.connection && first?.frame.data !== second?.frame.data);
      const swapped = [...good];
      swapped[a] = { ...first, frame: second?.frame } as Line;
      swapped[b] = { ...second, frame: first?.frame } as Line;
      expect(verdictOf(swapped).ok).toBe(false);
    }),
  );
});

const verdictOf = (lines: readonly Line[]): Verdict =>
  judge({ lines: lines.map((line, at) => ({ ...line, at })), malformed: [] });

const deliveriesIn = (lines: readonly Line[]): number[] =>
  lines.flatMap((line, i) => (line.kind === 'frame' && line.frame.t === 'event' ? [i] : []));

function historyOf(steps: readonly string[]): Line[] {
  const lines: Line[] = [];
  const counted = new Map<string, number>();
  const next = (name: string): number => {
    counted.set(name, (counted.get(name) ?? 0) + 1);
    return counted.get(name) ?? 0;
  };
  let connection = '';
  const open = (): void => {
    const resume = connection !== '';
    connection = `c${next('connection')}`;
    lines.push({ kind: 'open', at: 0, connection, uid: 'u', session: 's' });
    lines.push({ kind: 'send', at: 0, connection, frame: { t: 'hello', resume } });
    lines.push({ kind: 'frame', at: 0, connection, frame: { t: 'welcome', resumed: resume, window: 64 } });
  };
  open();
  for (const step of steps) {
    if (step === 'cut') {
      lines.push({ kind: 'close', at: 0, connection, by: 'cut', code: 1006 });
      open();
      continue;
    }
    const publisher = step === 'bank' ? 'bank' : step === 'equal' ? 'bare' : 'shop';
    const n = next(publisher);
    const data = step === 'equal' ? ['on', 'off'][n % 2] : n;
    const named = step === 'equal' ? {} : { id: `${publisher}-${n}` };
    const isReturned = step === 'returned';
    lines.push({ kind: 'publish', at: 0, publisher, n, keys: ['user.u.e'], data, ...named });
    lines.push({ kind: 'confirm', at: 0, publisher, n, outcome: isReturned ? 'returned' : 'routed' });
    if (isReturned) continue;
    const seq = next(connection);
    const frame = { t: 'event', seq, id: named.id ?? `~${String(data)}`, name: 'e', data };
    lines.push({ kind: 'frame', at: 0, connection, frame });
    lines.push({ kind: 'send', at: 0, connection, frame: { t: 'ack', seq } });
  }
  return lines;
}
