import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Publisher as BrokerPublisher } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/local';
import { type EdgeCommand, edgeKey, exchanges, toUid } from '@evenkeel/protocol';
import type { Publisher } from '@evenkeel/publisher';
import type { BareChromium } from '../support/bare-chromium.js';
import type { Entry, PagesLog, Published } from './log.js';
import { type Step, type Variant, variants } from './steps.js';
import { Tab } from './tab.js';

/** What all sequences share. */
export interface Stage {
  readonly browser: BareChromium;
  readonly mesh: Mesh;
  readonly publisher: Publisher;
  /** Commands edges, as the balancer does. */
  readonly commands: BrokerPublisher;
  /** Where the pages are. */
  readonly origin: string;
  /** What is wrong with the pages, on purpose. */
  readonly mutant?: string;
}

const perSecond = 25;
const settleMs = 20_000;
/** Longest until what one page has stored is seen by another. */
const storedMs = 10_000;
const logOfAll =
  "Object.keys(localStorage).filter((key) => key.startsWith('log ')).sort().map((key) => localStorage[key])";
const maxTabs = 3;

/** A window with storage of its own, two users with nothing published yet, and tabs with their pages. */
export class World {
  readonly #stage: Stage;
  readonly #context: unknown;
  readonly #users = { a: `a-${randomBytes(4).toString('hex')}`, b: `b-${randomBytes(4).toString('hex')}` };
  readonly #published: Published[] = [];
  readonly #extra: Entry[] = [];
  readonly #tabs: Tab[] = [];
  #front: Tab | undefined;
  #visits = 0;
  #pending: Promise<unknown> = Promise.resolve();

  private constructor(stage: Stage, context: unknown) {
    this.#stage = stage;
    this.#context = context;
  }

  /** Takes the steps, waits until all is quiet, and returns what was written down. */
  static async run(stage: Stage, steps: readonly Step[]): Promise<PagesLog> {
    const { browserContextId } = await stage.browser.call('Target.createBrowserContext');
    const world = new World(stage, browserContextId);
    const timer = setInterval(() => world.#publish(), 1_000 / perSecond);
    try {
      await world.#open('one');
      for (const step of steps) {
        await world.#take(step);
        await delay(step.pauseMs);
      }
      clearInterval(timer);
      return await world.#settle();
    } finally {
      clearInterval(timer);
      await stage.browser.call('Target.disposeBrowserContext', { browserContextId });
    }
  }

  #urlOf(variant: Variant): string {
    const { users, ...more } = variants[variant];
    const query = new URLSearchParams({
      visit: String(this.#visits++),
      gateway: this.#stage.mesh.gatewayUrl,
      ...(users.length > 0 && { users: users.map((user) => this.#users[user]).join() }),
      framed: this.#users.a,
      ...('frame' in more && { frame: '1' }),
      ...(this.#stage.mutant !== undefined && { mutant: this.#stage.mutant }),
    });
    return `${this.#stage.origin}/life.html?${query}`;
  }

  #publish(): void {
    for (const user of Object.values(this.#users)) {
      const n = this.#published.reduce((sum, each) => sum + (each.user === user ? 1 : 0), 1);
      this.#published.push({ user, n, at: Date.now() });
      const sent = this.#stage.publisher.toUser(user, 'number', n, { id: `${user}.${n}` });
      this.#pending = Promise.all([this.#pending, sent]);
    }
  }

  async #open(variant: Variant, storage?: string): Promise<Tab> {
    const tab = await Tab.open(this.#stage.browser, this.#context, this.#urlOf(storage ? 'other' : variant));
    if (storage) {
      await tab.evaluate(`Object.assign(sessionStorage, ${storage})`);
      await tab.visit(this.#urlOf(variant));
    }
    this.#tabs.push(tab);
    await this.#show(tab);
    return tab;
  }

  async #show(tab: Tab): Promise<void> {
    if (this.#front !== tab) await tab.inFront();
    this.#front = tab;
  }

  async #take(step: Step): Promise<void> {
    const tab = this.#tabs[step.tab % this.#tabs.length];
    if (!tab) return;
    if (step.do !== 'hide' && step.do !== 'freeze' && step.do !== 'move') await this.#show(tab);
    switch (step.do) {
      case 'visit':
        return tab.visit(this.#urlOf(step.variant));
      case 'open':
        if (this.#tabs.length < maxTabs) await this.#open(step.variant);
        return;
      case 'duplicate': {
        const storage = await tab.evaluate<string>('JSON.stringify(sessionStorage)');
        // With what the tab has in its storage, but without its history.
        if (this.#tabs.length < maxTabs && storage) await this.#open('one', storage);
        return;
      }
      case 'go':
        return tab.go(step.by);
      case 'reload':
        return tab.reload();
      case 'close':
        return this.#close(tab);
      case 'crash':
        return this.#crash(tab);
      case 'hide':
        return this.#hide(tab, step.ms);
      case 'freeze':
        await tab.freeze(true);
        await delay(step.ms);
        return tab.freeze(false);
      case 'offline':
        await tab.offline(true);
        await delay(step.ms);
        return tab.offline(false);
      case 'handlers':
        return void (await tab.evaluate('life.handle()'));
      case 'without handlers':
        await tab.evaluate('life.dismiss()');
        await delay(step.ms);
        return void (await tab.evaluate('life.handle()'));
      case 'add frame':
        return void (await tab.evaluate('life.addFrame()'));
      case 'remove frame':
        return void (await tab.evaluate('life.removeFrame()'));
      case 'move':
        return this.#move(tab);
    }
  }

  async #close(tab: Tab): Promise<void> {
    if (this.#tabs.length === 1) return;
    this.#tabs.splice(this.#tabs.indexOf(tab), 1);
    await tab.close();
    const [next] = this.#tabs;
    if (next) await this.#show(next);
  }

  /** Tabs of one site may share a process: then all of them end. */
  async #crash(tab: Tab): Promise<void> {
    const alive = await Promise.all(
      this.#tabs.map(async (each) => ({ each, clients: await each.clients() })),
    );
    await tab.crash();
    for (const { each, clients } of alive) {
      if (!each.isCrashed) continue;
      for (const page of new Set(clients.map((client) => client.page)))
        this.#extra.push({ page, client: -1, what: 'page', type: 'crash', at: Date.now() });
      await each.reload();
    }
  }

  async #hide(tab: Tab, ms: number): Promise<void> {
    const other = this.#tabs.find((each) => each !== tab);
    if (!other) return;
    await this.#show(other);
    await delay(ms);
    await this.#show(tab);
  }

  /** Asks the node of the first client to move it; nothing happens where it is moved or lost just now. */
  async #move(tab: Tab): Promise<void> {
    const { mesh, commands } = this.#stage;
    const [client] = await tab.clients();
    const to = mesh.edges.find((edge) => edge.node !== client?.node);
    if (client?.node === undefined || client.session === undefined || !to) return;
    const command: EdgeCommand = {
      command: 'reconnect',
      move: randomUUID(),
      to: { node: to.node, url: to.url },
      sessions: [`${toUid(client.user)}.${client.session}`],
    };
    await commands.publish(exchanges.control, edgeKey(client.node), JSON.stringify(command), {
      userId: 'guest',
    });
  }

  /** Everybody is in front once, and gets the last number. */
  async #settle(): Promise<PagesLog> {
    const all = () => Promise.all(this.#tabs.map((tab) => tab.clients())).then((clients) => clients.flat());
    const until = async (holds: (clients: Awaited<ReturnType<typeof all>>) => boolean) => {
      const untilMs = performance.now() + settleMs;
      while (!holds(await all()) && performance.now() < untilMs) {
        for (const tab of this.#tabs) await this.#show(tab);
        await delay(50);
      }
    };
    await until((clients) => clients.every(({ state }) => state === 'connected'));
    this.#publish();
    await this.#pending;
    const due = new Map(this.#published.map(({ user, n }) => [user, n]));
    await until((clients) => clients.every(({ user, last }) => last === due.get(user)));
    const living = (await all()).map(({ page, client, user }) => ({ page, client, user }));
    return {
      published: this.#published,
      entries: [...(await this.#written(living, due)), ...this.#extra],
      living,
    };
  }

  /** What the pages have written down, with the last numbers: what one process stores the others see a little later. */
  async #written(living: PagesLog['living'], due: ReadonlyMap<string, number>): Promise<Entry[]> {
    const untilMs = performance.now() + storedMs;
    for (;;) {
      const entries = ((await this.#tabs[0]?.evaluate<string[]>(logOfAll)) ?? []).map(
        (entry): Entry => JSON.parse(entry),
      );
      const hasLast = (one: PagesLog['living'][number]) =>
        entries.some(
          ({ page, client, n }) => page === one.page && client === one.client && n === due.get(one.user),
        );
      if (living.every(hasLast) || performance.now() > untilMs) return entries;
      await delay(50);
    }
  }
}
