import { BrokerError, type PublishOutcome } from '@evenkeel/broker';
import { describe, expect, it } from 'vitest';
import { Replies } from './replies.js';

const reply = { body: Buffer.from('1'), contentType: 'application/json' };
const older = { replyTo: 'session.a.s', correlationId: 'c', exchange: undefined };
const newer = { ...older, exchange: 'mesh.replies' };

/** Replies over channels that answer so; `sent`: exchanges written to, in order. */
function make(onReplies: PublishOutcome | BrokerError, onDefault: PublishOutcome | BrokerError = 'routed') {
  const sent: string[] = [];
  const warnings: string[] = [];
  const channel = (outcome: PublishOutcome | BrokerError) => ({
    publish: async (exchange: string) => {
      sent.push(exchange);
      if (outcome instanceof BrokerError) throw outcome;
      return outcome;
    },
  });
  const replies = new Replies({
    publisher: channel(onReplies),
    toDefault: () => channel(onDefault),
    log: { warn: (_fields, message) => void warnings.push(message) },
  });
  return { replies, sent, warnings };
}

describe('a reply', () => {
  it.each([
    ['mesh.replies when the request says so', newer, ['mesh.replies']],
    ['the default exchange when an older edge has taken the request', older, ['']],
    ['the default exchange when the request names one that is not ours', { ...newer, exchange: 'x' }, ['']],
  ])('goes to %s, and nowhere else when it is taken there', async (_where, address, exchanges) => {
    const { replies, sent } = make('routed');
    await replies.send(address, reply);
    expect(sent).toEqual(exchanges);
  });

  it.each([
    ['mesh.replies returns it', newer, make('unrouted'), ['mesh.replies', '']],
    ['there is no mesh.replies', newer, make(new BrokerError('no-exchange', '')), ['mesh.replies', '']],
    ['the default exchange returns it', older, make('routed', 'unrouted'), ['', 'mesh.replies']],
    ['nobody is anywhere', newer, make('unrouted', 'unrouted'), ['mesh.replies', '']],
  ])('goes once to the other exchange when %s', async (_when, address, { replies, sent }, exchanges) => {
    await replies.send(address, reply);
    expect(sent).toEqual(exchanges);
  });

  it('goes to mesh.replies alone, without another try each time, where the default exchange is not allowed', async () => {
    const { replies, sent, warnings } = make('unrouted', new BrokerError('publish-refused', 'not allowed'));
    await replies.send(newer, reply);
    await replies.send(older, reply);
    expect(sent).toEqual(['mesh.replies', '', 'mesh.replies']);
    expect(warnings).toHaveLength(1);
  });

  it('fails when the broker does not take it', async () => {
    const { replies } = make(new BrokerError('publish-timeout', 'late'));
    await expect(replies.send(newer, reply)).rejects.toMatchObject({ code: 'publish-timeout' });
  });
});
