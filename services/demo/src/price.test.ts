import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextPrice } from './price.js';

it('wanders in cents and stays near 100', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 500 }), (draws) => {
      let price = 100;
      for (const draw of draws) price = nextPrice(price, () => draw);
      expect(price).toBeGreaterThan(40);
      expect(price).toBeLessThan(160);
      expect(Math.abs(price * 100 - Math.round(price * 100))).toBeLessThan(1e-6);
    }),
    { numRuns: 20 },
  );
});
