import { randomBytes } from 'node:crypto';
import { Broker } from '@evenkeel/broker';
import { freePort, Member, type Role } from '@evenkeel/local';
import { vhostDefinitions } from '@evenkeel/mesh/rights';
import { exchanges, meshTopology } from '@evenkeel/protocol';
import { createPublisher } from '@evenkeel/publisher';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freshVhost, importDefinitions, type Vhost } from '../support/broker.js';
import { secret } from '../support/edge-session.js';

const patience = { timeout: 20_000, interval: 50 };

/** As the administrator. */
async function openAdministrator({ amqpUrl }: Vhost): Promise<Broker> {
  const broker = await Broker.connect({ url: amqpUrl, name: 'passive topology', attempts: 1 });
  onTestFinished(() => broker.close());
  return broker;
}

async function start(role: Role, url: string): Promise<{ member: Member; isUp: Promise<void> }> {
  const member = new Member({
    role,
    name: role,
    opsPort: await freePort(),
    env: {
      EVENKEEL_AMQP_URL: url,
      EVENKEEL_SECRET: secret,
      EVENKEEL_HOST: '127.0.0.1',
      EVENKEEL_PORT: '0',
    },
    onLine: () => undefined,
    onUnexpectedEnd: () => undefined,
  });
  const isUp = member.start();
  isUp.catch(() => undefined);
  onTestFinished(() => member.kill());
  return { member, isUp };
}

async function readiness(member: Member): Promise<string> {
  try {
    return await (await fetch(`${member.opsUrl}/readyz`)).text();
  } catch (error) {
    return String(error);
  }
}

describe('without the right to declare', () => {
  it.each(['edge', 'gateway'] as const)('the %s waits, and says for which exchange', async (role) => {
    const vhost = await freshVhost();
    const administrator = await openAdministrator(vhost);
    // The administrator deletes it; who reports would say so at once.
    await administrator.topology().deleteExchange(exchanges.stats);
    const { member, isUp } = await start(role, vhost.urlFor(role));
    await vi.waitFor(
      async () => expect(await readiness(member)).toContain(`exchange ${exchanges.stats} is missing`),
      patience,
    );
    await administrator.declare({ exchanges: meshTopology.exchanges });
    await isUp;
    expect(await readiness(member)).not.toContain('missing');
  });

  it('a service whose name is not that of its user is told which rights count', async () => {
    const publisher = await createPublisher({
      amqpUrl: (await freshVhost()).urlFor('app-shop'),
      name: 'bank',
    });
    onTestFinished(() => publisher.close());
    await expect(publisher.serve('bank.pay', () => null)).rejects.toMatchObject({
      code: 'topology-refused',
      message: expect.stringMatching(/service\.bank\..*take a name that this user's rights allow/),
    });
  });

  it('an application waits for the mesh, and gives up after its attempts', async () => {
    const vhost = await freshVhost();
    const administrator = await openAdministrator(vhost);
    await administrator.topology().deleteExchange(exchanges.events);
    const options = { amqpUrl: vhost.urlFor('app-shop'), name: 'shop' };
    await expect(createPublisher({ ...options, attempts: 1 })).rejects.toMatchObject({
      code: 'no-exchange',
      message: `exchange ${exchanges.events} is missing`,
    });
    const waiting = createPublisher(options);
    await administrator.declare({ exchanges: meshTopology.exchanges });
    await (await waiting).close();
  });
});

it('the balancer declares what is missing, also while it runs', async () => {
  const vhost = `test-${randomBytes(4).toString('hex')}`;
  const { amqpUrl, urlFor } = await freshVhost();
  const at = (url: string): string => url.replace(/[^/]+$/, vhost);
  // Rights and nothing else.
  const {
    vhosts = [],
    permissions = [],
    topic_permissions = [],
  } = vhostDefinitions(vhost, ['balancer'], ['guest']);
  await importDefinitions({ vhosts, permissions, topic_permissions });
  const { isUp } = await start('balancer', at(urlFor('balancer')));
  await isUp;
  const administrator = await openAdministrator({ amqpUrl: at(amqpUrl), vhost, urlFor });
  const expected = meshTopology.exchanges.map(({ name }) => name);
  await administrator.declare({ expected });
  await administrator.topology().deleteExchange(exchanges.inbound);
  await vi.waitFor(() => administrator.declare({ expected }), patience);
});
