import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientText } from './client-text.js';

describe('the text of a frame', () => {
  it('is what its bytes say, and begins as it does, decoded whole or not', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 1_200, size: 'max' });
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isReadWhole) => {
        const frame = new ClientText(Buffer.from(text));
        if (isReadWhole) expect(frame.whole).toBe(text);
        expect(text.startsWith(frame.beginning)).toBe(true);
        expect(frame.beginning.length).toBeGreaterThanOrEqual(Math.min(text.length, 512));
        expect(frame.whole).toBe(text);
        expect(frame.bytes).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it('is not decoded for its beginning, as long as that is ASCII', () => {
    const encoded = Buffer.from(`{"t":"publish","id":"a","data":"${'x'.repeat(60_000)}"}`);
    const frame = new ClientText(encoded);
    expect(frame.beginning).toHaveLength(512);
    // Only what is decoded later shows what is written now.
    encoded[encoded.length - 1] = 0x5d;
    expect(frame.whole.endsWith(']')).toBe(true);
  });
});
