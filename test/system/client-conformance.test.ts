import { describe, expect, it } from 'vitest';
import { check } from '../support/conformance.js';

describe('the conformance kit', () => {
  it('finds nothing wrong with the SDK, asked everything', async () => {
    const { failed, notAsked, rules } = await check('node packages/conformance/drivers/sdk.mjs');
    expect({ failed, notAsked }).toEqual({ failed: [], notAsked: [] });
    expect(rules.length).toBeGreaterThan(100);
  });

  it.each([
    ['acks-what-has-come', 'ack-after-handling', 'acknowledged an event while its handler was still at work'],
    ['drops-equal-events', 'repeat-not-by-content', 'dropped because its content had come before'],
    [
      'leaves-before-it-arrives',
      'move-new-socket-first',
      'closed its old socket before the new one had a welcome',
    ],
    ['retries-for-ever', 'close-4501', 'came back after a close with 4501'],
    ['retries-for-ever', 'gateway-back-off', 'retries without a back-off'],
    ['keeps-gaps-to-itself', 'gap-before-next', 'did not tell its application of a gap'],
    ['shows-the-old-pass', 'token-new-pass', 'has the earlier pass'],
    ['resends-with-new-ids', 'call-resend-publish', 'sent its publish again under another id'],
  ])('refuses a client that %s, by the rule %s', async (name, rule, reason) => {
    const { failed } = await check(`node packages/conformance/bad-clients/${name}.mjs`, '--only', rule);
    expect(failed.find(({ id }) => id === rule)?.reason).toContain(reason);
  });
});
