import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const mangled: string[] = JSON.parse(readFileSync(at('../mangled.json'), 'utf8'));
const names = (among: ReadonlySet<string>) => mangled.filter((name) => among.has(name));

/** Names of all members that somebody who imports `file` can see, as deep as its types go within this repository. */
function visibleIn(file: string): Set<string> {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(at('../tsconfig.json'), ts.sys.readFile).config,
    ts.sys,
    at('..'),
  );
  const program = ts.createProgram([file], {
    ...options,
    noEmit: true,
    composite: false,
    incremental: false,
  });
  const checker = program.getTypeChecker();
  const found = new Set<string>();
  const seen = new Set<ts.Type>();
  const look = (type: ts.Type): void => {
    const from = (type.aliasSymbol ?? type.symbol)?.declarations?.[0]?.getSourceFile().fileName ?? '';
    if (seen.has(type) || from.includes('node_modules')) return;
    seen.add(type);
    if (type.isUnionOrIntersection()) for (const each of type.types) look(each);
    for (const signature of [...type.getCallSignatures(), ...type.getConstructSignatures()]) {
      look(signature.getReturnType());
      for (const parameter of signature.parameters) look(checker.getTypeOfSymbol(parameter));
    }
    for (const property of type.getProperties()) {
      if (property.name.includes('#')) continue; // #private
      found.add(property.name);
      look(checker.getTypeOfSymbol(property));
    }
  };
  const source = program.getSourceFile(file);
  const exported = source && checker.getSymbolAtLocation(source);
  for (const each of exported ? checker.getExportsOfModule(exported) : []) {
    const symbol = each.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(each) : each;
    look(checker.getDeclaredTypeOfSymbol(symbol));
    if (symbol.valueDeclaration) look(checker.getTypeOfSymbol(symbol));
  }
  return found;
}

it('no name that is shortened in the bundle is part of what a page sees', () => {
  const visible = visibleIn(at('index.ts'));
  expect([...visible]).toEqual(
    expect.arrayContaining(['subscribe', 'handlerTimeoutMs', 'retryInMs', 'deadlineMs']),
  );
  expect(names(visible)).toEqual([]);
});

it('nor of what an edge or a gateway sends or is sent', () => {
  const sources = ['frames', 'client', 'gateway'].map((name) =>
    readFileSync(at(`../../../libs/protocol/src/${name}.ts`), 'utf8'),
  );
  // `defaults` are no frame.
  const fields = sources
    .join('\n')
    .replace(/export const defaults = \{[^}]*\}/, '')
    .matchAll(/\b(\w+)\??:/g);
  const wire = new Set([...fields].map(([, name = '']) => name));
  // The kinds too: they are keys of the table of what a frame must have.
  for (const [, kind = ''] of sources.join('\n').matchAll(/\bt: '(\w+)'/g)) wire.add(kind);
  expect([...wire]).toEqual(expect.arrayContaining(['heartbeatMs', 'redelivered', 'ticket', 'moved']));
  expect(names(wire)).toEqual([]);
});

it('nor of what the platform has', () => {
  const folder = dirname(ts.getDefaultLibFilePath({}));
  const files = readdirSync(folder).filter((name) => /^lib\..*\.d\.ts$/.test(name));
  const declared = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  const platform = new Set(
    [...declared.matchAll(/^\s+(?:readonly |get |set )?(\w+)\??[(:<]/gm)].map(([, name = '']) => name),
  );
  expect([...platform]).toEqual(expect.arrayContaining(['findLastIndex', 'addEventListener', 'setItem']));
  expect(names(platform)).toEqual([]);
});
