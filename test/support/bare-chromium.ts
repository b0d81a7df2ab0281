import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumArgs, chromiumPath } from '@evenkeel/local';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

type Answer = Record<string, unknown>;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** Something that Chromium tells without having been asked. */
export interface ChromiumEvent {
  readonly method: string;
  readonly params: Answer;
  readonly sessionId?: string;
}

/** A Chromium that is spoken to by its own protocol: Playwright tells every page that it is in front. Ends with the running test. */
export class BareChromium {
  readonly #socket: WebSocket;
  readonly #open = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: ChromiumEvent) => void>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => {
      const { id, result, error, ...event } = JSON.parse(String(text));
      if (id === undefined) for (const listener of this.#listeners) listener(event);
      else if (error) this.#open.get(id)?.reject(new Error(`Chromium: ${error.message}`));
      else this.#open.get(id)?.resolve(result);
      this.#open.delete(id);
    });
  }

  static async start(...args: readonly string[]): Promise<BareChromium> {
    const profile = await mkdtemp(join(tmpdir(), 'evenkeel-chromium-'));
    const flags = [...chromiumArgs, `--user-data-dir=${profile}`, '--remote-debugging-port=0', ...args];
    const child = spawn(chromiumPath(), [...flags, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(async () => {
      child.kill();
      await once(child, 'exit');
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });
    const socket = new WebSocket(await addressOf(child));
    await once(socket, 'open');
    onTestFinished(() => socket.close());
    return new BareChromium(socket);
  }

  /** Opens a page in front; returns a way to evaluate in it. */
  async openPage(url: string): Promise<(expression: string) => Promise<unknown>> {
    const { targetId } = await this.call('Target.createTarget', { url });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    await this.call('Target.activateTarget', { targetId });
    return async (expression) => {
      const parameters = { expression, returnByValue: true };
      const { result } = await this.call('Runtime.evaluate', parameters, sessionId);
      return (result as Answer).value;
    };
  }

  /** @throws Error what Chromium says. */
  call(method: string, params: object = {}, sessionId?: unknown): Promise<Answer> {
    this.#count += 1;
    this.#socket.send(JSON.stringify({ id: this.#count, method, params, sessionId }));
    return new Promise((resolve, reject) => this.#open.set(this.#count, { resolve, reject }));
  }

  /** Tells of everything that Chromium tells; returns the way to stop. */
  listen(listener: (event: ChromiumEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

/** What a Chromium that starts says about where it listens. */
async function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const text of child.stderr ?? []) {
    said += text;
    const [address] = /ws:\/\/\S+/.exec(said) ?? [];
    if (address !== undefined) {
      child.stderr?.resume();
      return address;
    }
  }
  throw new Error(`Chromium did not start: ${said}`);
}
