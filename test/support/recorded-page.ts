import { randomUUID } from 'node:crypto';
import { Broker, type Publisher, userOf } from '@evenkeel/broker';
import type { Mesh } from '@evenkeel/local';
import { type EdgeCommand, edgeKey, exchanges, toUid } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import type { BrowserContext, Page } from 'playwright-core';
import { expect, onTestFinished, vi } from 'vitest';
import { servePages } from './page-server.js';

/** What the application in the page has got so far. */
export interface Recording {
  readonly events: readonly number[];
  readonly messages: readonly number[];
  readonly statuses: readonly { readonly type: string; readonly [field: string]: unknown }[];
  readonly errors: readonly string[];
  readonly state: string;
  readonly node: string;
  readonly session: string;
  /** In a page that was reloaded: the last event that the page before it has handled. */
  readonly before?: number;
}

/** Which file of test/browser/pages to open, and for whom. */
export interface RecordedPageOptions {
  readonly file: 'page.html' | 'worker.html';
  readonly user: string;
  readonly topic: string;
}

/** A page with a client in it (or in its worker), and a hand on the mesh around it. */
export class RecordedPage {
  readonly page: Page;
  /** Whatever the page complained about. */
  readonly complaints: string[];
  readonly #user: string;
  readonly #mesh: Mesh;
  readonly #publisher: Publisher;

  private constructor(page: Page, complaints: string[], user: string, mesh: Mesh, publisher: Publisher) {
    this.page = page;
    this.complaints = complaints;
    this.#user = user;
    this.#mesh = mesh;
    this.#publisher = publisher;
  }

  /** Opens the page and waits until its client is connected and has subscribed. */
  static async open(
    context: BrowserContext,
    mesh: Mesh,
    options: RecordedPageOptions,
  ): Promise<RecordedPage> {
    const { file, user, topic } = options;
    const broker = await Broker.connect({ url: mesh.amqpUrl, name: 'browser tests', attempts: 5 });
    onTestFinished(() => broker.close());
    const origin = await servePages();
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    const query = new URLSearchParams({ gateway: mesh.gatewayUrl, user, topic });
    await page.goto(`${origin}/${file}?${query}`);
    const recorded = new RecordedPage(page, complaints, user, mesh, broker.publisher());
    await recorded.until('is subscribed', ({ statuses }) => statuses.some((s) => s.type === 'subscribed'));
    return recorded;
  }

  async recording(): Promise<Recording> {
    return await this.page.evaluate<Recording>('recording()');
  }

  /** Waits for a state of the page; says what it was instead when it does not come within 20 s. */
  async until(what: string, holds: (recording: Recording) => boolean): Promise<Recording> {
    return await vi.waitFor(
      async () => {
        const recording = await this.recording();
        const { events, messages, ...rest } = recording;
        const last = { events: events.length, messages: messages.length, ...rest };
        expect(holds(recording), `the page ${what}; it is ${JSON.stringify(last)}`).toBe(true);
        return recording;
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  /** Has the page moved to the other one of two edges, and waits until it says so. */
  async move(): Promise<void> {
    const { node, session, statuses } = await this.recording();
    const to = this.#mesh.edges.find((edge) => edge.node !== node);
    if (to === undefined) throw new Error('There is no other edge to move to.');
    const move = randomUUID();
    const command: EdgeCommand = {
      command: 'reconnect',
      move,
      to: { node: to.node, url: to.url },
      sessions: [`${toUid(this.#user)}.${session}`],
    };
    const userId = userOf(this.#mesh.amqpUrl);
    await this.#publisher.publish(exchanges.control, edgeKey(node), JSON.stringify(command), { userId });
    const done = (status: Recording['statuses'][number]) => status.type === 'moved' && status.move === move;
    await this.until(`is moved to ${to.node}`, (now) => now.statuses.slice(statuses.length).some(done));
  }
}

/** Publishes 1, 2, 3, … to a user and to a topic, at an even pace. */
export class Numbers {
  #published = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #pending: Promise<unknown> = Promise.resolve();
  readonly #publish: (number: number) => Promise<unknown>;

  private constructor(publish: (number: number) => Promise<unknown>) {
    this.#publish = publish;
  }

  static async to(mesh: Mesh, user: string, topic: string): Promise<Numbers> {
    const publisher = await createPublisher({ amqpUrl: mesh.amqpUrl, name: 'numbers', attempts: 5 });
    const numbers = new Numbers((number) =>
      Promise.all([publisher.toUser(user, 'number', number), publisher.toTopic(topic, number)]),
    );
    onTestFinished(async () => {
      clearInterval(numbers.#timer);
      await publisher.close();
    });
    return numbers;
  }

  /** Goes on with the next number, this many a second, until `stop()`. */
  start(perSecond: number): void {
    const begunAtMs = performance.now();
    const before = this.#published;
    // By the clock, not by ticks: a busy machine must not lower the rate.
    this.#timer = setInterval(() => {
      const due = before + ((performance.now() - begunAtMs) * perSecond) / 1_000;
      while (this.#published < due) this.#next();
    }, 10);
  }

  /** Resolves with the last number once the broker has confirmed it. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    await this.#pending;
    if (this.#failure !== undefined) throw this.#failure;
    return this.#published;
  }

  /** Publishes this many more; resolves with the last number once confirmed. */
  async more(count: number): Promise<number> {
    for (let i = 0; i < count; i++) this.#next();
    return await this.stop();
  }

  #next(): void {
    this.#published += 1;
    const published = this.#publish(this.#published).catch((error: unknown) => {
      this.#failure ??= error;
    });
    this.#pending = Promise.all([this.#pending, published]);
  }
}
