import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signatureOf } from '@evenkeel/runtime';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HookAuthentication } from './hook.js';

const secret = 'a secret of the hook';
const nowMs = 1_700_000_000_000;
const good = { user: 'alice', grants: { subscribe: ['room.#'] }, expiresAt: nowMs + 60_000 };
const credentials = {
  authorization: undefined,
  cookie: 'connect.sid=s%3Aabc',
  user: undefined,
  origin: 'https://app.example',
  address: '203.0.113.7',
};

/** An application that answers so, and what it was asked. */
async function application(status: number, answer: string | object, headers = {}) {
  const asked: { signature: unknown; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      asked.push({ signature: request.headers['evenkeel-signature'], body });
      response.writeHead(status, headers).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/session`;
  return { asked, hook: new HookAuthentication({ url, secret }, () => nowMs) };
}

describe('an application that is asked who a client is', () => {
  it('gets cookie, authorization, origin and address, signed, and says who, with which grants, and until when', async () => {
    const { asked, hook } = await application(200, good);
    expect(await hook.authenticate(credentials)).toEqual({
      uid: 'alice',
      token: { grants: good.grants, expiresAtMs: good.expiresAt },
    });
    const [{ signature, body } = { signature: '', body: '' }] = asked;
    const { cookie, origin, address } = credentials;
    expect(JSON.parse(body)).toEqual({ cookie, origin, address });
    expect(signature).toBe(signatureOf(body, secret, nowMs));
  });

  it('is asked each time, and not at all about who brings nothing', async () => {
    const { asked, hook } = await application(200, good);
    await hook.authenticate(credentials);
    await hook.authenticate(credentials);
    const none = hook.authenticate({ ...credentials, cookie: undefined });
    await expect(none).rejects.toMatchObject({ code: 'no-credentials' });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['401', 401, {}, 'bad-credentials'],
    ['403', 403, {}, 'bad-credentials'],
    ['an end that is over', 200, { ...good, expiresAt: nowMs }, 'bad-credentials'],
    ['an end in a thousand years', 200, { ...good, expiresAt: nowMs * 1_000 }, 'bad-credentials'],
    ['grants that are none', 200, { ...good, grants: { read: [] } }, 'bad-credentials'],
    ['a user who cannot be', 200, { ...good, user: '' }, 'bad-credentials'],
    ['500', 500, {}, 'hook-unavailable'],
    ['a page', 200, '<html>', 'hook-unavailable'],
    ['nothing of use', 200, { name: 'alice' }, 'hook-unavailable'],
    ['over 64 KiB', 200, { ...good, more: 'x'.repeat(70_000) }, 'hook-unavailable'],
  ])('that answers %s is taken for a refusal or an outage, as it is', async (_, status, answer, code) => {
    const { hook } = await application(status, answer);
    await expect(hook.authenticate(credentials)).rejects.toMatchObject({ code });
  });

  it('that redirects, or is not there, is an outage: nobody follows it', async () => {
    const { hook } = await application(302, '', { location: 'https://elsewhere.example/' });
    await expect(hook.authenticate(credentials)).rejects.toMatchObject({ code: 'hook-unavailable' });
    const away = new HookAuthentication({ url: 'http://127.0.0.1:1/', secret }, () => nowMs);
    await expect(away.authenticate(credentials)).rejects.toMatchObject({ code: 'hook-unavailable' });
  });
});
