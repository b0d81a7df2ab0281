import { expect, it } from 'vitest';
import { readFrame } from './frame.js';

it('a frame of a known kind with its fields is read, further ones are left in it', () => {
  const frame = { t: 'gap', reason: 'overflow', since: 7 };
  expect(readFrame(JSON.stringify(frame))).toEqual(frame);
});

it('a kind that is not known is read as it is', () => {
  expect(readFrame('{"t":"toString"}')).toEqual({ t: 'toString' });
});

it.each(['', 'x', '1', 'null', '[]', '{}', '{"t":1}', '{"t":"moved"}', '{"t":"event","seq":"1"}', undefined])(
  '%s is no frame',
  (text) => {
    expect(readFrame(text)).toBeUndefined();
  },
);

it('bytes are no frame', () => {
  expect(readFrame(new TextEncoder().encode('{"t":"pong"}'))).toBeUndefined();
});
