import type { TopicPresence } from '@evenkeel/client';
import { clock } from '../../fleet/clock.js';
import { differences, type Shown, type Told } from './judge.js';
import { Page, type PageOptions } from './page.js';
import type { Truth } from './truth.js';

const askTimeoutMs = 2_000;

/** Watches who is in the topic, being in it, and keeps what it was told. */
export class Observer {
  readonly name: string;
  readonly page: Page;
  readonly news: Told[] = [];
  /** Nodes that it was on, in order. */
  readonly nodes: string[] = [];
  readonly #topic: string;
  readonly #truth: Truth;
  #shown: readonly Shown[] = [];
  #answer: TopicPresence | undefined;

  constructor(options: Omit<PageOptions, 'onNews'>) {
    this.name = options.user;
    this.#topic = options.topic;
    this.#truth = options.truth;
    this.page = new Page({
      ...options,
      onNews: ({ users = [], joined, left }) => {
        this.#shown = users;
        this.news.push({ atMs: clock(), joined: joined.map(({ user }) => user), left });
      },
    });
  }

  get node(): string {
    return this.page.client.node ?? '';
  }

  /** Where it is belongs to its result. */
  noteNode(): void {
    if (this.nodes.at(-1) !== this.node) this.nodes.push(this.node);
  }

  /** What of its view is not as it is: of what it was told, and of what it is answered when it asks. */
  async faults(): Promise<string[]> {
    this.#answer = await this.page.client
      .presence(this.#topic, { timeoutMs: askTimeoutMs })
      .catch(() => undefined);
    if (this.#answer === undefined) return ['it is not answered'];
    const { users, count } = this.#answer;
    if (users === undefined) return ['nobody is named'];
    const members = this.#truth.members();
    return [
      ...differences(this.#shown, members).map((each) => `was told: ${each}`),
      ...differences(users, members).map((each) => `is answered: ${each}`),
      ...(count === members.size ? [] : [`is answered ${count} users, not ${members.size}`]),
    ];
  }

  /** Whom it was answered last. */
  get answered(): readonly Shown[] {
    return this.#answer?.users ?? [];
  }
}
