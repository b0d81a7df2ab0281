import { type CloseCode, type CommandOf, closeCodes, subprotocol, wrongEdgeAt } from '@evenkeel/protocol';
import { type Origins, originRefused } from '@evenkeel/runtime';
import type { TicketClaims, TicketSigner } from '@evenkeel/ticket';
import type { EdgeNode } from '../node.js';
import { identityText, metCode } from '../reach/met.js';
import type { HandshakeLimits } from './handshakes.js';
import { UsedTickets } from './used-tickets.js';

/** What a client shows when it asks for a WebSocket. */
export interface Upgrade {
  readonly ticket: string;
  /** `Sec-WebSocket-Protocol` as it came. */
  readonly protocols: string;
  /** `Origin`, which browsers send; empty: none. */
  readonly origin?: string;
  /** Where it comes from. */
  readonly address: () => string;
}

export type Verdict = Admitted | Refused | Dismissed;

export interface Admitted {
  readonly isAdmitted: true;
  readonly claims: TicketClaims;
  /** It does not offer our subprotocol. */
  readonly isBare: boolean;
}

/** Answered over HTTP, and no WebSocket. */
export interface Refused {
  readonly isAdmitted: false;
  readonly why:
    | 'ticket'
    | 'full'
    | 'draining'
    | 'memory'
    | 'tickets'
    | 'origin'
    | 'user'
    | 'address-rate'
    | 'user-rate';
  readonly status: string;
  readonly code: string;
  readonly message: string;
  /** When to come back, in seconds from now. */
  readonly retryAfterS?: number;
}

/** Gets a WebSocket only to be told why it is closed: browsers hide an answer over HTTP from the page. */
export interface Dismissed {
  readonly isAdmitted: false;
  readonly why: 'dismissed';
  readonly isBare: boolean;
  readonly close: Pick<CloseCode, 'code' | 'reason'>;
  /** Closed only after this, ms. */
  readonly afterMs?: number;
}

/**
 * How long a socket that a front has brought back here is held before it is closed, ms: a front that counts connections
 * sends the next ones elsewhere meanwhile.
 */
export const heldMs = 500;

/** Its ticket is good and names another edge, which is to be asked; then {@link Gate.settle}. */
export interface Foreign {
  readonly isAdmitted: false;
  readonly why: 'foreign';
  readonly isBare: boolean;
  readonly ticket: string;
  readonly claims: TicketClaims;
  readonly address: () => string;
}

/** What the named edge says of a ticket that was shown here. */
export interface ClaimAnswer {
  /** `silent`: it is dead, does not answer, or is of an older version. `unavailable`: it could not be asked now. */
  readonly outcome: CommandOf<'claimed'>['outcome'] | 'silent' | 'unavailable';
  /** Where clients dial it; empty: unknown. */
  readonly url: string;
}

/** Asks the edge that a ticket names; never rejects. */
export interface Claimer {
  ask(foreign: Foreign): Promise<ClaimAnswer>;
}

export interface GateOptions {
  tickets: Pick<TicketSigner, 'check'>;
  node: Pick<EdgeNode, 'name' | 'boot' | 'url' | 'isDraining' | 'isLowOnMemory'>;
  /** Which pages may connect. */
  origins: Pick<Origins, 'takes'>;
  /** How many connections there may be. */
  room: { readonly capacity: number };
  /** Whether the user may have one more socket. Default: as many as there is room for. */
  users?: { hasRoom(uid: string): boolean };
  /** How many may ask. Default: as many as do. */
  handshakes?: Pick<HandshakeLimits, 'address' | 'user' | 'refused'>;
  /** Used tickets remembered at most, until they expire. Default 100,000. */
  maxUsedTickets?: number;
  /**
   * A client that this edge has asked to move is back here with the ticket for its new edge. Where it is to go; undefined
   * when the session is not held here any more.
   */
  cameBack?(claims: TicketClaims): string | undefined;
  /** Whether the session has a socket here, which the new one is to follow. */
  isHere?(claims: Pick<TicketClaims, 'uid' | 'sid'>): boolean;
  /** Whether an operator keeps this user or session out, tickets that they have already included. */
  denies?(claims: TicketClaims): boolean;
}

const full: Refused = {
  isAdmitted: false,
  why: 'full',
  status: '503 Service Unavailable',
  code: 'unavailable',
  message: 'ask GET /gateway for another node',
};

const draining: Refused = { ...full, why: 'draining' };

const lowOnMemory: Refused = { ...full, why: 'memory' };

const tooManyTickets: Refused = { ...full, why: 'tickets' };

const foreignPage: Refused = {
  isAdmitted: false,
  why: 'origin',
  status: '403 Forbidden',
  ...originRefused,
};

const tooMany: Refused = {
  isAdmitted: false,
  why: 'user',
  status: '429 Too Many Requests',
  code: 'too-many-sockets',
  message:
    'this user has as many sockets on this node as one may have: close some, or ask GET /gateway later',
};

const tooFast = (by: 'address' | 'user', retryAfterS: number): Refused => ({
  isAdmitted: false,
  why: `${by}-rate`,
  status: '429 Too Many Requests',
  code: 'rate-limited',
  message: `too many sockets are asked for ${by === 'user' ? 'by this user' : 'from this address'}; come back after Retry-After seconds`,
  retryAfterS,
});

const refuseTicket = (code: string, message: string): Refused => ({
  isAdmitted: false,
  why: 'ticket',
  status: '401 Unauthorized',
  code,
  message,
});
const renew = 'ask GET /gateway for a new ticket';
const used = refuseTicket('ticket-used', 'a ticket is good for one socket; ask GET /gateway for a new one');

/** Decides who may connect. Remembers the tickets it has admitted, and touches nothing else. */
export class Gate {
  readonly #options: GateOptions;
  readonly #used: UsedTickets;
  /** For an edge that looks where its URL leads, in every state of this one. */
  readonly #met: Dismissed;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#used = new UsedTickets(options.maxUsedTickets ?? 100_000);
    const close = { code: metCode, reason: identityText(options.node) };
    this.#met = { isAdmitted: false, why: 'dismissed', isBare: true, close };
  }

  /** `open`: connections at this moment. An admitted ticket is used up. */
  judge(upgrade: Upgrade, open: number, nowMs: number): Verdict | Foreign {
    return this.#paced(this.#judge(upgrade, open, nowMs), upgrade.address, nowMs);
  }

  #judge(
    { ticket, protocols, origin = '', address }: Upgrade,
    open: number,
    nowMs: number,
  ): Verdict | Foreign {
    // First: a page that may not connect is not to use up a ticket.
    if (origin !== '' && !this.#options.origins.takes(origin)) return foreignPage;
    const { tickets, node, room } = this.#options;
    const isBare = !offersOurs(protocols);
    const checked = tickets.check(ticket, node, nowMs);
    if (!checked.ok && checked.problem === 'probe') return this.#met;
    if (!checked.ok && checked.problem !== 'wrong-node') {
      return refuseTicket(`ticket-${checked.problem}`, renew);
    }
    const { claims, ok: isForHere } = checked;
    // It is to cost its user nothing: somebody else may have found it.
    if (isForHere && this.#used.has(claims.id, claims.expiresAt)) return used;
    const limited = this.#limited(claims, isForHere, address, nowMs);
    if (limited) return limited;
    if (!isForHere) {
      return this.#judgeForeign({ isAdmitted: false, why: 'foreign', isBare, ticket, claims, address }, open);
    }
    if (this.#denies(claims)) return deniedOne(isBare);
    if (node.isDraining) return draining;
    if (this.#costsTooMuch(claims)) return lowOnMemory;
    if (open >= room.capacity) return full;
    if (!this.#hasRoom(claims)) return tooMany;
    const use = this.#used.use(claims.id, claims.expiresAt, nowMs);
    if (use === 'full') return tooManyTickets;
    if (use === 'again') return used;
    return { isAdmitted: true, claims, isBare };
  }

  /** What becomes of a client, now that the edge which its ticket names has answered. `open`: connections now. */
  settle(foreign: Foreign, answer: ClaimAnswer, open: number, nowMs: number): Verdict {
    return this.#paced(this.#settle(foreign, answer, open), foreign.address, nowMs);
  }

  #settle({ claims, isBare }: Foreign, { outcome, url }: ClaimAnswer, open: number): Verdict {
    const { node, room } = this.#options;
    switch (outcome) {
      case 'taken':
        if (this.#denies(claims)) return deniedOne(isBare);
        if (node.isDraining) return draining;
        if (this.#costsTooMuch(claims)) return lowOnMemory;
        if (open >= room.capacity) return full;
        return this.#hasRoom(claims) ? { isAdmitted: true, claims, isBare } : tooMany;
      case 'elsewhere':
      case 'silent':
        return wrongEdge(isBare, url);
      case 'used':
        return used;
      case 'stale':
      case 'expired':
        return refuseTicket(`ticket-${outcome}`, renew);
      default:
        return full;
    }
  }

  /**
   * For another edge, dialled at `url`, that was shown a ticket of this one: uses it up as if it had been shown here. Capacity
   * does not matter, since the client goes there; nor does draining. Undefined: it is no ticket of this edge.
   */
  claim(ticket: string, url: string, nowMs: number): CommandOf<'claimed'>['outcome'] | undefined {
    const { tickets, node } = this.#options;
    const checked = tickets.check(ticket, node, nowMs);
    if (!checked.ok)
      return checked.problem === 'expired' || checked.problem === 'stale' ? checked.problem : undefined;
    const { id, expiresAt } = checked.claims;
    if (url !== node.url) return this.#used.has(id, expiresAt) ? 'used' : 'elsewhere';
    const use = this.#used.use(id, expiresAt, nowMs);
    return use === 'first' ? 'taken' : use === 'again' ? 'used' : 'full';
  }

  /**
   * Of a good ticket, whether there are too many. Moves come at the pace of whoever has planned them, and a ticket of one is good here
   * once; shown where it is not good, it may be shown again.
   */
  #limited(claims: TicketClaims, isForHere: boolean, address: () => string, nowMs: number) {
    const { handshakes } = this.#options;
    const isMove = claims.move !== undefined;
    if (handshakes === undefined || (isMove && isForHere)) return undefined;
    const ofUserS = handshakes.user(claims.uid, nowMs);
    if (ofUserS !== undefined) return tooFast('user', ofUserS);
    const ofAddressS = isMove ? undefined : handshakes.address(address(), nowMs);
    return ofAddressS === undefined ? undefined : tooFast('address', ofAddressS);
  }

  /** What is refused by its client's fault counts for its address; beyond what that may, it is not even told what is wrong. */
  #paced<Given extends Verdict | Foreign>(
    given: Given,
    address: () => string,
    nowMs: number,
  ): Given | Refused {
    if (given.isAdmitted || (given.why !== 'ticket' && given.why !== 'origin')) return given;
    const waitS = this.#options.handshakes?.refused(address(), nowMs);
    return waitS === undefined ? given : tooFast('address', waitS);
  }

  /** A socket that takes the place of another, here or on the edge that it is moved from, is none more. */
  #hasRoom(claims: TicketClaims): boolean {
    const { users, isHere } = this.#options;
    if (claims.move !== undefined || isHere?.(claims) === true) return true;
    return users?.hasRoom(claims.uid) !== false;
  }

  /** Near its memory limit it takes no session that is not here already. */
  #costsTooMuch(claims: TicketClaims): boolean {
    return this.#options.node.isLowOnMemory && this.#options.isHere?.(claims) !== true;
  }

  #judgeForeign(foreign: Foreign, open: number): Verdict | Foreign {
    const { node, room, cameBack } = this.#options;
    const { claims, isBare } = foreign;
    if (this.#denies(claims)) return deniedOne(isBare);
    if (claims.move !== undefined && claims.from === node.name) {
      const url = cameBack?.(claims);
      // While draining it is not to stay: 503 lets the front try another edge at once.
      if (url !== undefined && !node.isDraining) return { ...wrongEdge(isBare, url), afterMs: heldMs };
    }
    if (node.isDraining) return draining;
    if (this.#costsTooMuch(claims)) return lowOnMemory;
    if (open >= room.capacity) return full;
    // The older form names no process, and edges that read it alone know no claims.
    return claims.boot === undefined ? wrongEdge(isBare, '') : foreign;
  }

  #denies(claims: TicketClaims): boolean {
    return this.#options.denies?.(claims) ?? false;
  }
}

/** By a close code, which stops a client for good; an answer over HTTP would have it try again. */
const deniedOne = (isBare: boolean): Dismissed => ({
  isAdmitted: false,
  why: 'dismissed',
  isBare,
  close: closeCodes.denied,
});

/** `url`: where the ticket is good; empty: unknown. */
function wrongEdge(isBare: boolean, url: string): Dismissed {
  return { isAdmitted: false, why: 'dismissed', isBare, close: wrongEdgeAt(url) };
}

const offersOurs = (protocols: string): boolean =>
  protocols.split(',').some((offered) => offered.trim() === subprotocol);
