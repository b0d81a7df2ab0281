import { Broker, userOf } from '@evenkeel/broker';
import { clock } from '../../fleet/clock.js';
import { Mover } from '../../fleet/mover.js';
import { until } from '../../fleet/until.js';
import { type Stage, say } from '../stage.js';
import { disagreeing } from './judge.js';
import { Observer } from './observer.js';
import { noDoings, Page, type WayToLeave } from './page.js';
import type { PresenceStep } from './result.js';
import { Truth } from './truth.js';

export const topic = 'room.story';
/** A change is seen by everybody within this, ms: fifty times what it takes on an idle machine. */
export const lateMs = 5_000;
export const observerCount = 3;
/** Every so many users one has two sessions. */
const twoSessionsEvery = 4;
const placeTimeoutMs = 20_000;
const backTimeoutMs = 60_000;

/** Who is on stage in this scenario: observers, members, and who moves them. */
export class Theatre {
  readonly truth = new Truth(lateMs);
  readonly doings = noDoings();
  readonly steps: PresenceStep[] = [];
  readonly observers: Observer[] = [];
  readonly pages: Page[] = [];
  readonly observersOn: string[][] = [];
  readonly #stage: Stage;
  readonly #movable: Page[] = [];
  #mover: Mover | undefined;
  #placer: Mover | undefined;
  readonly #toPlace: Page[] = [];
  #users = 0;
  #before = { moves: 0, reloads: 0, disconnects: 0 };

  constructor(stage: Stage) {
    this.#stage = stage;
    stage.atEnd(() => this.#close());
  }

  async open(): Promise<void> {
    const amqpUrl = this.#stage.urlFor('balancer');
    const broker = await Broker.connect({ url: amqpUrl, name: 'story mover', attempts: 3 });
    this.#stage.atEnd(() => broker.close());
    const edges = this.#stage.mesh.edges.map(({ node, url }) => ({ node, url }));
    const publisher = broker.publisher();
    this.#mover = new Mover(this.#movable, this.doings, edges, publisher, userOf(amqpUrl));
    this.#placer = new Mover(this.#toPlace, { movesUnderWay: 0 }, edges, publisher, userOf(amqpUrl));
    this.#stage.atEnd(async () => this.move(0));
    for (let n = 1; n <= observerCount; n += 1)
      this.observers.push(new Observer({ ...this.#common(), user: `observer-${n}`, tab: '1' }));
    await Promise.all(this.observers.map(({ page }) => page.ready()));
    // One of them goes round with the others.
    const [last] = this.observers.slice(-1);
    if (last !== undefined) this.#movable.push(last.page);
  }

  /** Moves sessions round the edges, so many a second. */
  move(perSecond: number): void {
    this.#mover?.pace({ perSecond });
  }

  /** Each observer goes to an edge of its own. */
  async place(): Promise<void> {
    const { edges } = this.#stage.mesh;
    for (const [n, { page, name }] of this.observers.entries()) {
      const to = edges[n]?.node ?? '';
      if (page.client.node !== to) {
        this.#toPlace.splice(0, Number.POSITIVE_INFINITY, page);
        this.#placer?.pace({ perSecond: 5, to });
      }
      const isThere = await until(placeTimeoutMs, 50, () => page.client.node === to && page.isCalm);
      this.#placer?.pace({ perSecond: 0 });
      if (isThere) continue;
      const { movesFailed } = this.doings;
      this.#stage.fail(`${name} did not come to ${to}; failed moves: ${JSON.stringify(movesFailed)}`);
    }
    for (const observer of this.observers) observer.noteNode();
    this.observersOn.push(this.observers.map(({ node }) => node));
  }

  /** One more user comes; answers its pages. */
  enter(): Page[] {
    this.#users += 1;
    const user = `member-${this.#users}`;
    const tabs = this.#users % twoSessionsEvery === 0 ? ['1', '2'] : ['1'];
    const pages = tabs.map((tab) => new Page({ ...this.#common(), user, tab }));
    this.pages.push(...pages);
    this.#movable.push(...pages);
    return pages;
  }

  /**
   * One that nothing happens to leaves; false: there is none. One that vanishes while it is being moved would be waited for by the edge
   * that has sent it away, for up to 10 s.
   */
  leave(how: WayToLeave): boolean {
    const page = this.pages.find(({ isCalm, askedAtMs }) => isCalm && askedAtMs === 0);
    if (page === undefined) return false;
    this.#takeOut(page);
    page.leave(how);
    return true;
  }

  /** Those of its members that stay, in turns. */
  on(node: string): Page[] {
    return this.#movable.filter((page) => page.isIn && page.client.node === node);
  }

  forget(page: Page): void {
    this.#takeOut(page);
  }

  /** Waits until every observer's view is right, and stays so for a moment; notes that as a step. */
  async settle(name: string, { sinceMs = clock(), withinMs = lateMs, quietMs = 0 } = {}): Promise<void> {
    const rightAtMs = new Map<Observer, number>();
    let wrong = new Map<Observer, string[]>();
    const look = async (): Promise<boolean> => {
      const all = await Promise.all(this.observers.map(async (each) => [each, await each.faults()] as const));
      wrong = new Map(all.filter(([, faults]) => faults.length > 0));
      for (const each of this.observers) {
        if (wrong.has(each)) rightAtMs.delete(each);
        else if (!rightAtMs.has(each)) rightAtMs.set(each, clock());
      }
      return wrong.size === 0;
    };
    await until(Math.max(0, sinceMs + withinMs - clock()), 100, look);
    if (quietMs > 0 && wrong.size === 0) await until(quietMs, 250, async () => !(await look()));
    const isRight = wrong.size === 0;
    const afterMs = Math.max(0, ...rightAtMs.values()) - sinceMs;
    for (const [{ name: who }, faults] of wrong)
      this.#stage.fail(
        `${name}: the view of ${who} was not right within ${withinMs / 1_000} s: ${faults.slice(0, 5).join('; ')}` +
          `${faults.length > 5 ? ` and ${faults.length - 5} more` : ''}`,
      );
    const others = disagreeing(new Map(this.observers.map((each) => [each.name, each.answered])));
    if (others.length > 0)
      this.#stage.fail(`${name}: ${others.join(', ')} did not get the answer that the first observer got`);
    this.#note(name, isRight ? Math.round(afterMs / 100) / 10 : null);
  }

  /** Waits until everybody who is to come back has. */
  async back(): Promise<void> {
    const areBack = await until(backTimeoutMs, 20, () => this.truth.awaited === 0);
    if (!areBack) this.#stage.fail(`${this.truth.awaited} sessions did not come back`);
  }

  #note(name: string, rightAfterSeconds: number | null): void {
    const members = [...this.truth.members().values()];
    const { moves, reloads, disconnects } = this.doings;
    const before = this.#before;
    this.#before = { moves, reloads, disconnects };
    const step: PresenceStep = {
      name,
      users: members.length,
      sessions: members.reduce((sum, { sessions }) => sum + sessions, 0),
      moves: moves - before.moves,
      reloads: reloads - before.reloads,
      disconnects: disconnects - before.disconnects,
      rightAfterSeconds,
    };
    this.steps.push(step);
    say(`${name}: ${JSON.stringify(step)}`);
    for (const observer of this.observers) observer.noteNode();
  }

  #common() {
    const { truth, doings } = this;
    return { gateway: this.#stage.mesh.gatewayUrl, topic, truth, doings };
  }

  #takeOut(page: Page): void {
    for (const list of [this.pages, this.#movable]) {
      const at = list.indexOf(page);
      if (at >= 0) list.splice(at, 1);
    }
    this.#gone.push(page);
  }

  readonly #gone: Page[] = [];

  async #close(): Promise<void> {
    const pages = [...this.pages, ...this.#gone, ...this.observers.map(({ page }) => page)];
    await Promise.all(pages.map((page) => page.close()));
  }
}
