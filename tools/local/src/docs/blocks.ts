/** One fenced block of a document. */
export interface Block {
  /** Path of the document, relative to the repository's root. */
  readonly document: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** What stands behind the fence: `sh`, `js`, `python`, … or nothing. */
  readonly language: string;
  readonly text: string;
  /** Why it is not run, from `<!-- not run: … -->` in front of it. */
  readonly notRun?: string;
  /** It is a program that does not end by itself, from `<!-- goes on -->` in front of it. */
  readonly goesOn?: true;
  /** It wants an empty project of its own, not the repository, from `<!-- in an empty project -->` in front of it. */
  readonly ownProject?: true;
}

const directive = /^<!-- not run: (.+) -->$/;
const goesOnDirective = '<!-- goes on -->';
const ownProjectDirective = '<!-- in an empty project -->';

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(document: string, text: string): Block[] {
  const lines = text.split('\n');
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, indent = '', fence = '', language = ''] =
      /^(\s*)(`{3,})(\w*)\s*$/.exec(lines[index] ?? '') ?? [];
    if (fence === '') continue;
    const end = lines.findIndex((line, at) => at > index && line.trim() === fence);
    const body = lines
      .slice(index + 1, end < 0 ? lines.length : end)
      .map((line) => line.slice(indent.length));
    const before = lines.slice(0, index).findLast((line) => line.trim() !== '') ?? '';
    const notRun = directive.exec(before.trim())?.[1];
    blocks.push({
      document,
      line: index + 1,
      language,
      text: body.join('\n'),
      ...(notRun !== undefined && { notRun }),
      ...(before.trim() === goesOnDirective && { goesOn: true as const }),
      ...(before.trim() === ownProjectDirective && { ownProject: true as const }),
    });
    if (end < 0) break;
    index = end;
  }
  return blocks;
}

/** How a block is run: as a shell script, a module, a Python program, a page in a browser, checked as JSON, or not at all. */
export type Manner = 'shell' | 'module' | 'python' | 'page' | 'json' | 'none';

const manners: Readonly<Record<string, Manner>> = {
  sh: 'shell',
  js: 'module',
  python: 'python',
  html: 'page',
  json: 'json',
};

export const mannerOf = ({ language }: Block): Manner => manners[language] ?? 'none';
