import { createHmac } from 'node:crypto';
import { fetchWithin } from './http/fetch-within.js';

/** Header of a question to an endpoint of the application. */
const signatureHeader = 'evenkeel-signature';

/** `t=<s>,v1=<hex>`: when it was asked, and the HMAC-SHA256 of `<t>.<body>`. */
export function signatureOf(body: string, secret: string, nowMs: number): string {
  const t = Math.floor(nowMs / 1_000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

/** An endpoint of the application. */
export interface SignedEndpoint {
  readonly url: string;
  /** Signs what it is asked. */
  readonly secret: string;
}

export interface SignedPostLimits {
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
  /** Ms since the epoch. */
  readonly nowMs: number;
}

/**
 * Asks by `POST`, with JSON that is signed. Follows no redirect. `answer` is what its JSON says, and `json` its text; undefined where it
 * is none, or longer than it may be; `isEmpty`: it has none.
 * @param question JSON, or what is to be written as JSON.
 * @throws whatever `fetch` does, also after `timeoutMs`
 */
export async function postSigned(
  { url, secret }: SignedEndpoint,
  question: object | string,
  { timeoutMs, maxBytes, nowMs }: SignedPostLimits,
): Promise<{ status: number } & Answer> {
  const body = typeof question === 'string' ? question : JSON.stringify(question);
  const headers = { 'content-type': 'application/json', [signatureHeader]: signatureOf(body, secret, nowMs) };
  const asked = { method: 'POST', body, redirect: 'error', headers } as const;
  const { response, body: answer } = await fetchWithin(url, asked, { timeoutMs, maxBytes });
  return { status: response.status, ...answerIn(answer) };
}

interface Answer {
  readonly answer: unknown;
  readonly json: string | undefined;
  readonly isEmpty: boolean;
}

function answerIn(body: Buffer | undefined): Answer {
  if (body === undefined) return { answer: undefined, json: undefined, isEmpty: false };
  const json = body.toString('utf8');
  try {
    return { answer: JSON.parse(json), json, isEmpty: false };
  } catch {
    return { answer: undefined, json: undefined, isEmpty: body.length === 0 };
  }
}
