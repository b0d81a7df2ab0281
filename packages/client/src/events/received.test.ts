import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../../testing/runs.js';
import type { Source } from '../transport/source.js';
import { type Arrival, Received } from './received.js';

type Flags = Pick<Arrival, 'redelivered' | 'again'>;
const flagged: Flags = { redelivered: true };

/** A client's memory, and connections that bring it events. */
function make(capacity = 64) {
  const received = new Received(capacity);
  let clockMs = 0;
  const connect = (name: string | undefined, after?: Source) => {
    const source = { connection: name, after, receivedSeq: 0, ackedSeq: 0, aliveAtMs: clockMs };
    return {
      source,
      /** Whether each of these was handed on. */
      bring: (ids: readonly string[], flags: Flags | ((n: number) => Flags) = {}) =>
        ids.map((id, n) => {
          source.aliveAtMs = clockMs;
          const more = typeof flags === 'function' ? flags(n) : flags;
          return !received.isRepeat({ seq: source.receivedSeq + 1, id, ...more }, source);
        }),
      ack: (seq = source.receivedSeq) => {
        source.ackedSeq = seq;
      },
      heardAt: (ms: number) => {
        clockMs = ms;
        source.aliveAtMs = ms;
      },
    };
  };
  return { received, connect };
}

describe('an id of the publisher’s', () => {
  it('is a repeat while it is among the last so many', () => {
    const { connect } = make(3);
    const a = connect('a');
    expect(a.bring(['a', 'b', 'c'])).toEqual([true, true, true]);
    const b = connect('b', a.source);
    expect(b.bring(['a'], flagged)).toEqual([false]);
    expect(b.bring(['d', 'e'])).toEqual([true, true]);
    expect(b.bring(['a'], flagged)).toEqual([true]);
  });

  it('that two events have makes one of them, and is counted', () => {
    const { received, connect } = make();
    const a = connect('a');
    expect(a.bring(['x', 'x', 'y', 'x'])).toEqual([true, false, true, false]);
    expect(received.duplicates).toBe(2);
    expect(connect('b', a.source).bring(['x'], flagged)).toEqual([false]);
    expect(received.duplicates).toBe(2);
  });
});

describe('an id derived from content', () => {
  it('is no repeat unless marked', () => {
    expect(make().connect('a').bring(['~on', '~on', '~on'])).toEqual([true, true, true]);
  });

  it('is a repeat by its position, where the edge names it: two equal events are two', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~on']);
    a.ack();
    const b = connect('b', a.source);
    // The second was on the wire when the socket broke.
    expect(b.bring(['~on'], { redelivered: true, again: 2 })).toEqual([true]);
    const c = connect('c', b.source);
    expect(c.bring(['~on', '~on'], (n) => ({ redelivered: true, again: n + 1 }))).toEqual([false, true]);
  });

  it('is found again over two breaks, although the second edge names only its own positions', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~on', '~on', '~on']);
    const b = connect('b', a.source);
    expect(b.bring(['~on'], { redelivered: true, again: 1 })).toEqual([false]);
    const c = connect('c', b.source);
    const positions = (n: number): Flags => ({ redelivered: true, again: n + 1 });
    expect(c.bring(['~on', '~on', '~on', '~on'], positions)).toEqual([false, false, false, true]);
  });

  it('begins where acknowledging ended, where no edge can say: what never came is handed on', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~on', '~on', '~on']);
    a.heardAt(10_000);
    a.ack(1);
    const b = connect('b', a.source);
    expect(b.bring(['~on', '~on', '~on'], flagged)).toEqual([false, false, true]);
    expect(b.bring(['~on'])).toEqual([true]);
  });

  it('of distinct contents is found also where acknowledgements were lost with the connection', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~1', '~2', '~3']);
    a.ack();
    expect(connect('b', a.source).bring(['~2', '~3', '~4'], flagged)).toEqual([false, false, true]);
  });

  it('that recurs is handed on rather than lost, where it may be the same delivery and need not be', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~on', '~off', '~on', '~off']);
    a.ack();
    expect(connect('b', a.source).bring(['~on', '~off'], flagged)).toEqual([true, true]);
  });

  it('is no repeat of one that was acknowledged long before the connection was lost', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~alarm']);
    a.ack();
    a.heardAt(3_000);
    expect(connect('b', a.source).bring(['~alarm'], flagged)).toEqual([true]);
  });

  it('comes again on one connection too, when its edge has lost the broker for a moment', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~on', '~on', '~on']);
    a.ack(2);
    a.heardAt(10_000);
    expect(a.bring(['~on', '~on'], flagged)).toEqual([false, true]);
  });

  it('of distinct contents comes again there also where acknowledgements were lost with the broker', () => {
    const { connect } = make();
    const a = connect('a');
    a.bring(['~1', '~2', '~3']);
    a.ack();
    a.heardAt(5_000);
    expect(a.bring(['~2', '~3', '~4', '~4'], flagged)).toEqual([false, false, true, true]);
    expect(a.bring(['~5'])).toEqual([true]);
  });

  it('is no repeat of what was lost with its queue', () => {
    const { received, connect } = make();
    const a = connect('a');
    a.bring(['~on', '~on']);
    const b = connect('b', a.source);
    received.gap();
    expect(b.bring(['~on'])).toEqual([true]);
    expect(connect('c', b.source).bring(['~on', '~on'], flagged)).toEqual([false, true]);
  });
});

it('no more than the capacity is remembered, and no chain of connections', () => {
  const { received, connect } = make(2);
  let before: Source | undefined;
  for (let n = 0; n < 5; n++) {
    const { source, bring } = connect(`c${n}`, before);
    bring(['~a', '~b'], flagged);
    bring(['~c']);
    expect(before?.after).toBeUndefined();
    before = source;
  }
  expect(received.last).toBe(before);
});

const steps = ['publish', 'publish', 'ack', 'ack in vain', 'break', 'reconnect'] as const;
type Step = (typeof steps)[number];

/** A session's queue, in order and at least once; its edges name positions, or do not. */
class Model {
  readonly handed: number[] = [];
  published = 0;
  readonly #memory = make(1_024);
  readonly #queue: { n: number; id: string; wasSent: boolean }[] = [];
  readonly #contents: readonly string[];
  readonly #isNamed: boolean;
  #connection = this.#memory.connect('c0');
  #count = 0;
  /** What was written on this connection and is still in the queue. */
  #written = new Map<number, number>();
  #before = new Map<number, number>();
  #seq = 0;
  #isBroken = false;
  #clockMs = 0;

  constructor(contents: readonly string[], isNamed: boolean) {
    this.#contents = contents;
    this.#isNamed = isNamed;
  }

  pass(ms: number): void {
    this.#clockMs += ms;
    this.#connection.heardAt(this.#clockMs);
  }

  do(step: Step): void {
    const { source } = this.#connection;
    if (step === 'publish') {
      const { length } = this.#contents;
      const content = length > 0 ? this.#contents[this.published % length] : this.published;
      this.#queue.push({ n: this.published++, id: `~${content}`, wasSent: false });
      this.#deliver();
    } else if (step === 'ack' && !this.#isBroken) {
      this.#connection.ack();
      for (const [n, seq] of this.#written) if (seq <= source.ackedSeq) this.#remove(n);
    } else if (step === 'ack in vain' && this.#mayBreak) {
      this.#isBroken = true;
      this.#connection.ack();
    } else if (step === 'break' && this.#mayBreak) this.#isBroken = true;
    else if (step === 'reconnect') {
      const last = this.#memory.received.last;
      // Only of the connection that released it: one that brought nothing cannot be named.
      this.#before = last === source ? this.#written : new Map();
      this.#connection = this.#memory.connect(`c${++this.#count}`, last);
      this.#written = new Map();
      this.#seq = 0;
      this.#isBroken = false;
      this.#deliver();
    }
  }

  /** What breaks before it has brought anything cannot be named, and positions on it say nothing to the client. */
  get #mayBreak(): boolean {
    return !this.#isNamed || this.#connection.source.receivedSeq > 0;
  }

  #remove(n: number): void {
    this.#written.delete(n);
    this.#queue.splice(
      this.#queue.findIndex((each) => each.n === n),
      1,
    );
  }

  #deliver(): void {
    for (const each of this.#queue) {
      if (this.#written.has(each.n)) continue;
      this.#written.set(each.n, ++this.#seq);
      const again = this.#isNamed ? this.#before.get(each.n) : undefined;
      const flags: Flags = {
        ...(each.wasSent && { redelivered: true as const }),
        ...(again !== undefined && { again }),
      };
      each.wasSent = true;
      if (!this.#isBroken && this.#connection.bring([each.id], flags)[0]) this.handed.push(each.n);
    }
  }
}

const all = (model: Model) => Array.from({ length: model.published }, (_, n) => n);
const script = fc.array(fc.constantFrom<Step>(...steps), { maxLength: 60 });
const contents = fc.array(fc.constantFrom('on', 'off', 'alive'), { minLength: 1, maxLength: 4 });
/** Ends with an edge that has everything. */
const end: Step[] = ['reconnect', 'ack', 'reconnect'];

describe('whatever breaks', () => {
  it('every event is handed on once and in order where edges name positions, whatever the contents', () => {
    fc.assert(
      fc.property(script, contents, (steps, of) => {
        const model = new Model(of, true);
        for (const step of [...steps, ...end]) model.do(step);
        expect(model.handed).toEqual(all(model));
      }),
      { numRuns: runs },
    );
  });

  it('so it is of distinct contents where nobody names positions', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const model = new Model([], false);
        for (const step of [...steps, ...end]) model.do(step);
        expect(model.handed).toEqual(all(model));
      }),
      { numRuns: runs },
    );
  });

  it('no event is lost of contents that recur, where nobody names positions', () => {
    fc.assert(
      fc.property(script, contents, (steps, of) => {
        const model = new Model(of, false);
        for (const step of [...steps, ...end]) {
          model.do(step);
          model.pass(1_001);
        }
        expect(model.handed.length).toBeGreaterThanOrEqual(model.published);
        expect([...new Set(model.handed)].sort((a, b) => a - b)).toEqual(all(model));
      }),
      { numRuns: runs },
    );
  });
});
