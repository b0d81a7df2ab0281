import { expect, it, onTestFinished, vi } from 'vitest';
import { ClientError } from '../../errors.js';
import type { Status } from '../../status.js';
import { type SharedClient, TabHost } from './host.js';
import type { Port } from './messages.js';
import { TabClient } from './tab.js';

/** A client that does what a test says. */
class FakeClient {
  readonly session = 'session';
  readonly resume = undefined;
  state: SharedClient['state'] = 'connected';
  readonly names: string[] = [];
  tell: (status: Status) => void = () => {};
  on(name: string): () => void {
    this.names.push(name);
    return () => {};
  }
  onStatus(listener: (status: Status) => void): () => void {
    this.tell = listener;
    return () => {};
  }
  isLeft = false;
  /** It has ended once a test says so. */
  async close(): Promise<void> {
    this.isLeft = true;
  }

  closed(): void {
    this.state = 'closed';
    this.tell({ type: 'closed', error: new ClientError('refused', 'closed for good') });
  }
}

/** A worker and its tabs. */
function world(make: () => void = () => {}) {
  const clients: FakeClient[] = [];
  const host = new TabHost(
    () => {
      make();
      const client = new FakeClient();
      clients.push(client);
      return client as unknown as SharedClient;
    },
    () => {},
  );
  const tab = () => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    host.attach(port2 as unknown as Port);
    const close = vi.spyOn(port1, 'close');
    const client = new TabClient({
      port: port1 as unknown as Port,
      settings: { gateway: 'http://gateway', user: 'alice' },
      getToken: undefined,
      lastSession: undefined,
      lock: undefined,
      keep: () => {},
    });
    const statuses: Status[] = [];
    client.onStatus((status) => statuses.push(status));
    return { client, statuses, close };
  };
  const connected = async () => {
    const opened = tab();
    await vi.waitUntil(() => opened.client.state === 'connected');
    return opened;
  };
  return { clients, tab, connected };
}

it('once the client of the tabs is closed for good, whoever comes next gets another', async () => {
  const { clients, connected } = world();
  const [one, two] = [await connected(), await connected()];
  one.client.on('n', () => {});
  await vi.waitUntil(() => clients[0]?.names.length === 1);
  clients[0]?.closed();
  await vi.waitUntil(() => one.client.state === 'closed' && two.client.state === 'closed');
  await vi.waitUntil(() => one.statuses.length === 1);
  expect(one.statuses).toMatchObject([{ type: 'closed', error: { code: 'refused' } }]);

  const three = await connected();
  three.client.on('n', () => {});
  await vi.waitUntil(() => clients[1]?.names.length === 1);
  expect(clients).toHaveLength(2);
  // The tabs of before end nothing of it.
  await Promise.all([one.client.close(), two.client.close()]);
  expect([one.close, two.close].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  clients[1]?.tell({ type: 'gap', reason: 'overflow' });
  await vi.waitUntil(() => three.statuses.length === 1);
  expect(one.statuses).toHaveLength(1);
});

it('the end of a client that its last tab has left is not told to tabs of the next', async () => {
  const { clients, connected } = world();
  const one = await connected();
  await one.client.close();
  await vi.waitUntil(() => clients[0]?.isLeft);
  const two = await connected();
  clients[0]?.closed();
  clients[1]?.tell({ type: 'gap', reason: 'overflow' });
  await vi.waitUntil(() => two.statuses.length > 0);
  expect([two.client.state, two.statuses]).toMatchObject(['connected', [{ type: 'gap' }]]);
});

it('a tab whose settings make no client is told why', async () => {
  const { tab } = world(() => {
    throw new ClientError('bad-user-id', 'a user is 1 to 128 characters');
  });
  const { client, statuses } = tab();
  await vi.waitUntil(() => statuses.length > 0);
  expect([client.state, statuses]).toMatchObject([
    'closed',
    [{ type: 'closed', error: { code: 'bad-user-id' } }],
  ]);
});
