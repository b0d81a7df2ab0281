import { nowS } from '@evenkeel/testkit';
import type { Attack } from '../attack.js';
import type { World } from '../world.js';

const grants = { subscribe: ['room.42.#'], publish: ['room.42.*'], request: ['room.42.ask'] };
const claims = { evenkeel: grants };
const nothing = { evenkeel: { subscribe: [], publish: [], request: [] } };

/** How each of these is answered, in a row. */
async function answersTo(
  world: World,
  peer: Awaited<ReturnType<World['attach']>>,
  asked: readonly object[],
  first = 0,
): Promise<string[]> {
  const all: string[] = [];
  for (const [n, frame] of asked.entries()) {
    const id = `a${first + n}`;
    all.push(await world.answer(peer, { ...frame, id }, id));
  }
  return all;
}

const list = (answers: readonly string[]): string => [...new Set(answers)].join(', ');
const areForbidden = (answers: readonly string[]): boolean =>
  answers.length > 0 && answers.every((answer) => ['forbidden', 'bad-topic', 'bad-method'].includes(answer));

const topics: Attack = {
  name: 'topics-outside-the-grant',
  once: 'any user could subscribe to any topic',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory', { claims });
    const others = [
      'room.4',
      'room.421',
      'room.43.x',
      'room',
      'rooms.42.x',
      'ROOM.42.x',
      'room.42..x',
      'room.#',
      'closed.x',
      'inbox.alice',
      'inbox',
      'other.x',
    ];
    const refused = await answersTo(
      world,
      peer,
      others.map((topic) => ({ t: 'subscribe', topic })),
    );
    const [own, zero] = await answersTo(
      world,
      peer,
      [
        { t: 'subscribe', topic: 'room.42.a.b' },
        { t: 'subscribe', topic: 'room.42' },
      ],
      50,
    );
    return {
      sent: `subscribe to ${others.length} topics beside room.42.#, by likeness and by other namespaces`,
      answered: `${list(refused)}; its own topics ${own}, ${zero}`,
      isRefused: areForbidden(refused) && own === 'ok' && zero === 'ok',
    };
  },
};

const publishes: Attack = {
  name: 'publishes-outside-the-grant',
  once: 'any user could publish to any topic and call any method',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory', { claims });
    const refused = await answersTo(world, peer, [
      ...['room.42', 'room.42.a.b', 'room.43.a', 'closed.x', 'inbox.alice', 'other.x', 'user.alice'].map(
        (topic) => ({ t: 'publish', topic }),
      ),
      ...['room.42', 'room.42.other', 'room.42.ask.x', 'closed.x', 'bank.transfer'].map((method) => ({
        t: 'request',
        method,
      })),
      // A grant for the one is none for the other.
      { t: 'publish', topic: 'room.43.ask' },
      { t: 'request', method: 'room.42.a' },
    ]);
    return {
      sent: 'publish and request outside the grants, and each with the other’s',
      answered: list(refused),
      isRefused: areForbidden(refused),
    };
  },
};

const inHello: Attack = {
  name: 'topics-in-hello',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory', {
      claims,
      hello: { topics: ['closed.a', 'inbox.alice', 'room.43.a'] },
    });
    await world.until(peer, () => peer.of('error').length >= 3);
    await world.publishTo('closed.a', 1);
    await world.until(peer, () => peer.of('message').length > 0, 1000);
    const codes = peer.of('error').map(({ code }) => String(code));
    return {
      sent: 'three topics of others in hello, then a message to one of them',
      answered: `${codes.length} × ${list(codes)}; ${peer.of('message').length} messages came`,
      isRefused: codes.length === 3 && areForbidden(codes) && peer.of('message').length === 0,
    };
  },
};

const foreignPass: Attack = {
  name: 'passes-forged-or-of-others',
  control: 'sink',
  async run(world) {
    const rich = await world.place(world.token('alice', claims));
    const poor = world.token('mallory', nothing);
    const { pass: own = 'p.m' } = await world.place(poor);
    const [body = '', mac = ''] = own.split('.');
    const read = world.isSink ? {} : (JSON.parse(Buffer.from(body, 'base64url').toString()) as object);
    const more = Buffer.from(JSON.stringify({ ...read, grants, rev: Date.now() + 60_000 })).toString(
      'base64url',
    );
    const answers: string[] = [];
    for (const pass of [rich.pass, `${more}.${mac}`, `${more}.`, own.slice(0, -4), 'x'.repeat(20_000)]) {
      const place = await world.place(poor);
      const peer = world.dial(place);
      await world.open(peer);
      peer.send({ t: 'hello', pass });
      await world.until(peer, () => peer.of('welcome').length > 0);
      answers.push(await world.answer(peer, { t: 'subscribe', id: 's', topic: 'room.42.a' }, 's', 3000));
    }
    return {
      sent: "another user's pass, one with more grants under the same signature, three torn ones",
      answered: list(answers),
      isRefused: answers.every(
        (answer) => answer === 'forbidden' || /^closed (4500|1009|4001)$/.test(answer),
      ),
    };
  },
};

const oldPass: Attack = {
  name: 'old-pass-after-refresh',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory', { claims, hello: { topics: ['room.42.a'] } });
    const { session, resume = '', pass: old } = peer.place;
    const refreshed = await world.answer(
      peer,
      { t: 'refresh', id: 'r', token: world.token('mallory', nothing) },
      'r',
    );
    await world.until(peer, () => peer.of('unsubscribed').length > 0);
    const revoked = peer.of('unsubscribed').map(({ reason }) => String(reason));
    const now = await world.answer(peer, { t: 'subscribe', id: 's', topic: 'room.42.b' }, 's');
    // The newer ticket, as a move would bring it, and the pass of before.
    const place = await world.place(world.token('mallory', nothing), { session, resume });
    const again = world.dial(place);
    await world.open(again);
    again.send({ t: 'hello', resume: true, pass: old, topics: ['room.42.a'] });
    await world.until(again, () => again.of('welcome').length > 0);
    const later = await world.answer(again, { t: 'subscribe', id: 's', topic: 'room.42.b' }, 's');
    return {
      sent: 'refresh to a token with no grants, then the old pass on a newer socket of the session',
      answered: `refresh ${refreshed}, unsubscribed ${list(revoked) || 'nothing'}, then ${now}; with the old pass ${later}`,
      isRefused:
        refreshed === 'ok' && revoked.includes('revoked') && now === 'forbidden' && later === 'forbidden',
    };
  },
};

const byMove: Attack = {
  name: 'grants-by-a-move',
  control: 'quiet',
  async run(world) {
    const peer = await world.attach('mallory', { claims: nothing, hello: { topics: ['open.x'] } });
    const { pass } = await world.place(world.token('alice', claims));
    const socket = world.dial(await world.moveOf(peer, 'mallory'));
    await world.open(socket);
    socket.send({ t: 'hello', resume: true, pass, topics: ['room.42.a'] });
    await world.until(socket, () => socket.of('welcome').length > 0, 8000);
    const answer = await world.answer(socket, { t: 'subscribe', id: 's', topic: 'room.42.b' }, 's', 3000);
    return {
      sent: "a move, with another user's pass on the new edge",
      answered: answer,
      isRefused: answer === 'forbidden',
    };
  },
};

const otherUser: Attack = {
  name: 'refresh-to-another-user',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory', { claims: nothing });
    const tokens = [
      world.token('alice', claims),
      world.token('mallory', { ...claims, exp: nowS() - 60 }),
      'x.y.z',
      world.token('mallory').slice(0, -3),
    ];
    const answers: string[] = [];
    for (const [n, token] of tokens.entries()) {
      answers.push(await world.answer(peer, { t: 'refresh', id: `r${n}`, token }, `r${n}`, 6000));
    }
    const after = await world.answer(peer, { t: 'subscribe', id: 's', topic: 'room.42.a' }, 's');
    return {
      sent: "refresh with another user's token, with one that has ended, and with two torn ones",
      answered: `${list(answers)}; then subscribe ${after}`,
      isRefused: !answers.includes('ok') && !answers.includes('nothing') && after === 'forbidden',
    };
  },
};

const outlived: Attack = {
  name: 'socket-outlives-its-token',
  once: 'a socket stayed for as long as its client liked',
  control: 'sink',
  async run(world) {
    const exp = nowS() + 4;
    const peer = await world.attach('mallory', { claims: { exp } });
    await world.until(peer, () => peer.closed !== undefined, 9000);
    const lateMs = Date.now() - exp * 1000;
    return {
      sent: 'a token of 4 s, and no refresh',
      answered: `${peer.of('expiring').length > 0 ? 'expiring, ' : ''}${peer.closed === undefined ? 'still open' : `closed ${peer.closed.code}`} ${(lateMs / 1000).toFixed(1)} s after its end`,
      isRefused: peer.of('expiring').length > 0 && peer.closed?.code === 4011 && lateMs <= 2500,
    };
  },
};

const silent: Attack = {
  name: 'disconnected-before-hello',
  once: 'a socket that had said nothing yet said hello after `disconnect`, and was welcome',
  control: 'quiet',
  async run(world) {
    const user = 'eve';
    const peer = world.dial(await world.place(world.token(user)));
    await world.open(peer);
    await world.operate((operator) => operator.disconnect(user));
    await world.until(peer, () => peer.closed !== undefined, 3000);
    const isClosed = peer.closed !== undefined;
    peer.send({ t: 'hello' });
    await world.until(peer, () => peer.of('welcome').length > 0, 1000);
    return {
      sent: 'a socket that says nothing, `disconnect` of its user, then hello',
      answered: isClosed ? `closed ${peer.closed?.code}` : `${peer.of('welcome').length} welcome`,
      isRefused: isClosed && peer.of('welcome').length === 0,
    };
  },
};

const publishAsRequest: Attack = {
  name: 'publish-to-a-method',
  once: 'a publish reached the handler of a method: a grant to publish was one to call',
  control: 'quiet',
  async run(world) {
    const called: string[] = [];
    const stop = await world.serve('shop.buy', () => called.push('handler'));
    const peer = await world.attach('mallory', { claims: { evenkeel: { publish: ['shop.#'] } } });
    const published = await world.answer(peer, { t: 'publish', id: 'p', topic: 'shop.buy', data: 1 }, 'p');
    const requested = await world.answer(peer, { t: 'request', id: 'r', method: 'shop.buy', data: 1 }, 'r');
    await world.until(peer, () => called.length > 0, 1000);
    await stop();
    return {
      sent: 'a publish to a method, by a user who may publish there and not call',
      answered: `publish ${published}, request ${requested}; the handler ran ${called.length} times`,
      isRefused: called.length === 0 && requested === 'forbidden',
    };
  },
};

export const grantAttacks: readonly Attack[] = [
  topics,
  publishes,
  inHello,
  foreignPass,
  oldPass,
  byMove,
  otherUser,
  outlived,
  silent,
  publishAsRequest,
];
