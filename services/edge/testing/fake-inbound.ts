import type { PublishOutcome } from '@evenkeel/broker';
import type { TicketClaims } from '@evenkeel/ticket';
import type { InboundBody } from '../src/frame/opaque-body.js';
import type { Inbound } from '../src/session/ports.js';

/** Takes down what clients send, and answers what a test says. */
export class FakeInbound implements Inbound {
  readonly carried: { kind: 'publish' | 'request' | 'relay'; id: string; key: string; json: InboundBody }[] =
    [];
  outcome: Promise<PublishOutcome> = Promise.resolve('routed');

  publish(_from: TicketClaims, id: string, key: string, json: InboundBody): Promise<PublishOutcome> {
    this.carried.push({ kind: 'publish', id, key, json });
    return this.outcome;
  }

  async relay(_from: TicketClaims, id: string, key: string, json: InboundBody): Promise<void> {
    this.carried.push({ kind: 'relay', id, key, json });
    await this.outcome;
  }

  request(_from: TicketClaims, id: string, key: string, json: InboundBody): Promise<PublishOutcome> {
    this.carried.push({ kind: 'request', id, key, json });
    return this.outcome;
  }
}
