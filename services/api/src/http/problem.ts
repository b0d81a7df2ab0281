import type { ServerResponse } from 'node:http';
import type { Refusal } from '@evenkeel/runtime';

/** Every code of an answer that is not 2xx, with the title of its problem. */
export const problems = {
  'bad-url': 'The address cannot be read',
  'bad-json': 'The body is not JSON',
  'bad-request': 'The request is not as the contract has it',
  'bad-name': 'A name or an id cannot be carried',
  'bad-idempotency-key': 'The Idempotency-Key cannot be used',
  'idempotency-conflict': 'The Idempotency-Key was used for another request',
  'no-key': 'No key was sent',
  'bad-key': 'The key is not known',
  forbidden: 'The key may not do that',
  'not-found': 'There is no such path',
  'method-not-allowed': 'The path takes another method',
  'too-large': 'The body is too long',
  'bad-type': 'The body is of another type',
  'rate-limited': 'Too many requests',
  'too-many-open': 'Too many requests at the same time',
  internal: 'The service failed',
  unavailable: 'RabbitMQ does not answer',
  unconfirmed: 'RabbitMQ has not confirmed in time',
} as const;

/** Before the code in a problem's `type`. */
export const problemTypes = 'urn:evenkeel:problem:';

/** The body of an answer that is an error (RFC 9457). */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

/** What a refusal says, as a problem. */
export function problemOf({ status, code, message: detail }: Refusal): Problem {
  const title = (problems as Readonly<Record<string, string>>)[code] ?? 'The request failed';
  return { type: `${problemTypes}${code}`, title, status, detail, code };
}

/** Answers with a problem. */
export function sendProblem(response: ServerResponse, refusal: Refusal): void {
  const text = `${JSON.stringify(problemOf(refusal))}\n`;
  response.writeHead(refusal.status, {
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...refusal.headers,
  });
  response.end(text);
}
