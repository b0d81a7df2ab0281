import { fairUse } from '@evenkeel/protocol';
import { setting } from '@evenkeel/runtime';

const { count } = setting;

/** Settings that keep one client, or one address, from spoiling the edge for the others. */
export const limitSettings = {
  maxPending: count(1_000_000)
    .default(fairUse.maxPending)
    .describe('connections that have not asked for anything yet; more are closed at once'),
  maxPendingPerAddress: count(1_000_000)
    .default(fairUse.maxPendingPerAddress)
    .describe(
      'the same of one address, of IPv6 a /64, within 12 s; not counted behind EVENKEEL_TRUSTED_HOPS',
    ),
  limitLoopback: setting.limitLoopback(),
};
