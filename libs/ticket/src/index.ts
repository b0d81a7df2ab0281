/**
 * Tickets: short-lived signed tokens that admit one socket to one edge.
 *
 * A ticket is `node . base64url(JSON claims) . base64url(HMAC-SHA256)`, signed over all that stands before the last dot, with
 * a secret that gateways and edges share. Fronts may route by what stands before the first dot. For edges that do not say in
 * their statistics that they read this form, and from balancers that do not pass it on, it is the older one of two parts,
 * `claims . signature`, with the node among the claims and no process. It is signed and checked synchronously, in the move's hot path;
 * a general JWT library costs a thread-pool hop there (figures in ARCHITECTURE.md).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { PassHold } from '@evenkeel/protocol';
import { isNodeName, isSid, isUid } from '@evenkeel/protocol/wire';

export interface TicketClaims {
  /** Identity of the ticket: an edge admits each once. */
  id: string;
  uid: string;
  sid: string;
  /** The edge this ticket is for. */
  node: string;
  /** The process of that edge, so that a restart, which forgets what was used, refuses it. Without it the form is the older one. */
  boot?: string;
  /** Grows with every ticket of a session (a gateway's ms since the epoch, or one more than the last): the newer socket wins. */
  epoch: number;
  /** Not valid at or after this, ms since the epoch by the clock of the edge that it is for. */
  expiresAt: number;
  /** The gateway made the session id up just now, so there is nothing to look for. */
  isNew?: boolean;
  /** The edge that holds the session, where known; several that may, separated by commas, newest first. */
  from?: string;
  /** The planned move this ticket belongs to. */
  move?: string;
  /** An edge looks where its own URL leads: whoever checks this says who it is, and admits nobody. */
  isProbe?: boolean;
  /** The pass that counts for the session. Without it: one of development mode, or of a gateway of before passes. */
  pass?: PassHold;
}

/** `stale`: for an earlier process of this edge. `probe`: good, for whichever edge is asked, and admits nobody. */
export type TicketProblem = 'malformed' | 'forged' | 'expired' | 'probe' | 'wrong-node' | 'stale';
export type TicketVerdict =
  | { ok: true; claims: TicketClaims }
  | { ok: false; problem: Exclude<TicketProblem, 'wrong-node'> }
  /** Good, for another edge: that one alone knows whether it has been used. */
  | { ok: false; problem: 'wrong-node'; claims: TicketClaims };

/** Shortest accepted secret, in bytes. */
export const minSecretBytes = 16;
/** Longest ticket looked at, in characters. */
export const maxTicketChars = 2_048;
/** How long a ticket may live, ms. Edges remember each until then. */
export const ticketLifetime = { minMs: 1_000, maxMs: 300_000 } as const;
/** No ticket is good for longer than this from now: room for clocks that differ, and for earlier versions, whose moves had 10 min. */
const longestLeftMs = 2 * ticketLifetime.maxMs;

/** How much later than here it may be at the edge that a ticket names, ms: that one judges by its own clock, and is asked. */
const foreignSlackMs = 10_000;

/** Signs and checks tickets with one secret (several for checking, while a secret is being changed). */
export class TicketSigner {
  readonly #keys: readonly Buffer[];
  /** The first. */
  readonly #signingKey: Buffer;

  /**
   * @param secrets the first signs; all are accepted. Each at least 16 bytes.
   * @throws RangeError when none is given or one is too short.
   */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => Buffer.from(secret, 'utf8'));
    const [signingKey] = this.#keys;
    if (signingKey === undefined) throw new RangeError('give at least one ticket secret');
    this.#signingKey = signingKey;
    for (const key of this.#keys) {
      if (key.length < minSecretBytes)
        throw new RangeError(`a ticket secret has at least ${minSecretBytes} bytes; make a longer one`);
    }
  }

  /** Issues a ticket; `id` is made here. */
  issue({ node, ...claims }: Omit<TicketClaims, 'id'>): string {
    const id = newTicketId();
    const isNamed = claims.boot !== undefined;
    const json = JSON.stringify(isNamed ? { id, ...claims } : { id, node, ...claims });
    const body = Buffer.from(json).toString('base64url');
    const signed = isNamed ? `${node}.${body}` : body;
    return `${signed}.${this.#sign(signed, this.#signingKey).toString('base64url')}`;
  }

  /** Checks signature, form, time, use, edge and process, in that order. */
  check(
    ticket: string,
    edge: { readonly name: string; readonly boot: string },
    nowMs: number,
  ): TicketVerdict {
    const dot = ticket.lastIndexOf('.');
    if (dot <= 0 || ticket.length > maxTicketChars) return { ok: false, problem: 'malformed' };
    const signed = ticket.slice(0, dot);
    const signature = Buffer.from(ticket.slice(dot + 1), 'base64url');
    const isSigned = this.#keys.some((key) => {
      const expected = this.#sign(signed, key);
      return signature.length === expected.length && timingSafeEqual(signature, expected);
    });
    if (!isSigned) return { ok: false, problem: 'forged' };
    const claims = readTicket(signed);
    if (claims === undefined) return { ok: false, problem: 'malformed' };
    const slackMs = claims.node === edge.name ? 0 : foreignSlackMs;
    if (claims.expiresAt + slackMs <= nowMs) return { ok: false, problem: 'expired' };
    if (claims.expiresAt > nowMs + longestLeftMs) return { ok: false, problem: 'malformed' };
    if (claims.isProbe === true) return { ok: false, problem: 'probe' };
    if (claims.node !== edge.name) return { ok: false, problem: 'wrong-node', claims };
    if (claims.boot !== undefined && claims.boot !== edge.boot) return { ok: false, problem: 'stale' };
    return { ok: true, claims };
  }

  #sign(body: string, key: Buffer): Buffer {
    return createHmac('sha256', key).update(body).digest();
  }
}

/** The claims of both forms: in the older one the node is among them. */
function readTicket(signed: string): TicketClaims | undefined {
  const dot = signed.indexOf('.');
  const claims = readClaims(signed.slice(dot + 1), dot < 0 ? undefined : signed.slice(0, dot));
  return (claims?.boot !== undefined) === dot >= 0 ? claims : undefined;
}

function readClaims(body: string, named: string | undefined): TicketClaims | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {
    id,
    uid,
    sid,
    epoch,
    expiresAt,
    boot,
    isNew,
    from,
    move,
    isProbe,
    pass,
    ...rest
  }: Record<string, unknown> = {
    ...value,
  };
  const node = named ?? rest.node;
  if (typeof id !== 'string' || !isNodeName(node) || !isUid(uid) || !isSid(sid)) return undefined;
  if (!isCount(epoch) || typeof expiresAt !== 'number') return undefined;
  // Without the pass that it is to have, a ticket would give more than it says.
  if (pass !== undefined && !isPassHold(pass)) return undefined;
  return {
    id,
    uid,
    sid,
    node,
    epoch,
    expiresAt,
    ...(typeof boot === 'string' ? { boot } : {}),
    ...(isNew === true ? { isNew } : {}),
    ...(typeof from === 'string' ? { from } : {}),
    ...(typeof move === 'string' ? { move } : {}),
    ...(isProbe === true ? { isProbe } : {}),
    ...(pass === undefined ? {} : { pass }),
  };
}

/** What edges tell each other as an epoch; JSON has larger numbers. */
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

function isPassHold(value: unknown): value is PassHold {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, exp, rev }: Partial<Record<keyof PassHold, unknown>> = value;
  return typeof hash === 'string' && Number.isSafeInteger(exp) && Number.isSafeInteger(rev);
}

const idBytes = 9;
let pool: Buffer = Buffer.alloc(0);
let taken = 0;

/** 72 random bits, from a pool: a call to the generator for each costs as much as the signature. */
function newTicketId(): string {
  if (taken + idBytes > pool.length) {
    pool = randomBytes(idBytes * 512);
    taken = 0;
  }
  taken += idBytes;
  return pool.toString('base64url', taken - idBytes, taken);
}

/** A fresh session id: 128 random bits, 22 characters. */
export const newSessionId = (): string => randomBytes(16).toString('base64url');
