import { answerWaitMs, guardHeader } from '../../src/api.js';
import type { Answer, Command, Me } from './types.js';

/** What the console answers to anything but success. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The header is what no other site can send without being asked first: the console takes no change without it. */
const headers = { 'content-type': 'application/json', [guardHeader]: '1' };

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask(path, signal ? { signal } : {});

export const login = (token: string): Promise<Me> =>
  ask('/api/login', { method: 'POST', headers, body: JSON.stringify({ token }) });

export const logout = (): Promise<unknown> => ask('/api/logout', { method: 'POST', headers, body: '{}' });

/** One management command, as on the queue. */
export const send = <A = Answer>(command: Command): Promise<A> =>
  ask('/api/command', { method: 'POST', headers, body: JSON.stringify(command) });

async function ask<T>(path: string, { signal, ...init }: RequestInit): Promise<T> {
  const ended = new AbortController();
  const end = () => ended.abort(signal?.reason);
  const timer = setTimeout(() => ended.abort(tooLate(init.method)), answerWaitMs);
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  let response: Response;
  let body: unknown;
  try {
    const options = { signal: ended.signal, credentials: 'same-origin', cache: 'no-store' } as const;
    response = await fetch(path, { ...init, ...options });
    body = await response.json().catch(() => undefined);
    ended.signal.throwIfAborted();
  } catch (error) {
    if (signal?.aborted || error instanceof ApiError) throw error;
    throw new ApiError(0, 'unreachable', 'The console does not answer. Check that it runs, and try again.');
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
  const refusal = errorOf(body);
  if (response.ok && refusal === undefined) return body as T;
  const { code = `http-${response.status}`, message = `The console answered ${response.status}.` } =
    refusal ?? {};
  throw new ApiError(response.status, code, message);
}

function tooLate(method: string | undefined): ApiError {
  const after = `The console has not answered within ${answerWaitMs / 1_000} s.`;
  const sent = method === 'POST' ? ' What was sent may have been carried out or not.' : '';
  const hint = 'Check that it runs, close other windows of it in this browser, and try again.';
  return new ApiError(0, 'timeout', `${after}${sent} ${hint}`);
}

function errorOf(body: unknown): { code?: string; message?: string } | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  return typeof error === 'object' && error !== null ? error : undefined;
}
