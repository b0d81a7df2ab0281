import type { ServerResponse } from 'node:http';

/** An answer that is an error, with its JSON body. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  /** Who is refused, as far as it is known by then; for the log. */
  about: { readonly user?: string | undefined; readonly session?: string | undefined } = {};
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/**
 * Of every answer: browsers take it for what it says it is, show it in no frame, run nothing of it, and name its address to
 * nobody. A page says itself what it may do.
 */
export const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy':
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** JSON that has been written already. */
export function sendJsonText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJsonText(response, status, `${JSON.stringify(body)}\n`, headers);
}

export function sendRefusal(response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, headers } = refusal;
  sendJson(response, status, { error: { code, message } }, headers);
}
