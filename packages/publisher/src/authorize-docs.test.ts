import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { AuthorizeHandler, AuthorizeQuestion } from './types.js';

const text = readFileSync(new URL('../../../docs/permissions.md', import.meta.url), 'utf8');

/** Runs an example of docs/permissions.md, with `names` for what it imports and what is the application's. */
async function run(mark: string, names: Record<string, unknown>): Promise<void> {
  const code = new RegExp(`<!-- ${mark} -->\\n\`\`\`js\\n([^]*?)\`\`\``).exec(text)?.[1] ?? '';
  expect(code).toContain('import ');
  const given = `const { ${Object.keys(names).join(', ')} } = globalThis.exampleNames;`;
  const body = code.replace(/^import .*$/gm, '');
  Object.assign(globalThis, { exampleNames: names });
  await import(`data:text/javascript,${encodeURIComponent(`${given}\n${body}`)}`);
}

it('the example of a service decides as it says', async () => {
  let decide: AuthorizeHandler | undefined;
  const authorize = async (pattern: string, handler: AuthorizeHandler) => {
    expect(pattern).toBe('room.#');
    decide = handler;
  };
  const isMember = async (user: string, room: string) => user === 'alice' && room === '42';
  await run('not run: .*authorize-docs.*', { createPublisher: async () => ({ authorize }), isMember });
  const ask = (user: string, action: AuthorizeQuestion['action'], topic: string) =>
    decide?.({ user, action, topic, session: 's', signal: new AbortController().signal });
  expect(await ask('alice', 'subscribe', 'room.42.chat')).toEqual({ allow: true, ttlMs: 300_000 });
  expect(await ask('bob', 'subscribe', 'room.42.chat')).toEqual({ allow: false, ttlMs: 300_000 });
  expect(await ask('alice', 'request', 'room.42')).toBe(false);
});

it('the example of a client hears what it is told, and goes on after a call that is forbidden', async () => {
  const said: string[] = [];
  let hear = (_: Record<string, string>): void => {};
  const client = {
    onStatus: (listener: typeof hear) => {
      hear = listener;
    },
    subscribe: () => Promise.reject(Object.assign(new Error('no'), { code: 'forbidden' })),
  };
  const log = (line: string) => void said.push(line);
  await run('client', { connect: () => client, fetchToken: () => 'token', console: { log } });
  hear({ type: 'unsubscribed', topic: 'room.42', reason: 'revoked' });
  hear({ type: 'refresh-failed', reason: 'getToken threw: away' });
  expect(said).toEqual(['forbidden', 'room.42 has ended: revoked', 'no new token yet: getToken threw: away']);
});
