import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientText } from '../frame/client-text.js';
import { plainAckSeq, readFrame } from './inbox.js';
import { type SessionState, transitions } from './states.js';

const open: SessionState[] = ['attaching', 'attached', 'releasing'];
const read = (frame: unknown, state: SessionState = 'attached') => readFrame(JSON.stringify(frame), state);

describe('an ack', () => {
  it('is read without a parser exactly where a parser reads the same', () => {
    const texts = fc.oneof(
      fc.nat().map((seq) => `{"t":"ack","seq":${seq}}`),
      fc.string(),
      fc.json(),
      fc.constantFrom(
        '{"t":"ack","seq":-1}',
        '{"t":"ack", "seq":1}',
        '{"t":"ack","seq":1}}',
        '{"t":"ack","seq":1e3}',
      ),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const seq = plainAckSeq(new ClientText(text));
        if (seq !== undefined)
          expect(readFrame(text, 'attached')).toEqual({ is: 'frame', frame: { t: 'ack', seq } });
      }),
    );
    expect(plainAckSeq(new ClientText('{"t":"ack","seq":17}'))).toBe(17);
    expect(plainAckSeq(new ClientText('{"t":"ack","seq":1234567890123456}'))).toBeUndefined();
  });
});

describe('a frame', () => {
  it('may be anything but hello once hello has come, and nothing else before', () => {
    for (const state of open) {
      expect(read({ t: 'ping' }, state).is).toBe('frame');
      expect(read({ t: 'hello' }, state).is).toBe('violation');
    }
    expect(read({ t: 'hello' }, 'opened').is).toBe('frame');
    expect(read({ t: 'ping' }, 'opened').is).toBe('violation');
    expect(read({ t: 'ack', seq: 0 }, 'opened').is).toBe('violation');
  });

  it('has its data as it was written, and null where there is none', () => {
    const frame = '{"t":"publish","id":7,"topic":"a","data": [1e400, 12345678901234567890] }';
    const data = { text: '[1e400, 12345678901234567890]', depth: 1 };
    expect(readFrame(frame, 'attached')).toEqual({
      is: 'frame',
      frame: { t: 'publish', id: '7', topic: 'a', data },
    });
    expect(read({ t: 'request', id: 'r', method: 'm' })).toMatchObject({
      frame: { data: { text: 'null', depth: 0 } },
    });
  });

  it('may carry bytes, with their type', () => {
    const frame = { t: 'publish', id: 'b', topic: 'a', data: '/wA=', encoding: 'base64' };
    const bytes = { body: Buffer.from([255, 0]), contentType: 'application/octet-stream' };
    expect(read(frame)).toMatchObject({ is: 'frame', frame: { id: 'b', bytes } });
    const contentType = 'image/png';
    expect(read({ ...frame, contentType })).toMatchObject({ frame: { bytes: { ...bytes, contentType } } });
    for (const data of [undefined, 7, 'a', 'a===', 'ab c', '-_-_', 'ab=='.repeat(2)])
      expect(read({ ...frame, data }).is, String(data)).toBe('violation');
    for (const more of [{ encoding: 'gzip' }, { contentType: '' }, { contentType: 'é' }])
      expect(read({ ...frame, ...more }).is).toBe('violation');
  });

  it('comes too late after moved, unless it is an ack', () => {
    expect(read({ t: 'ack', seq: 1, more: true }, 'moved')).toEqual({
      is: 'frame',
      frame: { t: 'ack', seq: 1 },
    });
    for (const frame of [{ t: 'ping' }, { t: 'hello' }, { t: 'publish', id: 1, topic: 'a' }, { t: 'sing' }])
      expect(read(frame, 'moved').is).toBe('late');
  });

  it.each([
    ['{"half'],
    ['""'],
    ['null'],
    ['[]'],
    ['{}'],
    ['{"t":7}'],
    ['{"t":"ack"}'],
    ['{"t":"ack","seq":0.5}'],
  ])('is a violation in every state: %s', (text) => {
    for (const state of Object.keys(transitions) as SessionState[])
      expect(readFrame(text, state).is).toBe('violation');
  });

  it('of an unknown kind is told with its id, both cut to a length, but violates before hello', () => {
    expect(read({ t: 'sing', id: 'a' })).toEqual({ is: 'unknown', id: 'a', kind: 'sing' });
    expect(read({ t: 'sing', id: 5 })).toEqual({ is: 'unknown', id: undefined, kind: 'sing' });
    const long = read({ t: 'x'.repeat(10_000), id: 'y'.repeat(10_000) });
    expect(long).toEqual({ is: 'unknown', id: 'y'.repeat(128), kind: 'x'.repeat(64) });
    expect(read({ t: 'sing' }, 'opened').is).toBe('violation');
  });

  it('throws for no text at all', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom(...open), (text, state) => {
        expect(['frame', 'unknown', 'violation']).toContain(readFrame(text, state).is);
      }),
    );
  });
});
