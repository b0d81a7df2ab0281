import { expect, it } from 'vitest';
import { edgeConfig } from '../config.js';
import { MoveLedger } from '../move/ledger.js';
import { Load } from '../session/load.js';
import { noCounts } from '../transport/counts.js';
import { aboutEdge } from './about.js';

it('an edge says what it takes, what it is set to without its secrets, and what it has counted, by reason', () => {
  const secret = 'a-secret-of-the-about-test';
  const config = edgeConfig.parse({ secret: [secret], node: 'a' });
  const [counts, load, ledger] = [noCounts(), new Load(), new MoveLedger()];
  counts.closes.add('4004', 2);
  counts.refusedTickets.add('expired');
  counts.refusedFull.add('draining', 3);
  load.toldGap('overflow');
  load.refused.frames = 5;
  ledger.ends.add('timed-out');
  const figures = {
    ...{ isConnected: true, isBlocked: false, reconnects: 0, channels: 1, unconfirmed: 0, waiting: 0 },
    ...{ operationsWaiting: 0, consumers: 1, recovering: 0 },
  };
  const room = { capacity: 100, maxPending: 10 };
  const about = aboutEdge({
    config,
    room,
    ledger,
    counts,
    load,
    pending: { refused: 0 },
    users: { refused: 1 },
    mesh: { figures: () => [['consuming', figures] as const].values() },
  });
  expect(about).toMatchObject({
    limits: { capacity: 100, maxPending: 10, maxTopics: 512 },
    settings: { node: 'a' },
    closes: { 4004: 2 },
    gaps: { overflow: 1 },
    movesByOutcome: { 'timed-out': 1 },
    amqp: { consuming: figures },
  });
  expect(about.refused).toEqual({ 'ticket-expired': 1, draining: 3, user: 1, frames: 5 });
  expect(JSON.stringify(about)).not.toContain(secret);
});
