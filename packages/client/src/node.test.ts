import { afterEach, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { connect } from './node.js';

afterEach(() => vi.unstubAllGlobals());

/** Answers no look-up: only what `connect` itself does is looked at. */
const options = { placement: () => new Promise<never>(() => {}) };

it('takes the WebSocket of `ws` where there is no global one', async () => {
  vi.stubGlobal('WebSocket', undefined);
  const client = connect(options);
  expect(client.state).toBe('connecting');
  await client.close();
});

it('takes the global one before that, and one that is given before both', async () => {
  const made: string[] = [];
  const noting = (name: string) =>
    class extends WebSocket {
      constructor() {
        super('ws://127.0.0.1:1');
        made.push(name);
        this.on('error', () => {});
      }
    };
  vi.stubGlobal('WebSocket', noting('global'));
  const placement = async () => ({ url: 'ws://x', node: 'a', ticket: 't', session: 's', expiresInMs: 1 });
  const clients = [connect({ placement }), connect({ placement, WebSocket: noting('given') })];
  // Each tries again until it is closed, so what comes first counts.
  await vi.waitFor(() => expect(made.slice(0, 2)).toEqual(['global', 'given']));
  await Promise.all(clients.map((client) => client.close()));
});

it('says what to do where there is none at all', () => {
  vi.stubGlobal('WebSocket', undefined);
  const missing = Object.assign(new Error("Cannot find module 'ws'"), { code: 'MODULE_NOT_FOUND' });
  const createRequire = () => () => {
    throw missing;
  };
  vi.stubGlobal('process', { ...process, getBuiltinModule: () => ({ createRequire }) });
  expect(() => connect(options)).toThrow(
    expect.objectContaining({ code: 'no-websocket', message: expect.stringContaining('install `ws`') }),
  );
});
