import type { Attack, Seen } from '../attack.js';
import type { Peer } from '../peer.js';
import type { World } from '../world.js';

/** Frames that are answered on a socket that goes on. */
async function answers(
  world: World,
  peer: Peer,
  frames: readonly (readonly [id: string, frame: object | string])[],
): Promise<string[]> {
  const all: string[] = [];
  for (const [id, frame] of frames) all.push(await world.answer(peer, frame, id));
  return all;
}

const publish = (id: string, data: unknown, topic = 'open.x') => ({ t: 'publish', id, topic, data });

const nested: Attack = {
  name: 'nested-50000',
  once: 'answered `broker-unavailable, send it again`; up to 3,000 levels reached services, whose JSON stops at 1,000',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory');
    const deep = (levels: number) =>
      `{"t":"publish","id":"d${levels}","topic":"open.x","data":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const levels = [513, 3000, 20_000, 30_000];
    const seen = await answers(
      world,
      peer,
      levels.map((n) => [`d${n}`, deep(n)] as const),
    );
    const beyond = await world.attach('mallory');
    beyond.send(deep(50_000));
    await world.until(beyond, () => false, 1000);
    seen.push(beyond.closed === undefined ? 'still open' : `closed ${beyond.closed.code}`);
    return {
      sent: `data nested ${levels.join(', ')} deep, and 50,000 (100,000 bytes)`,
      answered: seen.join(', '),
      isRefused: seen.slice(0, -1).every((answer) => answer === 'too-deep') && seen.at(-1) === 'closed 1009',
    };
  },
};

const prototypes: Attack = {
  name: 'prototypes',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory');
    const raw = (id: string, fields: string) => `{"t":"publish","id":"${id}","topic":"open.x",${fields}}`;
    const seen = await answers(world, peer, [
      ['p1', raw('p1', '"__proto__":{"isAdmin":true},"data":1')],
      ['p2', raw('p2', '"constructor":{"prototype":{"toJSON":1}},"data":1')],
      ['p3', '{"t":"__proto__","id":"p3"}'],
      ['p4', '{"t":"constructor","id":"p4"}'],
      ['p5', '{"t":"toString","id":"p5"}'],
    ]);
    const later = await world.answer(peer, publish('p6', { __proto__: null }), 'p6');
    const known = ['no-service', 'ok', 'forbidden'];
    return {
      sent: '`__proto__` and `constructor` as fields and as kinds of frames',
      answered: [...seen, later].join(', '),
      isRefused:
        seen.slice(0, 2).every((answer) => known.includes(answer)) &&
        seen.slice(2).every((answer) => answer === 'unknown-type') &&
        known.includes(later),
    };
  },
};

const ids: Attack = {
  name: 'ids-too-long-or-ill-formed',
  once: 'answered `broker-unavailable, send it again`, or never; each wrote a line to the log',
  control: 'sink',
  async run(world) {
    const peer = await world.attach('mallory');
    const long = '語'.repeat(128);
    const seen = await answers(world, peer, [[long, { t: 'request', id: long, method: 'open.x', data: 1 }]]);
    const lone = [];
    for (const id of ['"a\\ud800"', '"\\udc00"']) {
      const other = await world.attach('mallory');
      other.send(`{"t":"request","id":${id},"method":"open.x","data":1}`);
      await world.until(other, () => other.of('error').length > 0 || other.closed !== undefined, 5000);
      lone.push(String(other.of('error')[0]?.code ?? `closed ${other.closed?.code}`));
    }
    return {
      sent: 'ids of 384 bytes, and with a lone surrogate',
      answered: [...seen, ...lone].join(', '),
      isRefused: [...seen, ...lone].every((answer) => ['bad-id', 'closed 4500'].includes(answer)),
    };
  },
};

const wrong: Attack = {
  name: 'frames-that-are-none',
  control: 'sink',
  async run(world) {
    const frames = [
      '',
      'null',
      '[]',
      '42',
      '{"t":1}',
      '{',
      '{"t":"publish"}',
      '{"t":"subscribe","id":1,"topic":5}',
    ];
    const seen: string[] = [];
    for (const frame of frames) {
      const peer = await world.attach('mallory');
      peer.send(frame);
      await world.until(peer, () => peer.closed !== undefined, 5000);
      seen.push(peer.closed === undefined ? 'still open' : `closed ${peer.closed.code}`);
    }
    return {
      sent: frames.map((frame) => (frame === '' ? 'nothing' : frame)).join('  '),
      answered: [...new Set(seen)].join(', '),
      isRefused: seen.every((answer) => answer === 'closed 4500'),
    };
  },
};

const secondHello: Attack = {
  name: 'hello-twice-and-mad-acks',
  control: 'sink',
  async run(world) {
    const seen: string[] = [];
    for (const frame of [
      '{"t":"hello"}',
      '{"t":"ack","seq":-1}',
      '{"t":"ack","seq":1e308}',
      '{"t":"ack","seq":99}',
    ]) {
      const peer = await world.attach('mallory');
      peer.send(frame);
      peer.send({ t: 'ping' });
      await world.until(peer, () => peer.closed !== undefined || peer.of('pong').length > 0, 5000);
      seen.push(peer.closed === undefined ? 'no effect' : `closed ${peer.closed.code}`);
    }
    return {
      sent: 'a second hello; ack of -1, 1e308 and of 99 that was never sent',
      answered: seen.join(', '),
      isRefused: seen.slice(0, 1).every((answer) => answer === 'closed 4500') && !seen.includes('nothing'),
    };
  },
};

const names: Attack = {
  name: 'names-that-inject',
  control: 'sink',
  async run(world): Promise<Seen> {
    const peer = await world.attach('mallory');
    const tried = [
      '#',
      // Patterns where nothing is granted; where all is granted they are an ordinary subscription.
      'room.#',
      'room.*.x',
      '*.x',
      '$authorize.subscribe.open',
      '$refresh',
      'open..x',
      '.open',
      'open x',
      'open.\u0000',
      'ö',
      `open.${'x'.repeat(300)}`,
    ];
    const seen: string[] = [];
    for (const [n, name] of tried.entries()) {
      seen.push(await world.answer(peer, { t: 'subscribe', id: `s${n}`, topic: name }, `s${n}`));
      seen.push(await world.answer(peer, { t: 'request', id: `r${n}`, method: name }, `r${n}`));
    }
    return {
      sent: `${tried.length} names with wildcards, \`$\`, empty words and others' letters, to subscribe and to request`,
      answered: [...new Set(seen)].join(', '),
      isRefused: seen.every((answer) =>
        ['bad-topic', 'bad-name', 'bad-method', 'forbidden'].includes(answer),
      ),
    };
  },
};

export const frameAttacks: readonly Attack[] = [nested, prototypes, ids, wrong, secondHello, names];
