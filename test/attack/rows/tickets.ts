import { randomUUID } from 'node:crypto';
import { TicketSigner } from '@evenkeel/ticket';
import type { Attack } from '../attack.js';
import type { Peer } from '../peer.js';
import type { World } from '../world.js';

/** How the upgrade with this ticket is answered. */
async function upgrade(world: World, url: string, ticket: string): Promise<string> {
  const peer = world.dial({ url, ticket, node: '', session: '' });
  await world.open(peer);
  if (peer.refused !== undefined) return String(peer.refused);
  if (!peer.isOpen) return `closed ${peer.closed?.code}`;
  // Some are opened only to be closed: browsers hide an HTTP answer.
  peer.send({ t: 'hello' });
  await world.until(peer, () => peer.of('welcome').length > 0, 3000);
  return peer.of('welcome').length > 0 ? 'welcome' : `closed ${peer.closed?.code}`;
}

/** A good ticket of the spare edge, where no gateway sends anybody. */
export async function ticketOfSpareEdge(world: World, uid: string): Promise<string> {
  const { node } = world.extra('spare-edge');
  const { boot } = (await (await fetch(`${world.at.opsOf['spare-edge']}/status`)).json()) as { boot: string };
  return new TicketSigner([world.at.ticketSecret]).issue({
    uid,
    sid: 'one',
    node,
    boot,
    epoch: Date.now(),
    expiresAt: Date.now() + 30_000,
    isNew: true,
  });
}

const forged: Attack = {
  name: 'forged-tickets',
  control: 'sink',
  async run(world) {
    const { url, ticket, node } = await world.place(world.token('mallory'));
    const [named = '', claims = '', signature = ''] = ticket.split('.');
    const read = JSON.parse(world.isSink ? '{}' : Buffer.from(claims, 'base64url').toString()) as object;
    const asAlice = Buffer.from(JSON.stringify({ ...read, uid: 'alice' })).toString('base64url');
    const by = (secret: string, more: object = {}) =>
      new TicketSigner([secret]).issue({
        uid: 'alice',
        sid: 's',
        node,
        epoch: Date.now(),
        expiresAt: Date.now() + 30_000,
        ...more,
      });
    const { ticketSecret } = world.at;
    const tried = [
      `${named}.${asAlice}.${signature}`,
      `${named}.${claims}.${signature.slice(0, -1)}`,
      `${named}.${claims}`,
      'x'.repeat(5000),
      '',
      by('another-secret-of-some-length'),
      by('for-development-only-change-me'),
      by(ticketSecret, { uid: 'user.#' }),
      by(ticketSecret, { expiresAt: 1e308 }),
      by(ticketSecret, { expiresAt: Date.now() - 1000 }),
    ];
    const answers: string[] = [];
    for (const each of tried) answers.push(await upgrade(world, url, each));
    return {
      sent: `${tried.length} tickets that no gateway has issued so`,
      answered: [...new Set(answers)].join(', '),
      isRefused: answers.every((answer) => answer === '401' || answer === '400'),
    };
  },
};

const replayed: Attack = {
  name: 'used-tickets',
  control: 'sink',
  async run(world) {
    const user = `replay-${randomUUID().slice(0, 8)}`;
    const place = await world.place(world.token(user));
    const first = await upgrade(world, place.url, place.ticket);
    const other = world.at.edges.find(({ node }) => node !== place.node) ?? world.at.edges[0];
    const again = [
      await upgrade(world, place.url, place.ticket),
      await upgrade(world, place.url, `${place.ticket}=`),
      await upgrade(world, other?.url ?? '', place.ticket),
    ];
    return {
      sent: 'a ticket again, to its edge (also with a `=`) and to another',
      answered: `${first}, then ${again.join(', ')}`,
      isRefused: again.every((answer) => ['401', 'closed 4010', 'closed 4009'].includes(answer)),
    };
  },
};

const restarted: Attack = {
  name: 'used-tickets-after-a-restart',
  once: 'a used ticket opened the edge once more, 1.6 s after kill -9',
  control: 'sink',
  needs: 'spare-edge',
  async run(world) {
    // An edge that starts takes its time of the machine, whoever attacks.
    if (world.isSink) {
      await world.restart('spare-edge');
      return { sent: '', answered: '', isRefused: true };
    }
    const { url } = world.extra('spare-edge');
    const ticket = await ticketOfSpareEdge(world, `restart-${randomUUID().slice(0, 8)}`);
    const first = await upgrade(world, url, ticket);
    await world.restart('spare-edge');
    const again = await upgrade(world, url, ticket);
    return {
      sent: 'a ticket, kill -9 of its edge, the ticket again',
      answered: `${first}, then ${again}`,
      isRefused: first === 'welcome' && again === '401',
    };
  },
};

const foreignSession: Attack = {
  name: 'foreign-sessions',
  control: 'sink',
  async run(world) {
    const victim = await world.attach('victim');
    const { session, resume = '', node: from } = victim.place;
    const mallory: Peer[] = [];
    for (const more of [{}, { resume }, { resume, from }]) {
      const place = await world.place(world.token('mallory'), { session, ...more });
      const peer = world.dial(place);
      await world.open(peer);
      peer.send({ t: 'hello', resume: true, pass: place.pass });
      await world.until(peer, () => peer.of('welcome').length > 0);
      mallory.push(peer);
    }
    await world.publish('victim', 'secret', 1);
    await world.until(victim, () => victim.of('event').length > 0);
    const leaked = mallory.filter((peer) => peer.of('event').length > 0).length;
    const { length } = victim.of('event');
    return {
      sent: "another user's session, alone, with its `resume`, and with `from`; then an event to that user",
      answered: `the victim is ${victim.isOpen ? 'there' : 'gone'} and got ${length}, the attacker ${leaked}`,
      isRefused: victim.isOpen && length === 1 && leaked === 0,
    };
  },
};

export const ticketAttacks: readonly Attack[] = [forged, replayed, restarted, foreignSession];
