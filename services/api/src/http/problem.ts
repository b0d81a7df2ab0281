import type { ServerResponse } from 'node:http';
import { type Refusal, sendJson } from '@evenkeel/runtime';
import { problems, problemTypes } from '../contract/problems.js';

/** The body of an answer that is an error (RFC 9457). */
interface Problem {
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
  const headers = { 'content-type': 'application/problem+json', ...refusal.headers };
  sendJson(response, refusal.status, problemOf(refusal), headers);
}
