import type { IncomingMessage } from 'node:http';
import { type HostNames, isLoopback, Refusal } from '@evenkeel/runtime';
import { guardHeader } from '../api.js';

/** A name of this machine itself: what goes there does not leave it, or goes through a tunnel. */
const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** How a request has come. */
export interface Way {
  /** By TLS, from the browser to this console or to the proxy in front of it. */
  readonly isSecure: boolean;
  /** Nobody between can read it: by TLS, or to a name of the browser's own machine. */
  readonly isPrivate: boolean;
}

/** How a request has come. `trustedHops`: proxies in front, which say how they were asked (`X-Forwarded-Proto`). */
export function wayOf({ headers, socket }: IncomingMessage, trustedHops: number): Way {
  const forwarded = String(headers['x-forwarded-proto'] ?? '').split(',');
  const isSecure = 'encrypted' in socket || (trustedHops > 0 && forwarded.at(-1)?.trim() === 'https');
  return { isSecure, isPrivate: isSecure || loopbackHost.test(headers.host ?? '') };
}

/** Whether a request is of this very machine and has come through no proxy, who would be here for everybody. */
export function isLocal({ headers, socket }: IncomingMessage, address: string): boolean {
  const isForwarded = ['x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'forwarded', 'via'].some(
    (name) => headers[name] !== undefined,
  );
  const from = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return !isForwarded && isLoopback(from) && isLoopback(address) && loopbackHost.test(headers.host ?? '');
}

/** Whether somebody goes to the page itself, from wherever: by a link, a bookmark, the address bar; and not in a frame. */
export const isVisit = ({ headers }: IncomingMessage): boolean =>
  headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';

/** What is asked by a name that is not this console's. @throws Refusal */
export function requireOwnName({ headers: { host } }: IncomingMessage, names: HostNames): void {
  if (names.takes(host)) return;
  throw new Refusal(
    403,
    'host',
    'this console does not go by that name; ask by its address, or add it to EVENKEEL_CONSOLE_HOSTS',
  );
}

/** What is asked by a name that is not this console's, or by a page of another origin. @throws Refusal */
export function requireOwnPage(request: IncomingMessage, names: HostNames, { isSecure }: Way): void {
  requireOwnName(request, names);
  const { host, origin, 'sec-fetch-site': site } = request.headers;
  const isForeign = site !== undefined && site !== 'same-origin' && site !== 'none';
  const own = `${isSecure ? 'https' : 'http'}://${host}`;
  if (isForeign || (origin !== undefined && origin !== own.toLowerCase()))
    throw new Refusal(403, 'csrf', 'only the page of this console may ask that');
}

/** What changes something is sent by a script of the own page or by a program, never by a form. @throws Refusal */
export function requireScript({ headers }: IncomingMessage): void {
  if (headers[guardHeader] !== undefined) return;
  throw new Refusal(403, 'csrf', `send the header ${guardHeader}: 1`);
}
