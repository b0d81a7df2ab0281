import { expect, it } from 'vitest';
import { contentOf, dataOf, fieldsOf } from './payload.js';

it('bytes travel as base64 and come back as bytes, whatever they look like; anything else as JSON', () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, n) => n);
  for (const given of [bytes, Buffer.from('42'), new Uint8Array(), bytes.subarray(7, 300)]) {
    const fields = fieldsOf(given);
    expect(fields).toEqual({ data: Buffer.from(given).toString('base64'), encoding: 'base64' });
    expect(dataOf(fields)).toEqual(Uint8Array.from(given));
  }
  expect(fieldsOf(bytes.buffer.slice(0, 2))).toEqual({ data: 'AAE=', encoding: 'base64' });
  for (const given of [{ a: 1 }, '42', null, undefined, [1]])
    expect(fieldsOf(given)).toEqual({ data: given });
});

it('an event has the trace context of its frame, and none where that has none', () => {
  const traced = {
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1',
  };
  const frame = { id: 'i', data: 1, at: 5 };
  expect(contentOf({ name: 'n' }, { ...frame, ...traced })).toEqual({ name: 'n', ...frame, ...traced });
  expect(contentOf({ name: 'n' }, frame)).toEqual({ name: 'n', ...frame });
});
