import { sessionQueue, toUid } from '@evenkeel/protocol';
import { RawClient, type RawOptions } from '@evenkeel/testkit';
import { newSessionId, type TicketClaims, TicketSigner } from '@evenkeel/ticket';
import type { EdgeUnderTest } from './edge-process.js';

/** What the edges under test check tickets with. */
export const secret = 'edge-test-secret-0123456789abcdef';
const signer = new TicketSigner([secret]);

/** A session of one user, from the outside: it makes tickets and dials edges with them. */
export class SessionUnderTest {
  readonly uid: string;
  readonly sid: string;
  #epoch = Date.now();
  #hasBegun = false;

  constructor(user: string, sid = newSessionId()) {
    this.uid = toUid(user);
    this.sid = sid;
  }

  get queue(): string {
    return sessionQueue(this.uid, this.sid);
  }

  get key(): string {
    return `${this.uid}.${this.sid}`;
  }

  /** A ticket newer than those before; the first of a session says that it is new. */
  ticket(edge: EdgeUnderTest, claims: Partial<TicketClaims> = {}): string {
    this.#epoch += 1;
    const isNew = this.#hasBegun ? {} : { isNew: true };
    this.#hasBegun = true;
    const { uid, sid } = this;
    const expiresAt = Date.now() + 30_000;
    return signer.issue({ uid, sid, node: edge.node, epoch: this.#epoch, expiresAt, ...isNew, ...claims });
  }

  /** The epoch of the last ticket. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Opens a socket and says nothing. */
  async open(
    edge: EdgeUnderTest,
    claims: Partial<TicketClaims> = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    return await RawClient.open(edge.url, this.ticket(edge, claims), options);
  }

  /** Opens a socket, says hello, and waits for `welcome`. */
  async attach(
    edge: EdgeUnderTest,
    hello: object = {},
    claims: Partial<TicketClaims> = {},
    options: RawOptions = {},
  ): Promise<RawClient> {
    const client = await this.open(edge, claims, options);
    client.send({ t: 'hello', ...hello });
    await client.frame('welcome');
    return client;
  }
}

/** Opens the socket that a client is to move to, and says hello there. */
export async function comeTo(
  { url }: Pick<EdgeUnderTest, 'url'>,
  ticket: string,
  hello: object = {},
  options: RawOptions = {},
): Promise<RawClient> {
  const client = await RawClient.open(url, ticket, options);
  client.send({ t: 'hello', resume: true, ...hello });
  return client;
}
