import {
  type ControlledMesh,
  chromiumArgs,
  chromiumPath,
  type MeshOptions,
  type PrivateBroker,
  startControlledMesh,
  startPrivateBroker,
} from '@evenkeel/local';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** The part of `/crowd.json` that a picture waits for. */
interface View {
  readonly clients: number;
  readonly lost: number;
  readonly repeated: number;
  readonly reordered: number;
  readonly nodes: readonly { node: string; state: string; sessions: number }[];
  readonly places: readonly number[];
}

const patienceMs = 120_000;
const lookEveryMs = 40;

/** A real mesh with a crowd, and a browser before its page. */
export class Stage {
  readonly mesh: ControlledMesh;
  readonly broker: PrivateBroker;
  readonly #browser: Browser;
  readonly #close: () => Promise<void>;

  private constructor(
    mesh: ControlledMesh,
    broker: PrivateBroker,
    browser: Browser,
    close: () => Promise<void>,
  ) {
    this.mesh = mesh;
    this.broker = broker;
    this.#browser = browser;
    this.#close = close;
  }

  static async open(crowd: number, options: Partial<MeshOptions> = {}): Promise<Stage> {
    const broker = await startPrivateBroker();
    const mesh = await startControlledMesh({
      edges: 2,
      amqpUrl: broker.amqpUrl,
      urlFor: broker.urlFor,
      demo: true,
      crowd,
      ...options,
    });
    const browser = await chromium.launch({ executablePath: chromiumPath(), args: [...chromiumArgs] });
    return new Stage(mesh, broker, browser, async () => {
      await browser.close();
      await mesh.stop();
      await broker.stop();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Opens the page as a user; resolves when it is connected and has seen some events. */
  async visit(user: string, options: BrowserContextOptions): Promise<Page> {
    const page = await this.openPage(`${this.mesh.gatewayUrl}/?user=${user}`, options);
    await page.waitForFunction('document.getElementById("event-count").textContent > 3');
    return page;
  }

  /** Opens an address in a window of its own. */
  async openPage(url: string, options: BrowserContextOptions): Promise<Page> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  }

  async view(): Promise<View> {
    return (await (await fetch(`${this.mesh.gatewayUrl}/crowd.json`)).json()) as View;
  }

  /** Waits until `/crowd.json` says so. */
  async until(what: string, holds: (view: View) => boolean): Promise<void> {
    const deadlineMs = Date.now() + patienceMs;
    while (!holds(await this.view())) {
      if (Date.now() > deadlineMs) throw new Error(`Waited in vain: ${what}.`);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  /** Everybody is connected, a visitor too, and nodes differ by five at most, drained ones apart. */
  level(crowd: number): Promise<void> {
    return this.until('level', (view) => {
      const open = view.nodes.filter(({ state, sessions }) => state !== 'cordoned' || sessions > 0);
      const counts = open.map(({ sessions }) => sessions);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const isLevel = Math.max(...counts) - Math.min(...counts) <= 5;
      return (
        view.clients === crowd && total > crowd && isLevel && open.every(({ state }) => state === 'active')
      );
    });
  }

  /** @throws Error when the run has shown what no picture shall hide */
  async requireFaultless(): Promise<void> {
    const { lost, repeated, reordered } = await this.view();
    if (lost + repeated + reordered === 0) return;
    throw new Error(`lost ${lost}, repeated ${repeated}, out of order ${reordered}`);
  }
}
