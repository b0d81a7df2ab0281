import { jwt, nowS } from '@evenkeel/testkit';
import type { Attack, Seen } from '../attack.js';
import type { World } from '../world.js';

/** What each of these tokens is answered with; all are to get 401. */
async function allRefused(world: World, sent: string, tokens: readonly string[]): Promise<Seen> {
  const answers: string[] = [];
  for (const token of tokens) {
    const { status, code } = await world.lookup(token);
    answers.push(`${status} ${code}`);
  }
  const isRefused = answers.every((answer) => answer.startsWith('401 '));
  return { sent: `${tokens.length} × ${sent}`, answered: [...new Set(answers)].join(', '), isRefused };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const forged: Attack = {
  name: 'forged-tokens',
  control: 'sink',
  run(world) {
    const claims = { sub: 'alice', exp: nowS() + 600 };
    const good = world.token('alice');
    const [header = '', body = '', signature = ''] = good.split('.');
    return allRefused(world, 'a token that nobody has signed so', [
      `${encoded({ alg: 'none' })}.${body}.`,
      `${encoded({ alg: 'none' })}.${body}.${signature}`,
      jwt(claims, 'another-secret-of-32-bytes-and-more'),
      jwt(claims, world.at.jwtSecret, { alg: 'HS512', typ: 'JWT' }),
      jwt(claims, world.at.ticketSecret),
      jwt(claims, world.at.jwtSecret, { alg: 'HS256', crit: ['exp'] }),
      jwt(claims, 'x', { alg: 'HS256', jwk: { kty: 'oct', k: encoded('x') } }),
      `${header}.${encoded({ sub: 'bob', exp: claims.exp })}.${signature}`,
      `${header}.${body}.${signature.slice(0, -2)}`,
      `${header}.${body}`,
    ]);
  },
};

const noUser: Attack = {
  name: 'users-that-are-no-text',
  once: 'a ticket for the user "[object Object]", and a slot for each that no edge took',
  control: 'sink',
  run: (world) =>
    allRefused(
      world,
      'a `sub` that is no well-formed text',
      [
        42,
        true,
        null,
        ['alice'],
        {},
        { x: 1 },
        ['a', 'b c'],
        '\ud800',
        'a\udc00',
        '',
        'x'.repeat(10_240),
      ].map((sub) => world.token(sub)),
    ),
};

const noEnd: Attack = {
  name: 'tokens-without-an-end',
  once: 'a token without `exp` was good for ever',
  control: 'sink',
  run: (world) =>
    allRefused(world, 'a token that does not end, has ended, or is not to begin yet', [
      jwt({ sub: 'alice' }, world.at.jwtSecret),
      world.token('alice', { exp: nowS() - 600 }),
      world.token('alice', { exp: 'tomorrow' }),
      world.token('alice', { exp: 1e308 }),
      world.token('alice', { nbf: nowS() + 600 }),
      world.token('alice', { iat: nowS() + 86_400 }),
    ]),
};

const claims: Attack = {
  name: 'claims-that-are-no-grants',
  control: 'sink',
  async run(world) {
    const wrong: unknown[] = [
      'all',
      { subscribe: 'room.#' },
      { subscribe: [42] },
      { subscribe: ['room..x'] },
      { subscribe: ['$authorize.#'] },
      { subscribe: ['x'.repeat(300)] },
      { publish: Array.from({ length: 65 }, (_, n) => `room.${n}`) },
    ];
    return allRefused(world, 'a claim `evenkeel` that is none', [
      ...wrong.map((evenkeel) => world.token('alice', { evenkeel })),
    ]);
  },
};

const withoutCredentials: Attack = {
  name: 'head-without-credentials',
  once: 'HEAD was answered 200',
  control: 'sink',
  async run(world) {
    const answers: number[] = [];
    for (const method of ['HEAD', 'GET']) answers.push((await world.ask(world.url(), { method })).status);
    answers.push((await world.ask(world.url({ user: 'alice' }))).status);
    return {
      sent: 'HEAD and GET /gateway without credentials, GET with ?user=alice',
      answered: answers.join(', '),
      isRefused: answers.every((status) => status === 401),
    };
  },
};

const twoLengths: Attack = {
  name: 'two-content-lengths',
  once: 'an edge gave two answers: what a proxy takes for one request are two',
  control: 'sink',
  async run(world) {
    const request = (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const [edge] = world.at.edges;
    const place = await world.place(world.token('two-lengths'));
    const upgrade =
      `GET /ws?ticket=${place.ticket} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'Sec-WebSocket-Protocol: evenkeel.v1\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n';
    const texts = [
      await world.raw(edge?.url ?? '', request('/healthz'), 1500),
      await world.raw(place.url, upgrade, 1500),
      await world.raw(world.at.gateway, request('/gateway'), 1500),
    ];
    const answers = texts.map(({ text, isClosed }) => ({
      count: text.split('HTTP/1.1 ').length - 1,
      status: /HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'none',
      isClosed,
    }));
    return {
      sent: 'a request with Content-Length 0 and 40, to edge and gateway, and an upgrade with a good ticket',
      answered: answers.map(({ count, status }) => `${count} answer(s), ${status}`).join('; '),
      // An edge may also say nothing and close.
      isRefused: answers.every(
        ({ count, status, isClosed }) => isClosed && count <= 1 && ['400', 'none'].includes(status),
      ),
    };
  },
};

const foreignOrigin: Attack = {
  name: 'foreign-origin',
  once: 'a page of any origin opened sockets, and asked the gateway with the cookie of its reader',
  control: 'sink',
  async run(world) {
    const token = world.token('reader');
    const cookie = `evenkeel_token=${token}`;
    const evil = { origin: 'https://evil.example' };
    const asked = [
      await world.ask(world.url(), { headers: { ...evil, cookie } }),
      await world.ask(world.url(), { headers: { cookie, 'sec-fetch-site': 'cross-site' } }),
      await world.ask(world.url(), { headers: { origin: 'null', cookie } }),
    ];
    const place = await world.place(token);
    const peer = world.dial(place, { headers: { ...evil } });
    await world.open(peer);
    return {
      sent: 'the cookie from another origin, cross-site, and from "null"; an upgrade from another origin',
      answered: `${asked.map(({ status, code }) => `${status} ${code}`).join(', ')}; upgrade ${peer.refused ?? 'open'}`,
      isRefused: asked.every(({ status }) => status === 403) && peer.refused === 403,
    };
  },
};

const cors: Attack = {
  name: 'cors-of-others',
  control: 'sink',
  async run(world) {
    const answers = [];
    for (const origin of [
      'https://evil.example',
      'https://app.example.evil.example',
      'https://app.example:444',
    ]) {
      const { headers } = await world.ask(world.url(), { method: 'OPTIONS', headers: { origin } });
      answers.push(headers['access-control-allow-origin']);
    }
    return {
      sent: 'OPTIONS from three origins that are not listed',
      answered: answers.map((origin) => `allowed: ${origin ?? 'none'}`).join(', '),
      isRefused: answers.every((origin) => origin === undefined),
    };
  },
};

const requests: Attack = {
  name: 'urls-and-headers-too-long',
  control: 'sink',
  async run(world) {
    const answers = [
      (await world.ask(world.url({ session: 'x'.repeat(15_000) }))).status,
      (await world.ask(world.url(), { headers: { 'x-big': 'x'.repeat(20_000) } })).status,
      (await world.ask(`${world.at.gateway}/../../etc/passwd`)).status,
      (await world.ask(`${world.at.gateway}/%2e%2e/%2e%2e/etc/passwd`)).status,
      (await world.lookup(world.token('alice'), { session: 'a.b' })).status,
      (await world.lookup(world.token('alice'), { tried: 'x,'.repeat(20) })).status,
    ];
    return {
      sent: 'a URL of 15,000 characters, headers of 20,000, two paths upwards, ids that are none',
      answered: answers.join(', '),
      isRefused: answers.every((status) => status >= 400 && status < 500),
    };
  },
};

const operations: Attack = {
  name: 'ops-by-another-host',
  once: '/status was answered whatever Host was asked for: a page could read it by DNS rebinding',
  control: 'sink',
  async run(world) {
    const answers: number[] = [];
    for (const { opsUrl } of world.at.edges) {
      for (const path of ['/status', '/metrics']) {
        const headers = { host: 'evil.example' };
        answers.push((await world.ask(opsUrl + path, { headers, localAddress: '127.0.0.1' })).status);
      }
    }
    return {
      sent: '/status and /metrics of two edges with Host: evil.example',
      answered: answers.join(', '),
      isRefused: answers.every((status) => status === 403 || status === 421),
    };
  },
};

export const tokenAttacks: readonly Attack[] = [
  forged,
  noUser,
  noEnd,
  claims,
  withoutCredentials,
  twoLengths,
  foreignOrigin,
  cors,
  requests,
  operations,
];
