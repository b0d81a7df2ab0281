import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { statsOf } from '@evenkeel/testkit';
import type { Case, Seen } from './case.js';

/** What the balancer's own decisions look like from here. */
interface Decisions {
  readonly why: string;
  readonly drains: Map<string, object>;
  lead(saved: undefined, nowMs: number): void;
  observe(stats: object, nowMs: number): void;
  report(report: object, nowMs: number): void;
  tick(nowMs: number): void;
}
interface Ports {
  send(node: string, command: Command): void;
  save(): void;
  log(event: string): void;
  newPlanId(): string;
}
interface Command {
  readonly command: string;
  readonly move: string;
  readonly count?: number;
  readonly load?: number;
  readonly to: { readonly node: string };
}

const stepMs = 100;
const hourMs = 3_600_000;

/** Edges that exist in numbers only, under the real decisions, on a time of their own. */
class Toy {
  readonly nodes: Record<string, { sessions: number; state: string }>;
  readonly decisions: Decisions;
  nowMs = 1e9;
  /** How far the clocks of the edges are off. */
  skewMs = 0;
  plans = 0;
  moved = 0;
  /** How many of those that a move is about it asks, and how many of these go. */
  answers: (to: string, wanted: number) => { asked: number; done: number } = (_, wanted) => ({
    asked: wanted,
    done: wanted,
  });
  /** Events a second of one session there. */
  rateOf: (node: string) => number = () => 0;
  #seq = 0;
  #reports: object[] = [];

  private constructor(
    make: new (ports: Ports, options: object) => Decisions,
    sessions: Record<string, number>,
    options: object,
  ) {
    this.nodes = Object.fromEntries(
      Object.entries(sessions).map(([name, n]) => [name, { sessions: n, state: 'active' }]),
    );
    const ports: Ports = {
      send: (from, command) => this.#move(from, command),
      save: () => undefined,
      log: (event) => {
        if (event === 'plan started') this.plans++;
      },
      newPlanId: () => `p${this.plans}`,
    };
    this.decisions = new make(ports, options);
    this.decisions.lead(undefined, this.nowMs);
  }

  static async of(sessions: Record<string, number>, options: object = {}): Promise<Toy> {
    const core = join(
      import.meta.dirname,
      '..',
      '..',
      '..',
      'services',
      'balancer',
      'dist',
      'core',
      'balancer.js',
    );
    const { Balancer } = (await import(pathToFileURL(core).href)) as {
      Balancer: new (ports: Ports, options: object) => Decisions;
    };
    return new Toy(Balancer, sessions, options);
  }

  /** So many seconds go by; in silence no edge reports. */
  run(seconds: number, isSilent = false, each: () => void = () => undefined): void {
    for (let n = 0; n < (seconds * 1000) / stepMs; n++, this.nowMs += stepMs) {
      if (!isSilent && n % 10 === 0) this.#observeAll();
      for (const report of this.#reports.splice(0)) this.decisions.report(report, this.nowMs);
      this.decisions.tick(this.nowMs);
      each();
    }
  }

  sessionsOf(name: string): number {
    return this.nodes[name]?.sessions ?? 0;
  }

  toString(): string {
    const counts = Object.entries(this.nodes).map(([name, { sessions }]) => `${name} ${sessions}`);
    return `${counts.join(', ')}, ${this.plans} plans; ${this.decisions.why}`;
  }

  #observeAll(): void {
    this.#seq++;
    for (const [node, { sessions, state }] of Object.entries(this.nodes)) {
      const load = { connections: sessions, sessions, deliveredPerSecond: sessions * this.rateOf(node) };
      const over = {
        boot: node,
        seq: this.#seq,
        at: this.nowMs + this.skewMs,
        state: state as 'active',
        ...load,
      };
      this.decisions.observe(statsOf(node, over), this.nowMs);
    }
  }

  #move(from: string, { command, move, count, load, to }: Command): void {
    const [source, target] = [this.nodes[from], this.nodes[to?.node]];
    if (command !== 'reconnect' || source === undefined || target === undefined) return;
    const byLoad = load === undefined ? Infinity : Math.round(load / this.rateOf(from));
    const { asked, done } = this.answers(to.node, Math.min(count ?? Infinity, source.sessions, byLoad));
    source.sessions -= done;
    target.sessions += done;
    this.moved += done;
    const counts = { asked, sent: asked, done, failed: asked - done, timedOut: 0, refused: 0, isFinal: true };
    this.#reports.push({
      v: 1,
      node: from,
      boot: from,
      at: this.nowMs,
      moves: [{ move, to: to.node, ...counts }],
    });
  }
}

const seen = (toy: Toy, isRight: boolean): Seen => ({ isRight, saw: String(toy) });
const observer = 'what one observer’s clock or connection tells is no fact about nodes';

export const balancingCases: readonly Case[] = [
  {
    name: 'drain-outlives-silence',
    right: 'an operator’s drain goes on after 16 s in which nobody reported',
    kind: observer,
    async run() {
      const toy = await Toy.of({ a: 0, b: 200 });
      Object.assign(toy.nodes.a ?? {}, { state: 'cordoned' });
      toy.decisions.drains.set('a', { node: 'a', boot: 'a', by: 'operator', endsBy: toy.nowMs + hourMs });
      toy.run(5);
      toy.run(16, true);
      toy.run(5);
      Object.assign(toy.nodes.a ?? {}, { sessions: 20 });
      toy.run(20);
      return seen(toy, toy.sessionsOf('a') === 0);
    },
  },
  {
    name: 'clocks-of-edges-step-back',
    right: 'levelling and draining go on when the edges’ clocks step back by ten minutes',
    kind: observer,
    async run() {
      const toy = await Toy.of({ a: 100, b: 100 });
      toy.run(10);
      toy.skewMs = -600_000;
      toy.run(5);
      Object.assign(toy.nodes.a ?? {}, { sessions: 200 });
      toy.run(60);
      const isLevel = Math.abs(toy.sessionsOf('a') - toy.sessionsOf('b')) <= 10;
      Object.assign(toy.nodes.a ?? {}, { state: 'draining' });
      toy.run(60);
      return seen(toy, isLevel && toy.sessionsOf('a') === 0);
    },
  },
  {
    name: 'silence-is-no-crash',
    right: 'three times 4 s in which nobody was heard are held against nobody: level within 20 s',
    kind: observer,
    async run() {
      const toy = await Toy.of({ a: 100, b: 100 });
      toy.run(8);
      for (let n = 0; n < 3; n++) {
        toy.run(4, true);
        toy.run(6);
      }
      Object.assign(toy.nodes.a ?? {}, { sessions: 200 });
      toy.run(20);
      return seen(toy, toy.sessionsOf('a') <= 155);
    },
  },
  {
    name: 'load-that-swings',
    right:
      'a swing of 25 % that is level on average moves fewer than 10 % of the sessions in 20 minutes, and is no worse than no move',
    kind: 'the outcome of a plan is looked at before the next',
    async run() {
      const toy = await Toy.of({ a: 1000, b: 1000 }, { load: 'events' });
      const beganMs = toy.nowMs;
      toy.rateOf = (node) =>
        1 + 0.25 * Math.sin((2 * Math.PI * (toy.nowMs - beganMs)) / 100_000 + (node === 'a' ? 0 : Math.PI));
      let worst = 1;
      toy.run(1200, false, () => {
        const [a, b] = [toy.sessionsOf('a') * toy.rateOf('a'), toy.sessionsOf('b') * toy.rateOf('b')];
        worst = Math.max(worst, (2 * Math.max(a, b)) / (a + b));
      });
      const { isRight, saw } = seen(toy, toy.moved < 200 && worst <= 1.27);
      return { isRight, saw: `${toy.moved} of 2,000 moved, worst load ${worst.toFixed(2)}; ${saw}` };
    },
  },
  {
    name: 'ring-plan-half-done',
    right: 'with consistent-hash a plan that failed in part is tried again: the new node gets its third',
    kind: 'the outcome of a plan is looked at before the next',
    async run() {
      const toy = await Toy.of({ a: 300, b: 300 }, { strategy: 'consistent-hash' });
      let isFailing = true;
      // Of a ring of three the new one gets a third.
      toy.answers = (to, wanted) => {
        const asked = to === 'c' ? Math.max(0, Math.min(100, wanted, 200 - toy.sessionsOf('c'))) : 0;
        return { asked, done: isFailing ? Math.floor(asked / 2) : asked };
      };
      toy.run(10);
      toy.nodes.c = { sessions: 0, state: 'active' };
      toy.run(20);
      isFailing = false;
      toy.run(300);
      return seen(toy, toy.sessionsOf('c') > 190);
    },
  },
];
