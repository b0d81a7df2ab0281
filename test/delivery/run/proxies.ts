import { TcpProxy } from '@evenkeel/testkit';

/** What leads from one process to every node of the broker, and what can be done to it. */
export class Proxies {
  readonly #all: readonly TcpProxy[];

  private constructor(all: readonly TcpProxy[]) {
    this.#all = all;
  }

  /** To each of the addresses of a list. */
  static async toUrls(urls: string): Promise<Proxies> {
    return new Proxies(await Promise.all(urls.split(',').map((url) => TcpProxy.toUrl(url))));
  }

  /** The same list, by way of these. */
  urlsFor(urls: string): string {
    return urls
      .split(',')
      .map((url, n) => this.#all[n]?.urlFor(url))
      .join();
  }

  get connections(): number {
    return this.#sum((each) => each.connections);
  }

  cut(): number {
    return this.#sum((each) => each.cut());
  }

  refuse(): void {
    for (const each of this.#all) each.refuse();
  }

  allow(): void {
    for (const each of this.#all) each.allow();
  }

  pause(): void {
    for (const each of this.#all) each.pause();
  }

  resume(): void {
    for (const each of this.#all) each.resume();
  }

  pauseAnswers(): void {
    for (const each of this.#all) each.pauseAnswers();
  }

  slow(ms: number): void {
    for (const each of this.#all) each.slow(ms);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((each) => each.close()));
  }

  #sum(of: (proxy: TcpProxy) => number): number {
    return this.#all.reduce((sum, each) => sum + of(each), 0);
  }
}
