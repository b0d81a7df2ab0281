import type uWS from 'uWebSockets.js';
import { clientAddress } from '@evenkeel/runtime';

/**
 * Where the client of a request is, behind this many proxies: found out when it is asked for, which it seldom is. To be called before
 * the request's handler returns.
 */
export function addressOf(res: uWS.HttpResponse, req: uWS.HttpRequest, trustedHops: number): () => string {
  const bytes = res.getRemoteAddressAsText();
  if (trustedHops === 0) return () => clientAddress({ socket: text(bytes) }, 0);
  // A proxy may add a line of its own behind the client's; `getHeader` knows the first alone.
  const lines: Record<string, string[]> = {};
  req.forEach((name, value) => {
    if (name !== forwardedFor && name !== forwarded) return;
    lines[name] = [...(lines[name] ?? []), value];
  });
  const way = {
    socket: text(bytes),
    proxied: text(res.getProxiedRemoteAddressAsText()),
    forwardedFor: lines[forwardedFor]?.join(),
    forwarded: lines[forwarded]?.join(),
  };
  return () => clientAddress(way, trustedHops);
}

/** Who opened the connection. */
export function socketAddress(res: uWS.HttpResponse): string {
  return clientAddress({ socket: text(res.getRemoteAddressAsText()) }, 0);
}

const forwardedFor = 'x-forwarded-for';
const forwarded = 'forwarded';
const text = (bytes: ArrayBuffer): string => Buffer.from(bytes).toString('latin1');
