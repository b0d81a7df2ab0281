import { fetchWithin, Refusal } from '@evenkeel/runtime';
import { type LocalStatus, localStatus } from './crowd-view.js';

/** What may be asked of the `npm start` that runs this gateway. */
export const localActions = ['add-edge', 'stop-edge', 'kill-edge', 'drain', 'uncordon'] as const;
export type LocalAction = (typeof localActions)[number];

/** One answer serves everybody who asks within this time. */
const freshMs = 150;
const statusTimeoutMs = 2_000;
/** An edge is stopped when its clients have moved, which may take a minute. */
const actionTimeoutMs = 90_000;
const maxBytes = 1_048_576;

/** Asks the `npm start` that runs this gateway, by the token that it has given to it. */
export class LocalClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #status: { atMs: number; answer: Promise<LocalStatus | undefined> } | undefined;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** Undefined while it does not answer. However many ask: one request at a time. */
  status(nowMs: number): Promise<LocalStatus | undefined> {
    if (this.#status === undefined || nowMs - this.#status.atMs >= freshMs) {
      this.#status = { atMs: nowMs, answer: this.#fetchStatus() };
    }
    return this.#status.answer;
  }

  /** @throws Refusal as it answers, or `local-unreachable` */
  async act(action: LocalAction, node: string | undefined): Promise<unknown> {
    const query = node === undefined ? '' : `?${new URLSearchParams({ node })}`;
    const url = `${this.#url}/${action}${query}`;
    let response: Response;
    let body: unknown;
    try {
      const limits = { timeoutMs: actionTimeoutMs, maxBytes };
      const answer = await fetchWithin(url, { method: 'POST', headers: this.#headers }, limits);
      response = answer.response;
      body = JSON.parse(String(answer.body));
    } catch {
      throw new Refusal(503, 'local-unreachable', 'the npm start that runs this mesh does not answer');
    }
    if (response.ok) return body;
    const { error } = body as { error: { code: string; message: string } };
    throw new Refusal(response.status, error.code, error.message);
  }

  async #fetchStatus(): Promise<LocalStatus | undefined> {
    try {
      const limits = { timeoutMs: statusTimeoutMs, maxBytes };
      const { body } = await fetchWithin(`${this.#url}/status`, { headers: this.#headers }, limits);
      return localStatus.parse(JSON.parse(String(body)));
    } catch {
      return undefined;
    }
  }
}
