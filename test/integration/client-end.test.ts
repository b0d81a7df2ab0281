import { describe, expect, it } from 'vitest';
import { scripted } from '../support/scripted-edge-client.js';

describe('end()', () => {
  it('acknowledges what is handled, says bye, and resolves once the edge has closed', async () => {
    const { client, connected, events, status } = await scripted();
    const at = await connected();
    at.event('e1');
    await expect.poll(() => events).toEqual(['e1']);
    const ended = client.end();
    await at.take('bye');
    expect(at.acked).toBe(1);
    at.close(1000, 'ended');
    expect(await ended).toBe(true);
    expect(await status('closed')).not.toHaveProperty('error');
  });

  it('hands on no further event', async () => {
    const { client, connected, events } = await scripted();
    const at = await connected();
    const ended = client.end();
    at.event('e1');
    await at.take('bye');
    at.close(1000, 'ended');
    await ended;
    expect(events).toEqual([]);
  });

  it('says bye again to the edge that the session has moved to meanwhile', async () => {
    const { b, client, connected } = await scripted();
    b.defaults.welcome = false;
    const at = await connected();
    at.move(b);
    const next = await b.next();
    await next.take('hello');
    const ended = client.end();
    await at.take('bye');
    at.moved();
    next.welcome();
    await next.take('bye');
    next.close(1000, 'ended');
    expect(await ended).toBe(true);
  });

  it('says bye once it is connected again, where the socket was lost before the answer', async () => {
    const { a, client, connected } = await scripted();
    const at = await connected();
    const ended = client.end();
    await at.take('bye');
    at.terminate();
    const next = await a.next();
    await next.take('bye');
    next.close(1000, 'ended');
    expect(await ended).toBe(true);
  });

  it('is false where the client is closed before an edge has answered, or was closed already', async () => {
    const { client, connected } = await scripted();
    const at = await connected();
    const ended = client.end();
    await at.take('bye');
    at.close(4502, 'disconnected');
    expect(await ended).toBe(false);
    expect(client.state).toBe('closed');
    expect(await client.end()).toBe(false);
  });
});
