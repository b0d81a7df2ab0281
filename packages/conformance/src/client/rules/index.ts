import type { Rule } from '../../rule.js';
import type { ClientCase } from '../case.js';
import { callRules } from './calls.js';
import { closeRules } from './closes.js';
import { eventRules } from './events.js';
import { gatewayRules } from './gateway.js';
import { heartbeatRules } from './heartbeats.js';
import { moveRules } from './moves.js';
import { repeatRules } from './repeats.js';
import { tokenRules } from './tokens.js';
import { topicRules } from './topics.js';

/** What PROTOCOL.md asks of a client, in the order of its life. */
export const clientRules: readonly Rule<ClientCase>[] = [
  ...gatewayRules,
  ...eventRules,
  ...repeatRules,
  ...topicRules,
  ...tokenRules,
  ...moveRules,
  ...callRules,
  ...heartbeatRules,
  ...closeRules,
];
