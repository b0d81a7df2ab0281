import { setTimeout as delay } from 'node:timers/promises';
import type { BareChromium } from '../support/bare-chromium.js';

/** What a page says of one of its clients, those of its frames included. */
export interface ClientView {
  readonly page: string;
  readonly client: number;
  readonly user: string;
  readonly last: number;
  readonly state: string;
  readonly session?: string;
  readonly node?: string;
}

const navigationMs = 15_000;

/** A tab of a Chromium, with what happens to tabs. */
export class Tab {
  readonly #browser: BareChromium;
  readonly #targetId: string;
  readonly #sessionId: string;
  readonly #stopListening: () => void;
  isCrashed = false;
  isFrozen = false;
  isOffline = false;

  private constructor(browser: BareChromium, targetId: string, sessionId: string) {
    this.#browser = browser;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
    this.#stopListening = browser.listen(({ method, sessionId: session }) => {
      if (session === sessionId && method === 'Inspector.targetCrashed') this.isCrashed = true;
    });
  }

  static async open(browser: BareChromium, browserContextId: unknown, url: string): Promise<Tab> {
    const { targetId } = await browser.call('Target.createTarget', { url, browserContextId });
    const { sessionId } = await browser.call('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(browser, String(targetId), String(sessionId));
    await tab.#call('Inspector.enable');
    await tab.#call('Page.enable');
    await tab.#call('Network.enable');
    await tab.#loaded(() => true);
    return tab;
  }

  #call(method: string, params: object = {}) {
    return this.#browser.call(method, params, this.#sessionId);
  }

  /** Undefined where there is no page at the moment. */
  async evaluate<T>(expression: string): Promise<T | undefined> {
    const { result } = await this.#call('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { value?: T }).value;
  }

  async clients(): Promise<ClientView[]> {
    return (await this.evaluate<ClientView[]>('globalThis.life?.state()')) ?? [];
  }

  /** Waits until a page is there that is `other`, and has run. */
  async #loaded(isOther: (page: string) => boolean): Promise<void> {
    const untilMs = performance.now() + navigationMs;
    while (performance.now() < untilMs) {
      const page = await this.evaluate<string>('globalThis.life?.page').catch(() => undefined);
      if (page !== undefined && isOther(page)) return;
      await delay(10);
    }
    throw new Error(`no page came in ${navigationMs / 1_000} s; ${await this.evaluate('location.href')}`);
  }

  async #navigate(how: () => Promise<unknown>): Promise<void> {
    const before = this.isCrashed ? undefined : await this.evaluate<string>('globalThis.life?.page');
    await how();
    this.isCrashed = false;
    await this.#loaded((page) => page !== before);
  }

  visit(url: string): Promise<void> {
    return this.#navigate(() => this.#call('Page.navigate', { url }));
  }

  reload(): Promise<void> {
    return this.#navigate(() => this.#call('Page.reload'));
  }

  /** Back or forward by so many pages, as far as there are any. */
  async go(by: number): Promise<void> {
    const { currentIndex, entries } = await this.#call('Page.getNavigationHistory');
    const all = entries as { id: number }[];
    const at = Number(currentIndex);
    const to = Math.max(0, Math.min(all.length - 1, at + by));
    if (to === at) return;
    await this.#navigate(() => this.#call('Page.navigateToHistoryEntry', { entryId: all[to]?.id }));
  }

  async inFront(): Promise<void> {
    await this.#browser.call('Target.activateTarget', { targetId: this.#targetId });
  }

  async freeze(isFrozen: boolean): Promise<void> {
    this.isFrozen = isFrozen;
    await this.#call('Page.setWebLifecycleState', { state: isFrozen ? 'frozen' : 'active' });
  }

  async offline(offline: boolean): Promise<void> {
    this.isOffline = offline;
    const speed = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.#call('Network.emulateNetworkConditions', { offline, ...speed });
  }

  /** As when the system takes the memory of a tab: no event tells the page. */
  async crash(): Promise<void> {
    // It answers nothing any more.
    this.#call('Page.crash').catch(() => {});
    const untilMs = performance.now() + navigationMs;
    while (!this.isCrashed && performance.now() < untilMs) await delay(5);
  }

  async close(): Promise<void> {
    this.#stopListening();
    await this.#browser.call('Target.closeTarget', { targetId: this.#targetId });
  }
}
