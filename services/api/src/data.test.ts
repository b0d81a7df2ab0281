import { describe, expect, it } from 'vitest';
import { keys, served } from '../testing/served.js';

describe('data', () => {
  const written = ['9007199254740993', '1e400', '-0', '{"b":[98765432109876543210, 1.0],"a":"\\u00e9"}'];

  it.each(written)('%s goes on as it was written, to a user, a topic and in a batch', async (data) => {
    const bodies: string[] = [];
    const toUser = async (_to: string, _event: string, body: unknown) => {
      bodies.push(String(body));
      return { id: 'x', routed: true };
    };
    const toTopic = (to: string, body: unknown) => toUser(to, '', body);
    const { ask, publish } = await served({}, { toUser, toTopic });
    await publish(`{"user":"alice", "data" : ${data} ,"id":"i"}`);
    await publish(`{"data":0,"\\u0064ata":${data},"topic":"a.b"}`);
    const messages = `[ {"user":"alice","data":${data}}, {"data":"],","topic":"a.b"},{"topic":"a.b","data":${data}}]`;
    const batch = { method: 'POST', body: `{"messages":[],"messages":${messages}}` };
    expect((await ask('/v1/publish/batch', batch)).status).toBe(202);
    expect(bodies).toEqual([data, data, data, '"],"', data]);
  });

  it.each(written)('%s of a question and its answers stays as it was written', async (data) => {
    const { port } = await served();
    const response = await fetch(`http://127.0.0.1:${port}/v1/users/alice/request`, {
      method: 'POST',
      headers: { authorization: `Bearer ${keys.asker}`, 'content-type': 'application/json' },
      body: `{"method":"q","data":${data}}`,
    });
    expect(await response.text()).toContain(`"data":${data}}`);
  });

  it('of a question that is nested too deeply is refused', async () => {
    const { ask } = await served();
    const body = `{"method":"q","data":${'['.repeat(513)}${']'.repeat(513)}}`;
    const answer = await ask('/v1/users/alice/request', { method: 'POST', key: keys.asker, body });
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad-request' } });
  });
});
