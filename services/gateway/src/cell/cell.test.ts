import { steadyNow } from '@evenkeel/pace';
import { expect, it } from 'vitest';
import { stats } from '../../testing/placing.js';
import { PassIssuer } from '../access/pass-issuer.js';
import { AuthError } from '../auth/credentials.js';
import { gatewayConfig } from '../config.js';
import { Cell } from './cell.js';

it('nodes of a cell that is left are forgotten, so that no metric keeps their names', async () => {
  const forgotten: string[] = [];
  const secret = ['a secret of 16 bytes or more'];
  const cell = new Cell({
    amqpUrl: 'amqp://127.0.0.1:1',
    config: gatewayConfig.parse({ amqpUrl: 'amqp://127.0.0.1:1', secret }),
    authenticate: () => Promise.reject(new AuthError('bad-credentials', 'nobody is known')),
    passes: new PassIssuer(secret, () => 0),
    forgotten: (node) => void forgotten.push(node),
    onAnswered: () => {},
    onRefused: () => {},
    log: { fatal() {}, error() {}, warn() {}, info() {}, debug() {}, trace() {} } as never,
  });
  for (const node of ['n1', 'n2']) cell.placer.observe(stats(node), steadyNow());
  await cell.stop();
  expect(forgotten).toEqual(['n1', 'n2']);
});
