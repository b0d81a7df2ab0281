import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './paths.js';

const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  // What is generated in docs/api follows TypeDoc.
  .filter((name) => name.endsWith('.md') && !name.startsWith('api/'))
  .map((name) => join('docs', name));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = [...atRoot, ...inDocs];
const scripts = Object.keys(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }).scripts,
);

describe.each(documents)('%s', (document) => {
  const text = readFileSync(join(root, document), 'utf8');

  test('names files that exist', () => {
    const named = [
      ...text.matchAll(/`((?:libs|packages|services|tools|infra|bench|test|examples|docs)\/[^`\s*<>]+?)`/g),
    ];
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  test('has no line over 140 characters outside tables and code', () => {
    const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '').split('\n');
    expect(prose.filter((line) => line.length > 140 && !line.startsWith('|'))).toEqual([]);
  });

  test('links to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    const broken = links.filter(([, path = '', heading]) => {
      const target = path === '' ? join(root, document) : join(root, dirname(document), path);
      if (!existsSync(target)) return true;
      return heading !== undefined && !headings(readFileSync(target, 'utf8')).includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  test('names npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

test.each(['edge', 'gateway', 'balancer'])(
  'ARCHITECTURE.md has the steps of %s in their order',
  (service) => {
    const [, steps] =
      new RegExp(`^\\| \`${service}\` \\| ([a-z ,]+) \\|`, 'm').exec(read('ARCHITECTURE.md')) ?? [];
    const added = [
      ...read(`services/${service}/src/${service === 'edge' ? 'steps' : 'app'}.ts`).matchAll(
        /\.add\('([\w ]+)'/g,
      ),
    ];
    expect(steps).toBe(added.map(([, name]) => name).join(', '));
  },
);

/** Anchors of headings, as GitHub makes them. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
