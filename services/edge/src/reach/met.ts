/** An edge as it names itself to one that looks where its URL leads. */
export interface Identity {
  readonly name: string;
  readonly boot: string;
}

/** Whom or what an edge met that dialled its own URL. */
export type Met =
  | { readonly kind: 'edge'; readonly name: string; readonly boot: string }
  /** An answer over HTTP, and no WebSocket. */
  | { readonly kind: 'answer'; readonly status: number }
  /** A WebSocket that was closed, by somebody who is no edge. */
  | { readonly kind: 'stranger'; readonly code: number }
  /** No connection; `code` is that of the network or of TLS. */
  | { readonly kind: 'failure'; readonly code: string }
  | { readonly kind: 'silence'; readonly ms: number };

/** Close code of an edge's answer to a probe; the reason is its identity. */
export const metCode = 1000;

/** The reason that an edge closes a probe with. At most 123 bytes: a name has 64 at most. */
export const identityText = ({ name, boot }: Identity): string => `${name}.${boot}`;

const identity = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,58})$/;

/** Who closed a probe. */
export function metBy(code: number, reason: string): Met {
  const [, name, boot] = identity.exec(reason) ?? [];
  if (code !== metCode || name === undefined || boot === undefined) return { kind: 'stranger', code };
  return { kind: 'edge', name, boot };
}

export const isSelf = (met: Met, self: Identity): boolean =>
  met.kind === 'edge' && met.name === self.name && met.boot === self.boot;

/** Whether what is in front may only need a moment: it has not heard of this edge yet. Another edge has a way that leads wrong. */
export const mayPass = (met: Met, self: Identity): boolean => met.kind !== 'edge' || met.name === self.name;

/** What was met, in words, and what to do about it. */
export function explain(met: Met, self: Identity): { met: string; hint: string } {
  switch (met.kind) {
    case 'edge':
      return met.name === self.name
        ? {
            met: `another process of this name, ${met.boot}`,
            hint: 'if the one before is still stopping, wait; else give each edge its own EVENKEEL_NODE',
          }
        : {
            met: `the edge ${met.name}`,
            hint: 'let what is in front lead this URL here alone, by its path, its host or the node in front of the first dot of the ticket; where it chooses by itself set EVENKEEL_REACHABILITY_URL=off',
          };
    case 'answer':
      return { met: `HTTP status ${met.status}`, hint: hintFor(met.status) };
    case 'stranger':
      return {
        met: `a WebSocket server that is no edge of this mesh (it closed with ${met.code})`,
        hint: 'set EVENKEEL_PUBLIC_URL to where clients reach this edge',
      };
    case 'failure':
      return { met: met.code, hint: hints.get(met.code) ?? elsewhere };
    case 'silence':
      return { met: `nothing within ${met.ms} ms`, hint: `look for a firewall on the way; ${elsewhere}` };
  }
}

const elsewhere =
  'where the public URL does not work from here, set EVENKEEL_REACHABILITY_URL to one that does, or to off';

function hintFor(status: number): string {
  if (status === 401 || status === 403)
    return 'give all edges one EVENKEEL_SECRET; an edge of an earlier version, or what is in front, may refuse it too';
  if (status === 505) return `what is in front speaks HTTP/1.0 to this edge: let it speak 1.1, and ${passOn}`;
  if (status === 400) return `where what is in front has TLS dial wss://; else ${passOn}`;
  if (status >= 300 && status < 400)
    return 'what is in front redirects this URL: set EVENKEEL_PUBLIC_URL to where it leads, perhaps wss:// in place of ws://';
  if (status >= 500) return 'what is in front does not reach this edge: look at its address and port there';
  return `what is in front has no way for this URL: lead it to this edge, and ${passOn}; ${elsewhere}`;
}

const passOn = 'pass on the headers Upgrade and Connection';

const untrusted =
  'its certificate is not trusted here: name the file of its authority in NODE_EXTRA_CA_CERTS before the start';

const hints: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', `nothing listens there: start what is in front of this edge; ${elsewhere}`],
  ['ENOTFOUND', `no such name: look at EVENKEEL_PUBLIC_URL and the name server; ${elsewhere}`],
  ...[
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ].map((code) => [code, untrusted] as const),
  [
    'EPROTO',
    'no TLS is spoken there, or another: without TLS in front EVENKEEL_PUBLIC_URL begins with ws://',
  ],
  ['CERT_HAS_EXPIRED', 'its certificate has expired: renew it'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name: look at EVENKEEL_PUBLIC_URL'],
]);
