// The driver of the SDK for `evenkeel-conformance --client 'node drivers/sdk.mjs'`: README.md says what it is told and prints.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@evenkeel/client';

/** Runs the SDK; `options` are added to those of `connect`. */
export function drive(options = {}) {
  const { EVENKEEL_GATEWAY: gateway, EVENKEEL_USER: user, EVENKEEL_TOPICS: topics } = process.env;
  const tokens = process.env.EVENKEEL_TOKENS?.split(',').filter(Boolean) ?? [];
  // One after another; the last one again and again.
  const getToken = () => (tokens.length > 1 ? tokens.shift() : tokens[0]);
  const client = connect({ gateway, user, ...(tokens.length > 0 && { getToken }), ...options });

  client.on('*', async ({ id, name, data }) => {
    say({ kind: 'event', id, name, ...body(data) });
    if (data?.waitMs) await sleep(data.waitMs);
    // Not waited for: an answer may take longer than the event.
    for (const step of data?.do ?? []) perform(client, step);
  });
  for (const topic of topics?.split(',').filter(Boolean) ?? [])
    client
      .subscribe(topic, ({ id, data }) => say({ kind: 'message', topic, id, ...body(data) }))
      .catch(() => {});
  client.onStatus((status) => {
    if (status.type === 'gap') say({ kind: 'gap', topic: status.topic, reason: status.reason });
    else if (status.type === 'closed') say({ kind: 'closed', error: status.error?.code });
    else say({ kind: 'status', status: status.type });
  });
}

async function perform(client, { do: what, call, topic, method, data, bytes }) {
  const value = bytes === undefined ? data : Buffer.from(bytes, 'base64');
  try {
    if (what === 'end') await client.end();
    else if (what === 'publish') answer(call, await client.publish(topic, value));
    else if (what === 'request') answer(call, await client.request(method, value));
  } catch (error) {
    say({ kind: 'answer', call, error: error.code });
  }
}

const answer = (call, data) => say({ kind: 'answer', call, ...body(data) });

const body = (data) =>
  data instanceof Uint8Array ? { bytes: Buffer.from(data).toString('base64') } : { data: data ?? null };

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

if (process.argv[1] === import.meta.filename) drive();
