import type { Rule } from '../rule.js';
import { askRules } from './asks.js';
import { bareRules } from './bare.js';
import { bodyRules } from './bodies.js';
import { eventRules } from './events.js';
import { frameRules } from './frames.js';
import { gatewayRules } from './gateway.js';
import { keptRules } from './kept.js';
import { moveRules } from './moves.js';
import { nameRules } from './names.js';
import { requestRules } from './requests.js';
import { sessionRules } from './sessions.js';
import { streamRules } from './streams.js';
import { ticketRules } from './tickets.js';
import { tokenRules } from './tokens.js';
import { topicRules } from './topics.js';

export const rules: readonly Rule[] = [
  ...gatewayRules,
  ...ticketRules,
  ...frameRules,
  ...tokenRules,
  ...bodyRules,
  ...eventRules,
  ...topicRules,
  ...keptRules,
  ...requestRules,
  ...askRules,
  ...moveRules,
  ...streamRules,
  ...sessionRules,
  ...bareRules,
  ...nameRules,
];

/** Rules that take the end of a process or of the broker to see; the tests of this repository do that. */
export const unchecked: readonly { section: string; text: string }[] = [
  { section: '1', text: '503 of a gateway without edges, and of an edge that drains or is full' },
  { section: '2.3', text: 'gap broker-lost' },
  { section: '3', text: '4000 drained, 4006 broker-unavailable, 4009 takeover-failed' },
  { section: '4', text: 'an edge that dies or falls silent in a move' },
  {
    section: '2.5',
    text: 'what tokens grant, refresh with a good one, expiring, 4011, 4503: they take a mesh that checks tokens',
  },
];
