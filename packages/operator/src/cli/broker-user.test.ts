import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rightsOf } from '@evenkeel/mesh/rights';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeByManagement } from './broker-user.js';

interface Request {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

/** A management API that keeps what it is asked, and answers with this status. */
async function management(status: number): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const { authorization } = request.headers;
    requests.push({ path: `${request.method} ${request.url}`, authorization, body: JSON.parse(text) });
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://admin:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

describe('makeByManagement', () => {
  it('makes the user, its keys and last its rights, and answers with its address', async () => {
    const { url, requests } = await management(201);
    const rights = rightsOf('edge-n1');
    const made = await makeByManagement(url, 'amqp://operator:x@broker:5673/my%2Fhost', 'edge-n1', rights);
    const address = new URL(made.url);
    expect(address.href).toBe(`amqp://edge-n1:${address.password}@broker:5673/my%2Fhost`);
    const topics = rights.topics.map(() => 'PUT /api/topic-permissions/my%2Fhost/edge-n1');
    expect(requests.map(({ path }) => path)).toEqual([
      'PUT /api/users/edge-n1',
      ...topics,
      'PUT /api/permissions/my%2Fhost/edge-n1',
    ]);
    expect(requests[0]?.body).toEqual({ password: address.password, tags: '' });
    const { configure, write, read } = rights;
    expect(requests.at(-1)?.body).toEqual({ configure, write, read });
    const basic = `Basic ${Buffer.from('admin:p@ss').toString('base64')}`;
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set([basic]));
  });

  it('answers with each of several addresses, and with no password of theirs', async () => {
    const { url, requests } = await management(201);
    const list = 'amqp://operator:secret@mq1/v, amqps://other:secret@mq2:5673/v?heartbeat=5,amqp://mq3/v';
    const made = await makeByManagement(url, list, 'edge-n1', rightsOf('edge-n1'));
    const password = requests[0]?.body.password;
    const as = `edge-n1:${password}`;
    expect(made.url).toBe(`amqp://${as}@mq1/v,amqps://${as}@mq2:5673/v?heartbeat=5,amqp://${as}@mq3/v`);
    expect(requests.at(-1)?.path).toBe('PUT /api/permissions/v/edge-n1');
  });

  it('makes nothing where an address is none, and does not show it', async () => {
    const { url, requests } = await management(201);
    const making = makeByManagement(url, 'amqp://a:secret@mq1,http://mq2', 'edge-n1', rightsOf('edge-n1'));
    const failure = await making.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'bad-address' });
    expect(String(failure)).not.toContain('secret');
    expect(requests).toEqual([]);
  });

  it('fails with what the API answers, never with its password', async () => {
    const { url } = await management(401);
    const failure = await makeByManagement(url, 'amqp://h', 'edge-n1', rightsOf('edge-n1')).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'management-refused' });
    expect(String(failure)).toContain('401');
    expect(String(failure)).not.toContain('p@ss');
  });
});
