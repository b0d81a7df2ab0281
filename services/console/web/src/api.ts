import { guardHeader } from '../../src/api.js';
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

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, 'unreachable', 'The console does not answer. Check that it runs, and try again.');
  }
  const body: unknown = await response.json().catch(() => undefined);
  const refusal = errorOf(body);
  if (response.ok && refusal === undefined) return body as T;
  const { code = `http-${response.status}`, message = `The console answered ${response.status}.` } =
    refusal ?? {};
  throw new ApiError(response.status, code, message);
}

function errorOf(body: unknown): { code?: string; message?: string } | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  const { error } = body;
  return typeof error === 'object' && error !== null ? error : undefined;
}
