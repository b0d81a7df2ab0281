import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from './paths.js';

/** What examples may use without saying where it is from. */
const given = `
interface Mesh {
  events: { 'order.created': { number: number }; 'shop.changed': unknown };
  topics: { 'prices.demo': { price: number }; [room: \`room.\${string}\`]: { text: string } };
  requests: { 'shop.price': { data: { item: string }; reply: number } };
  streams: { 'assistant.ask': { data: { text: string }; part: string } };
  served: { 'order.confirm': { data: { order: number }; reply: boolean } };
}
declare const [gateway, user, token, amqpUrl]: string[] & [string, string, string, string];
declare const report: (what: unknown) => void;
declare const worker: () => SharedWorker;
`;
const packages = {
  client: `declare const client: Client<Mesh>;
    const mesh = defineMesh({ events: { 'order.created': z.object({ number: z.int() }) } });
    declare const createHooks: <Map>() => { useEvent: (name: string, handler: () => void) => void };
    declare const message: TopicMessage;`,
  publisher: `declare const client: import('@evenkeel/client').Client<Mesh>;
    declare const publisher: Awaited<ReturnType<typeof createPublisher<Mesh>>>;
    const mesh = defineMesh({ events: { 'order.created': z.object({ number: z.int() }) } });
    type TopicsOf<Map extends object> = import('@evenkeel/client').TopicsOf<Map>;
    declare const createHooks: <Map>() => { useEvent: (name: string, handler: () => void) => void };
    declare const message: { topic: string };`,
  react: `declare const { connect }: typeof import('@evenkeel/client');
    declare const client: import('@evenkeel/client').Client<Mesh>;
    declare const root: { render(what: unknown): void };
    declare const App: () => null;`,
} as const;
type Name = keyof typeof packages;
const names = Object.keys(packages) as Name[];

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  jsx: ts.JsxEmit.ReactJSX,
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
};

interface Exported {
  readonly name: string;
  readonly doc: string;
  readonly examples: readonly string[];
}

function exportsOf(program: ts.Program, name: Name): Exported[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(root, `packages/${name}/src/index.ts`));
  const module = source && checker.getSymbolAtLocation(source);
  return (module ? checker.getExportsOfModule(module) : []).map((symbol) => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const of = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const tags = of.getJsDocTags(checker).filter((tag) => tag.name === 'example');
    return {
      name: symbol.name,
      doc: ts.displayPartsToString(of.getDocumentationComment(checker)),
      examples: tags.map(({ text }) => ts.displayPartsToString(text)),
    };
  });
}

const sources = ts.createProgram(
  names.map((name) => join(root, `packages/${name}/src/index.ts`)),
  options,
);
const found = new Map(names.map((name) => [name, exportsOf(sources, name)]));

describe.each(names)('the package %s', (name) => {
  const all = found.get(name) ?? [];

  it('has a description at each of its exports', () => {
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter(({ doc }) => doc === '').map((each) => each.name)).toEqual([]);
  });

  it('has an example at each of its exports', () => {
    expect(all.filter(({ examples }) => examples.length === 0).map((each) => each.name)).toEqual([]);
  });
});

it('every example of an export compiles', () => {
  const programs = names.flatMap((name) =>
    (found.get(name) ?? []).flatMap(({ name: of, examples }, nth) =>
      examples.map((example, at) => ({
        path: join(root, `test/integration/${name}.${of}.${nth}-${at}.tsx`),
        name,
        example,
      })),
    ),
  );
  const texts = new Map(
    programs.map(({ path, name, example }) => {
      const all = (found.get(name) ?? []).map((each) => each.name).join(', ');
      const imports = `import { ${all} } from '@evenkeel/${name}';\nimport { z } from 'zod';`;
      return [
        path,
        `${imports}\n${given}\n${packages[name]}\nexport async function example() {\n${example}\n}\n`,
      ];
    }),
  );
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.getSourceFile = (path, version) => {
    const text = texts.get(path);
    return text === undefined ? getSourceFile(path, version) : ts.createSourceFile(path, text, version);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const faults = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const at = file && start !== undefined ? file.text.slice(start).split('\n')[0] : '';
    const where = file ? relative(root, file.fileName) : '';
    return `${where}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} at: ${at}`;
  });
  expect(faults).toEqual([]);
}, 60_000);
