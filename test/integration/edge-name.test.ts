import { TcpProxy } from '@evenkeel/testkit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EdgeMesh, SessionUnderTest } from '../support/edge.js';

let mesh: EdgeMesh;
beforeAll(async () => {
  mesh = await EdgeMesh.open();
});
afterAll(() => mesh.close());

const patience = { timeout: 20_000, interval: 50 };
const isTaken = 'another connection has the name of this edge, waiting for it to end';

describe('a second edge of the same name', () => {
  it('is not ready, says why and ends; the first one and its clients notice nothing', async () => {
    const first = await mesh.edge('twin');
    const session = new SessionUnderTest('alice');
    const client = await session.attach(first);
    const { boot } = await first.stats();

    const second = mesh.edge('twin', { NAME_WAIT_MS: '2000' });
    await expect(second).rejects.toThrow(
      /ended \(exit status 1\) before it was ready[\s\S]*Another edge is called twin \(EVENKEEL_NODE\) and has not ended within 2 s/,
    );

    await mesh.event(session, 1);
    await client.eventCount(1);
    expect(client.isOpen).toBe(true);
    expect((await first.stats()).boot).toBe(boot);
    expect(first.hasLogged(isTaken)).toBe(false);
    await client.close();
  });

  it('waits for the first one to end, and then is that node', async () => {
    const first = await mesh.edge('heir');
    const lines: string[] = [];
    const second = mesh.edge('heir', {}, lines);
    await vi.waitUntil(() => lines.some((line) => line.includes(isTaken)), patience);
    await first.member.stop();
    const { boot, sessions } = await (await second).stats();
    expect({ boot: typeof boot, sessions }).toEqual({ boot: 'string', sessions: 0 });
    const client = await new SessionUnderTest('bob').attach(await second);
    expect(client.isOpen).toBe(true);
    await client.close();
  });
});

it('an edge that comes back and finds its name kept for another goes on, says so, and has it again afterwards', async () => {
  const proxy = await TcpProxy.toUrl(mesh.urlFor('edge'));
  mesh.defer(() => proxy.close());
  const first = await mesh.edge('returner', {
    AMQP_URL: proxy.urlFor(mesh.urlFor('edge')),
    NAME_WAIT_MS: '1000',
  });
  const session = new SessionUnderTest('carol');
  const client = await session.attach(first);
  const note = async (): Promise<unknown> => {
    const answer = await fetch(`${first.member.opsUrl}/readyz`);
    return ((await answer.json()) as { notes?: { name?: string } }).notes?.name;
  };
  proxy.refuse();
  proxy.cut();
  const other = await mesh.edge('returner');
  proxy.allow();
  await vi.waitFor(async () => expect(await note()).toBe(isTaken), patience);
  await mesh.event(session, 1);
  await client.eventCount(1);
  await other.member.stop();
  await vi.waitFor(async () => expect(await note()).toBe(undefined), patience);
  expect(first.member.isRunning && client.isOpen).toBe(true);
  await client.close();
});
