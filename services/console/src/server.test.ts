import { type ClientRequest, get } from 'node:http';
import { createGunzip } from 'node:zlib';
import { OperatorError } from 'evenkeel';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { scripted, served, tokens } from '../testing/served.js';

const looks = [
  '/api/view',
  '/api/node/edge-1',
  '/api/user/alice',
  '/api/denials',
  '/api/broker',
  '/api/stream',
];

describe('without a login', () => {
  it('nothing of the mesh is told and nothing is done', async () => {
    const { ask, asked } = await served();
    for (const path of [...looks, '/api/me'])
      expect([path, (await ask(path)).code]).toEqual([path, 'not-logged-in']);
    const command = { method: 'POST', headers: scripted, body: { command: 'rebalance' } };
    expect((await ask('/api/command', command)).status).toBe(401);
    expect(asked).toEqual([]);
  });

  it('the page and health are served', async () => {
    const { ask } = await served();
    for (const path of ['/', '/console.js', '/healthz', '/readyz'])
      expect((await ask(path)).status).toBe(200);
    for (const path of ['/index', '/..%2fpackage.json', '/../package.json', '/api', '/api/none', '/%00'])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
  });

  it('a cookie that was made up, or has ended, lets nobody in', async () => {
    const { ask, login, pass } = await served();
    const cookie = await login(tokens.ann);
    for (const made of ['evenkeel-console=x', `${cookie}x`, '__Host-evenkeel-console=x'])
      expect((await ask('/api/me', { headers: { cookie: made } })).status).toBe(401);
    expect((await ask('/api/me', { headers: { cookie } })).status).toBe(200);
    pass(12 * 3_600_000);
    expect((await ask('/api/me', { headers: { cookie } })).status).toBe(401);
  });
});

describe('logging in', () => {
  it('gives a cookie that no script reads and no other site has sent, and the name and role of the token', async () => {
    const { ask } = await served();
    const answer = await ask('/api/login', {
      method: 'POST',
      headers: scripted,
      body: { token: tokens.vic },
    });
    expect(JSON.parse(answer.text)).toEqual({ name: 'vic', role: 'view', isOpen: false });
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^evenkeel-console=[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
      ),
    ]);
  });

  it('is refused with a wrong token, one of ten a minute is tried at all, and the log has no token', async () => {
    const { ask, pass, logged } = await served();
    const attempt = async (token: string) =>
      (await ask('/api/login', { method: 'POST', headers: scripted, body: { token } })).status;
    for (let n = 0; n < 10; n += 1) expect(await attempt(`guess-${n}`)).toBe(401);
    // Not even the right one is looked at: who guesses cannot tell that it was right.
    expect(await attempt(tokens.ann)).toBe(429);
    pass(6_000);
    expect(await attempt(tokens.ann)).toBe(200);
    // Ten refusals, one line.
    expect(logged.filter((line) => line.includes('"bad-token"'))).toHaveLength(1);
    expect(logged.join()).not.toMatch(/guess-|ann-token/);
  });

  it('takes JSON with one token in it', async () => {
    const { ask } = await served();
    const post = async (headers: Record<string, string>, body: unknown) =>
      (await ask('/api/login', { method: 'POST', headers, body })).code;
    const form = { ...scripted, 'content-type': 'application/x-www-form-urlencoded' };
    expect(await post(form, 'token=ann-token')).toBe('bad-type');
    expect(await post(scripted, '{')).toBe('bad-json');
    expect(await post(scripted, { token: 7 })).toBe('bad-login');
    expect(await post(scripted, { token: tokens.ann, role: 'operate' })).toBe('bad-login');
    expect(await post(scripted, { token: 'x'.repeat(70_000) })).toBe('too-large');
  });

  it('by a name that is not of the own machine needs TLS, here or at a proxy that is trusted', async () => {
    const host = 'console.example';
    const body = { token: tokens.ann };
    const plain = await served({ config: { consoleHosts: [host] } });
    const refused = await plain.ask('/api/login', { method: 'POST', headers: { ...scripted, host }, body });
    expect(refused.code).toBe('insecure');
    const claimed = { ...scripted, host, 'x-forwarded-proto': 'https' };
    expect((await plain.ask('/api/login', { method: 'POST', headers: claimed, body })).code).toBe('insecure');
    const proxied = await served({ config: { consoleHosts: [host], trustedHops: 1 } });
    const { status, headers } = await proxied.ask('/api/login', { method: 'POST', headers: claimed, body });
    expect(status).toBe(200);
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-evenkeel-console=.*; Path=\/; .*; Secure$/);
    const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const me = await proxied.ask('/api/me', { headers: { ...claimed, cookie, origin: `https://${host}` } });
    expect(me.status).toBe(200);
    // What a plain request of the same name brings is not that cookie.
    const onPlain = cookie.replace('__Host-', '');
    expect((await proxied.ask('/api/me', { headers: { ...claimed, cookie: onPlain } })).status).toBe(401);
  });

  it('out again ends the session and its streams', async () => {
    const { ask, login, port } = await served();
    const cookie = await login(tokens.ann);
    const ended = new Promise<void>((resolve, reject) => {
      const request = get(
        { host: '127.0.0.1', port, path: '/api/stream', headers: { cookie } },
        (response) => {
          response.once('data', () => {
            const headers = { ...scripted, cookie };
            ask('/api/logout', { method: 'POST', headers, body: {} }).catch(reject);
          });
          response.on('end', resolve);
        },
      );
      request.on('error', reject);
      onTestFinished(() => void request.destroy());
    });
    await ended;
    expect((await ask('/api/me', { headers: { cookie } })).status).toBe(401);
  });
});

describe('roles', () => {
  it('view looks and commands nothing; operate does both, each in its own name', async () => {
    const { ask, login, asked } = await served();
    const send = async (token: string, body: object) => {
      const headers = { ...scripted, cookie: await login(token) };
      return (await ask('/api/command', { method: 'POST', headers, body })).status;
    };
    expect(await send(tokens.vic, { command: 'plan' })).toBe(200);
    for (const command of ['rebalance', 'pause', 'undo'])
      expect([command, await send(tokens.vic, { command })]).toEqual([command, 403]);
    for (const body of [
      { command: 'drain', node: 'edge-1' },
      { command: 'disconnect', user: 'alice' },
    ])
      expect(await send(tokens.vic, body)).toBe(403);
    expect(await send(tokens.ann, { command: 'drain', node: 'edge-1', id: 'once' })).toBe(200);
    expect(asked).toEqual([
      { command: { command: 'plan' }, onBehalfOf: 'vic' },
      { command: { command: 'drain', node: 'edge-1' }, onBehalfOf: 'ann' },
    ]);
  });

  it('nobody commands in the name of somebody else', async () => {
    const { ask, login, asked } = await served();
    const headers = { ...scripted, cookie: await login(tokens.ann) };
    const body = { command: 'rebalance', onBehalfOf: 'eve' };
    await ask('/api/command', { method: 'POST', headers, body });
    expect(asked).toEqual([{ command: { command: 'rebalance' }, onBehalfOf: 'ann' }]);
  });
});

describe('a page of another origin', () => {
  const evil = 'https://evil.example';

  it('can neither look nor command, with the cookie of whoever is logged in', async () => {
    const { ask, login, asked, port } = await served();
    const cookie = await login(tokens.ann);
    const own = `http://127.0.0.1:${port}`;
    const body = { command: 'rebalance' };
    for (const headers of [
      { origin: evil },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: `https://127.0.0.1:${port}` },
      { origin: `${own}.evil.example` },
    ]) {
      const all = { ...scripted, cookie, ...headers } as Record<string, string>;
      const answers = [await ask('/api/command', { method: 'POST', headers: all, body })];
      for (const path of looks)
        answers.push(await ask(path, { headers: { cookie, ...headers } as Record<string, string> }));
      expect([headers, ...answers.map(({ code }) => code)]).toEqual([headers, ...Array(7).fill('csrf')]);
      for (const answer of answers) expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
    expect(asked).toEqual([]);
    const good = { ...scripted, cookie, origin: own, 'sec-fetch-site': 'same-origin' };
    expect((await ask('/api/command', { method: 'POST', headers: good, body })).status).toBe(200);
  });

  it('cannot send a form: a POST without the header is refused', async () => {
    const { ask, login } = await served();
    const headers = { cookie: await login(tokens.ann), 'content-type': 'application/json' };
    for (const path of ['/api/command', '/api/login', '/api/logout'])
      expect((await ask(path, { method: 'POST', headers, body: {} })).code).toBe('csrf');
    const preflight = await ask('/api/command', { method: 'OPTIONS', headers: { origin: evil } });
    expect(preflight.headers).not.toHaveProperty('access-control-allow-headers');
  });

  it('does not reach it under a name of its own', async () => {
    const { ask, login } = await served({ config: { consoleOpen: true } });
    const cookie = await login(tokens.ann);
    for (const path of ['/', ...looks])
      expect((await ask(path, { headers: { host: 'rebound.example', cookie } })).code).toBe('host');
  });

  it('may link to the page, and neither frame it nor load its files, nor follow a link to anything else', async () => {
    const { ask, login } = await served();
    const cookie = await login(tokens.ann);
    for (const site of ['cross-site', 'same-site']) {
      const link = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      for (const method of ['GET', 'HEAD'])
        expect([site, method, (await ask('/', { method, headers: link })).status]).toEqual([
          site,
          method,
          200,
        ]);
      for (const path of looks) expect((await ask(path, { headers: { ...link, cookie } })).code).toBe('csrf');
      const renamed = await ask('/', { headers: { ...link, host: 'rebound.example' } });
      expect(renamed.code).toBe('host');
      for (const other of [
        { 'sec-fetch-dest': 'iframe' },
        { 'sec-fetch-dest': 'object' },
        { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
        { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
      ] as Record<string, string>[])
        expect([other, (await ask('/', { headers: { ...link, ...other } })).code]).toEqual([other, 'csrf']);
    }
  });

  it('shows it in no frame; the page loads its own files alone, and nothing inline', async () => {
    const { ask } = await served();
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|http|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect((await ask('/api/me')).headers['cache-control']).toBe('no-store');
  });
});

describe('open mode', () => {
  it('lets whoever is on this machine operate, as developer', async () => {
    const { ask, asked } = await served({ config: { consoleOpen: true } });
    const me = await ask('/api/me');
    expect(JSON.parse(me.text)).toEqual({ name: 'developer', role: 'operate', isOpen: true });
    await ask('/api/command', { method: 'POST', headers: scripted, body: { command: 'rebalance' } });
    expect(asked).toEqual([{ command: { command: 'rebalance' }, onBehalfOf: 'developer' }]);
  });

  it('does not hold for what a proxy on this machine passes on, nor under any other name', async () => {
    const { ask } = await served({ config: { consoleOpen: true, consoleHosts: ['console.example'] } });
    for (const headers of [
      { 'x-forwarded-for': '203.0.113.7' },
      { 'x-forwarded-for': '127.0.0.1' },
      { forwarded: 'for=127.0.0.1' },
      { via: '1.1 proxy' },
      { 'x-real-ip': '127.0.0.1' },
      { host: 'console.example' },
      { host: '192.0.2.1' },
    ] as Record<string, string>[])
      expect([headers, (await ask('/api/me', { headers })).status]).toEqual([headers, 401]);
  });
});

it('a stream is compressed for whoever takes that, and each view is sent as soon as it is there', async () => {
  const { port } = await served({ config: { consoleOpen: true } });
  const headers = { 'accept-encoding': 'gzip, deflate, br' };
  const first = await new Promise<string>((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path: '/api/stream', headers }, (response) => {
      expect(response.headers['content-encoding']).toBe('gzip');
      let text = '';
      response.pipe(createGunzip()).on('data', (chunk) => {
        text += chunk;
        if (text.includes('"leader":"balancer"')) resolve(text);
      });
    });
    request.on('error', reject);
    onTestFinished(() => void request.destroy());
  });
  expect(first).toMatch(/^retry: 1000\n\ndata: \{"me":\{"name":"developer"/);
});

it('so many pages of one name watch and no more, and one that is closed makes room', async () => {
  const { port, ask } = await served({ config: { consoleOpen: true } });
  const open = () =>
    new Promise<ClientRequest>((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port, path: '/api/stream' }, ({ statusCode }) =>
        statusCode === 200 ? resolve(request) : reject(new Error(`answered ${statusCode}`)),
      );
      request.on('error', reject);
      onTestFinished(() => void request.destroy());
    });
  const requests = await Promise.all(Array.from({ length: 50 }, open));
  expect((await ask('/api/stream')).code).toBe('too-many-watchers');
  requests[0]?.destroy();
  await vi.waitFor(async () => requests.push(await open()));
  expect(requests).toHaveLength(51);
});

it('what the balancer or RabbitMQ refuses is passed on with its code', async () => {
  const execute = vi.fn();
  const { ask, login } = await served({ operator: { execute } });
  const headers = { ...scripted, cookie: await login(tokens.ann) };
  for (const [code, status] of [
    ['plan-running', 409],
    ['bad-user', 400],
    ['unknown-node', 404],
    ['rate-limited', 429],
    ['forbidden', 403],
    ['unreachable', 503],
    ['timeout', 503],
  ] as const) {
    execute.mockRejectedValueOnce(new OperatorError(code, `because of ${code}`));
    const answer = await ask('/api/command', { method: 'POST', headers, body: { command: 'rebalance' } });
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      status,
      { error: { code, message: `because of ${code}` } },
    ]);
  }
  const unknown = await ask('/api/command', { method: 'POST', headers, body: { command: 'explode' } });
  expect([unknown.status, unknown.code]).toEqual([400, 'bad-command']);
});
