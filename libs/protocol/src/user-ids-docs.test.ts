import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { toUid } from './names.js';

const text = readFileSync(new URL('../../../PROTOCOL.md', import.meta.url), 'utf8');
const [, section = ''] = /^### User ids in keys\n([\s\S]*?)^### /m.exec(text) ?? [];
/** The code of the first block in this language. */
const block = (language: string): string => section.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';
const rows = [...section.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|$/gm)].map(([, id = '', uid = '']) => [
  id,
  uid,
]);
const ids = [...rows.map(([id = '']) => id), 'x'.repeat(65), '~', '*.#', '👋', '\u0000'];
const hasPython = spawnSync('python3', ['--version']).status === 0;

describe('PROTOCOL.md, user ids in keys', () => {
  it('shows what the SDK makes of them', () => {
    expect(rows.length).toBeGreaterThanOrEqual(4);
    expect(rows).toEqual(rows.map(([id = '']) => [id, toUid(id)]));
  });

  it('has a function in JavaScript that does the same', () => {
    const script = `${block('js')}; ids.map(uid)`;
    const made: unknown = runInNewContext(script, { Buffer, console: { log: () => {} }, ids });
    expect(Array.from(made as string[])).toEqual(ids.map(toUid));
  });

  it.skipIf(!hasPython)('has a function in Python that does the same', () => {
    const script = `${block('python')}\nimport json, sys\nprint(json.dumps([uid(id) for id in json.loads(sys.stdin.read())]))`;
    const { stdout, stderr } = spawnSync('python3', ['-c', script], {
      input: JSON.stringify(ids),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual(ids.map(toUid));
  });
});
