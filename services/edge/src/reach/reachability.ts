import { type Backoff, backoffMs, sleep } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import { newSessionId, type TicketSigner } from '@evenkeel/ticket';
import type { EdgeNode } from '../node.js';
import { explain, isSelf, type Met, mayPass } from './met.js';

/** Between two looks. */
const backoff: Backoff = { minMs: 100, maxMs: 5_000 };
/** How long one look takes at most. */
const timeoutMs = 2_000;
/** What may pass by itself is an error after this long. */
const patienceMs = 3_000;
/** Time enough for every clock that is a little off. */
const ticketLifetimeMs = 30_000;

export interface ReachabilityOptions {
  node: Pick<EdgeNode, 'name' | 'boot' | 'reaches'>;
  tickets: Pick<TicketSigner, 'issue'>;
  dial(url: string, ticket: string, timeoutMs: number, signal: AbortSignal): Promise<Met>;
  now(): number;
  random(): number;
  log: Pick<Log, 'info' | 'error'>;
}

/**
 * Looks whether clients that dial this edge's URL get here, as a client does: through names, TLS and whatever is in front. Until it
 * has met itself the edge takes no newcomers.
 */
export class Reachability {
  readonly #options: ReachabilityOptions;
  #startedAtMs = 0;
  #hasReported = false;

  constructor(options: ReachabilityOptions) {
    this.#options = options;
  }

  /** Resolves after the first look; if that was in vain it goes on looking by itself until `signal` is aborted. */
  async start(url: string, signal: AbortSignal): Promise<void> {
    const { node, now, log } = this.#options;
    this.#startedAtMs = now();
    node.reaches('checking');
    const met = await this.#look(url, signal);
    if (signal.aborted || this.#takes(met)) return;
    node.reaches('no');
    log.info({ dialled: url, ...explain(met, node) }, 'not reachable yet');
    this.#report(url, met);
    void this.#goOn(url, signal);
  }

  async #goOn(url: string, signal: AbortSignal): Promise<void> {
    const { random, log } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await sleep(backoffMs(attempt, backoff, random), signal);
      } catch {
        return;
      }
      const met = await this.#look(url, signal);
      if (signal.aborted) return;
      if (this.#takes(met)) {
        log.info({ dialled: url }, 'reachable: clients that dial the public URL get here');
        return;
      }
      this.#report(url, met);
    }
  }

  #look(url: string, signal: AbortSignal): Promise<Met> {
    const { node, tickets, dial, now } = this.#options;
    const nowMs = now();
    const ticket = tickets.issue({
      uid: 'probe',
      sid: newSessionId(),
      // A front that routes by the ticket leads it here.
      node: node.name,
      boot: node.boot,
      epoch: nowMs,
      expiresAt: nowMs + ticketLifetimeMs,
      isProbe: true,
    });
    return dial(url, ticket, timeoutMs, signal);
  }

  #takes(met: Met): boolean {
    const { node } = this.#options;
    if (!isSelf(met, node)) return false;
    node.reaches('yes');
    return true;
  }

  /** Once, and at once only what does not pass by itself: a front needs a moment to learn of a new edge. */
  #report(url: string, met: Met): void {
    const { node, now, log } = this.#options;
    if (this.#hasReported || (mayPass(met, node) && now() - this.#startedAtMs < patienceMs)) return;
    this.#hasReported = true;
    log.error(
      { dialled: url, ...explain(met, node) },
      'not reachable: clients that dial the public URL do not get here; this edge stays cordoned until they do',
    );
  }
}
