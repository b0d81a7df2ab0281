import { type CloseCode, subprotocol } from '@evenkeel/protocol';
import type { TicketClaims, TicketSigner } from '@evenkeel/ticket';
import type { EdgeNode } from '../node.js';
import { identityText, metCode } from '../reach/met.js';
import { UsedTickets } from './used-tickets.js';

/** What a client shows when it asks for a WebSocket. */
export interface Upgrade {
  readonly ticket: string;
  /** `Sec-WebSocket-Protocol` as it came. */
  readonly protocols: string;
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
  readonly why: 'ticket' | 'full';
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

/** Gets a WebSocket only to be told why it is closed: browsers hide an answer over HTTP from the page. */
export interface Dismissed {
  readonly isAdmitted: false;
  readonly why: 'dismissed';
  readonly isBare: boolean;
  readonly close: Pick<CloseCode, 'code' | 'reason'>;
}

export interface GateOptions {
  tickets: Pick<TicketSigner, 'check'>;
  node: Pick<EdgeNode, 'name' | 'boot' | 'isDraining'>;
  /** Connections at most. */
  capacity: number;
  /** Used tickets remembered at most, until they expire. Default 100,000. */
  maxUsedTickets?: number;
}

const full: Refused = {
  isAdmitted: false,
  why: 'full',
  status: '503 Service Unavailable',
  code: 'unavailable',
  message: 'ask GET /gateway for another node',
};

const refuseTicket = (code: string, message: string): Refused => ({
  isAdmitted: false,
  why: 'ticket',
  status: '401 Unauthorized',
  code,
  message,
});

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
  judge({ ticket, protocols }: Upgrade, open: number, nowMs: number): Verdict {
    const { tickets, node, capacity } = this.#options;
    const checked = tickets.check(ticket, node, nowMs);
    if (!checked.ok && checked.problem === 'probe') return this.#met;
    if (!checked.ok) return refuseTicket(`ticket-${checked.problem}`, 'ask GET /gateway for a new ticket');
    if (node.isDraining || open >= capacity) return full;
    const { claims } = checked;
    const use = this.#used.use(claims.id, claims.expiresAt, nowMs);
    if (use === 'full') return full;
    if (use === 'again') {
      return refuseTicket('ticket-used', 'a ticket is good for one socket; ask GET /gateway for a new one');
    }
    return { isAdmitted: true, claims, isBare: !offersOurs(protocols) };
  }
}

const offersOurs = (protocols: string): boolean =>
  protocols.split(',').some((offered) => offered.trim() === subprotocol);
