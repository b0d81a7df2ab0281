/**
 * Builds the client into single files for browsers: the core as `dist/evenkeel.browser.js` (a module) and `dist/evenkeel.global.js` (a
 * classic script with the global `Evenkeel`), the whole as `dist/evenkeel.full.js` (a module). Prints their sizes, and fails above what
 * is promised.
 */
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify as rename } from 'rolldown/utils';
import { minify as shorten } from 'terser';
import ts from 'typescript';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
/** What is promised for the core, and for each part that the whole has beside it: a file or a folder of `src/more`. */
const coreBytes = 12 * 1_024;
const partBytes = 3 * 1_024;
const parts = readdirSync(at('src/more')).filter((name) => !/[.](test[.]ts|md)$/.test(name));
/** Members that no page, no edge and no browser knows by name: mangled.test.ts holds them against all three. */
const mangled = JSON.parse(await readFile(at('mangled.json'), 'utf8'));

const common = {
  alias: {
    '@evenkeel/pace': at('../../libs/pace/src/index.ts'),
    '@evenkeel/protocol/wire': at('../../libs/protocol/src/wire.ts'),
  },
  bundle: true,
  minify: true,
  mangleProps: new RegExp(`^(?:${mangled.join('|')})$`),
  target: 'es2022',
  platform: 'browser',
  legalComments: 'none',
  write: false,
};

/** Once more over what esbuild has written: each of these shortens what the others leave, by 3 % together. */
async function shortened(code) {
  const compress = {
    ecma: 2022,
    passes: 3,
    sequences: false,
    pure_getters: true,
    inline: 1,
    lhs_constants: false,
  };
  // No function here is called with `new`, and no comparison meets an object that converts itself.
  const unsafe = { unsafe_arrows: true, unsafe_methods: true, unsafe_comps: true };
  const shorter = await shorten(code, { module: true, ecma: 2022, compress: { ...compress, ...unsafe } });
  const renamed = await rename('client.js', shorter.code, {
    module: true,
    compress: { target: 'es2022' },
    mangle: { toplevel: true },
  });
  return withoutPrivates(renamed.code);
}

/**
 * Private members as public ones of one letter, which no other member of their class has or may lack, and no declarations of what has no value
 * yet: 2 % together.
 */
function withoutPrivates(code) {
  const edits = [];
  const source = ts.createSourceFile('client.js', code, ts.ScriptTarget.ES2022, true);
  const familyOf = families(source);
  const optional = optionalIn(source);
  const namesOf = new Map();
  const look = (node, names) => {
    if (ts.isClassLike(node)) {
      names = namesIn(node, familyOf(node), namesOf, optional);
      namesOf.set(node, names);
    }
    if (ts.isPropertyDeclaration(node) && !node.initializer)
      edits.push({ from: node.getStart(), to: node.end, text: '' });
    else if (ts.isPrivateIdentifier(node))
      // `async#name` needs no space.
      edits.push({
        from: node.getStart(),
        to: node.end,
        text: (/\w/.test(code[node.getStart() - 1]) ? ' ' : '') + names.get(node.text),
      });
    else node.forEachChild((child) => look(child, names));
  };
  look(source, new Map());
  let written = '';
  let at = 0;
  for (const { from, to, text } of edits.sort((a, b) => a.from - b.from)) {
    written += code.slice(at, from) + text;
    at = to;
  }
  return written + code.slice(at);
}

/** Of a class those that extend it and those that it extends, itself among them: they share their members. */
function families(source) {
  const all = new Map();
  const look = (node) => {
    if (ts.isClassLike(node)) all.set(node.name?.text ?? node.parent.name?.getText() ?? node, node);
    node.forEachChild(look);
  };
  look(source);
  const rootOf = (type) => {
    const base = all.get(type.heritageClauses?.[0]?.types[0]?.expression.getText());
    return base ? rootOf(base) : type;
  };
  return (type) => [...all.values()].filter((each) => rootOf(each) === rootOf(type));
}

/** What is called where it is there: a class without it must not seem to have it. */
function optionalIn(source) {
  const names = new Set();
  const look = (node) => {
    const { expression } = node;
    if (ts.isCallExpression(node) && node.questionDotToken && ts.isPropertyAccessExpression(expression))
      names.add(expression.name.text);
    node.forEachChild(look);
  };
  look(source);
  return names;
}

/** The letters of a class's private members, by frequency; no other of its family has them. */
function namesIn(type, family, namesOf, optional) {
  const publics = new Set([
    ...family.flatMap((each) => [...(namesOf.get(each)?.values() ?? [])]),
    ...optional,
  ]);
  const counts = new Map();
  const look = (node) => {
    if (ts.isPropertyAccessExpression(node) && node.expression.kind === ts.SyntaxKind.ThisKeyword)
      publics.add(node.name.text);
    node.forEachChild(look);
  };
  for (const each of family) {
    for (const { name } of each.members) publics.add(name?.getText());
    look(each);
  }
  const count = (node) => {
    if (ts.isPrivateIdentifier(node)) counts.set(node.text, (counts.get(node.text) ?? 0) + 1);
    node.forEachChild(count);
  };
  count(type);
  const free = [...'etnriaoscludpmhfgbvyxwkjzqETNRIAOSCLUDPMHFGBVYXWKJZQ'].filter(
    (name) => !publics.has(name),
  );
  const privates = [...counts].sort(([, a], [, b]) => b - a);
  if (privates.length > free.length) throw new Error('a class has more private members than letters');
  return new Map(privates.map(([name], n) => [name, free[n]]));
}

await mkdir(at('dist'), { recursive: true });
// Written out: what esbuild writes for a global name is longer. A test holds it against the module.
const values = 'Client, ClientError, LookupError, connect';
const asGlobal = `import { ${values} } from './src/core.js'; globalThis.Evenkeel = { ${values} };`;
for (const [name, options, limitBytes] of [
  ['evenkeel.browser.js', { entryPoints: [at('src/core.ts')], format: 'esm' }, coreBytes],
  ['evenkeel.global.js', { stdin: { contents: asGlobal, resolveDir: at('.') }, format: 'iife' }, coreBytes],
  [
    'evenkeel.full.js',
    { entryPoints: [at('src/index.ts')], format: 'esm' },
    coreBytes + parts.length * partBytes,
  ],
]) {
  const { outputFiles } = await build({ ...common, ...options });
  const [bundle] = outputFiles;
  if (!bundle) throw new Error('esbuild wrote nothing');
  const code = Buffer.from(await shortened(bundle.text));
  await writeFile(at(`dist/${name}`), code);
  const gzippedBytes = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${gzippedBytes} gzipped (limit ${limitBytes})`);
  if (gzippedBytes > limitBytes) process.exitCode = 1;
}
