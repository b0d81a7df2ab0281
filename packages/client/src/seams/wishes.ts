import type { WantedTopic } from '@evenkeel/protocol/wire';

/**
 * What is wanted of a topic beside its messages.
 * @example
 * const wishes: TopicWishes = { last: 20, echo: false };
 * await client.subscribe('room.42', ({ data }) => console.log(data.text), wishes);
 */
export type TopicWishes = Omit<WantedTopic, 'topic'>;

/** What is wanted of the topics that are subscribed, by name: said in `hello` and in `subscribe`. */
export class Wishes {
  readonly #of = new Map<string, TopicWishes>();

  of(topic: string): TopicWishes | undefined {
    return this.#of.get(topic);
  }

  /** Of another subscriber of the topic: what it does not speak of stays as it is. */
  add(topic: string, wishes: TopicWishes): void {
    const said = Object.entries(wishes).filter(([, value]) => value !== undefined);
    if (said.length > 0) this.#of.set(topic, { ...this.#of.get(topic), ...Object.fromEntries(said) });
  }

  /** In place of what was wanted of it. */
  set(topic: string, wishes: TopicWishes): void {
    this.#of.set(topic, wishes);
  }

  delete(topic: string): void {
    this.#of.delete(topic);
  }

  /** As `hello` has them. */
  said(topics: readonly string[]): (string | WantedTopic)[] {
    return topics.map((topic) => {
      const wishes = this.#of.get(topic);
      return wishes ? { topic, ...wishes } : topic;
    });
  }
}
