import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from './log.js';

describe('createLog', () => {
  it('writes one JSON object per line with service, node and level', () => {
    const destination = new PassThrough();
    createLog({ service: 'edge', node: 'n1', level: 'info', format: 'json', destination }).info(
      { a: 1 },
      'ready',
    );
    expect(JSON.parse(String(destination.read()))).toMatchObject({
      level: 'info',
      service: 'edge',
      node: 'n1',
      a: 1,
      msg: 'ready',
    });
  });

  it('writes for the eye when asked', () => {
    const destination = new PassThrough();
    createLog({ service: 'edge', node: 'n1', level: 'info', format: 'pretty', destination }).info(
      {},
      'ready',
    );
    const line = String(destination.read());
    expect(line).toContain('edge/n1 ready');
    expect(() => JSON.parse(line)).toThrow();
  });
});
