import type { Delivery } from '@evenkeel/broker';
import { exchanges, refreshKey } from '@evenkeel/protocol';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Questions } from './questions.js';

/** Questions whose answers come when the test says so. */
function make() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let deliver: (delivery: Delivery) => void = () => {};
  const published: string[] = [];
  const questions = new Questions({
    node: 'edge-1',
    mesh: {
      ownQueue: ({ onDelivery }) => {
        if (onDelivery) deliver = onDelivery;
        return { start: async () => {}, stop: async () => {} } as ReturnType<
          ConstructorParameters<typeof Questions>[0]['mesh']['ownQueue']
        >;
      },
    },
    publisher: {
      publish: async (exchange, _key, _body, { messageId = '' } = {}) => {
        expect(exchange).toBe(exchanges.inbound);
        published.push(messageId);
        return 'routed';
      },
    },
  });
  const answer = (body: object, headers: Record<string, unknown> = {}) =>
    deliver({
      ack: () => {},
      body: Buffer.from(JSON.stringify(body)),
      properties: { correlationId: published.at(-1), headers },
    } as unknown as Delivery);
  return { questions, answer };
}
const alice = { uid: 'alice', sid: 's' };
const error = { 'evenkeel-error': 'no' };

describe('what an edge asks', () => {
  it('for a new token is not answered by an error, whoever sends it: it waits for the gateway', async () => {
    const { questions, answer } = make();
    const asked = questions.ask(refreshKey, alice, {});
    answer({}, error);
    answer({ ok: true });
    expect(await asked).toEqual({ is: 'answer', body: { ok: true } });
  });

  it('of a service is answered by an error too, with nothing', async () => {
    const { questions, answer } = make();
    const asked = questions.ask('$authorize.subscribe.room', alice, {});
    answer({ allow: true }, error);
    expect(await asked).toEqual({ is: 'answer', body: undefined });
  });
});
