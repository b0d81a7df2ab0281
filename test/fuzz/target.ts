/** What is fuzzed: a parser that the mesh gives to strangers, with what has to hold whatever they send. */
export interface Target {
  readonly name: string;
  /** What its inputs are. */
  readonly about: string;
  /** Words that mean something to its parser, beside those that mean something to JavaScript. */
  readonly words: readonly string[];
  /** Longest input. */
  readonly maxBytes: number;
  /** Blocks of code that an input may run, for each of its bytes; see docs/fuzzing.md. */
  readonly workPerByte?: number;
  /** Gives an input to the parser. Whatever it throws is a fault. */
  run(input: Buffer): void | Promise<void>;
}

/** Something that has to hold does not. */
export class Broken extends Error {
  /** What has to hold: the same for the same fault, whatever the input is. */
  readonly rule: string;

  constructor(rule: string, seen?: unknown) {
    super(seen === undefined ? rule : `${rule}: ${shown(seen)}`);
    this.name = 'Broken';
    this.rule = rule;
  }
}

/** @throws Broken unless it holds */
export function holds(condition: boolean, rule: string, seen?: unknown): asserts condition {
  if (!condition) throw new Broken(rule, seen);
}

const longest = 400;

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
