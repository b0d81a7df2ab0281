import { Chance } from './chance.js';
import { hashOf, type Seed } from './corpus.js';
import type { Coverage } from './coverage.js';
import { type Fault, faultOf, pollution } from './faults.js';
import { Mutator } from './mutate.js';
import { shrunk } from './shrink.js';
import type { Target } from './target.js';

export interface FuzzOptions {
  readonly target: Target;
  /** The same seed makes the same inputs of the same corpus. */
  readonly seed: number;
  readonly corpus: readonly Seed[];
  /** Asked now and then; `made`: inputs so far beside the corpus; `faults`: different ones so far. */
  isOver(made: number, faults: number): boolean;
  /** Without it nothing is learnt on the way, and work is not counted. */
  readonly coverage?: Coverage | undefined;
  /** Told what is run next, and with `undefined` that nothing is. */
  onInput?(input: Buffer | undefined): void;
}

export interface Found {
  /** Inputs that were run, those of the corpus included. */
  readonly inputs: number;
  /** Inputs in the corpus, and those that have reached something new. */
  readonly corpus: number;
  readonly fresh: readonly Seed[];
  /** Characters of code that have run: by the corpus, and by all of it. */
  readonly reachedBefore: number;
  readonly reached: number;
  readonly faults: readonly Fault[];
}

/** So many inputs are run between two looks at what they have reached: a look costs more than they do. */
const batch = 64;
/** So many different faults are enough for one run. */
const maxFaults = 20;
/** Blocks of code that any input may run, however short it is; see `workPerByte` of a target. */
const freeWork = 2_000_000;
const usualWorkPerByte = 1_000;
/** Runs at most for one fault to be shrunk. */
const tries = { quick: 1_000, slow: 200 } as const;

/** Fuzzes one target. Rejects with nothing that the target does. */
export async function fuzz(options: FuzzOptions): Promise<Found> {
  return await new Fuzzing(options).run();
}

/** Runs what makes inputs, so that it is compiled: what is compiled once V8 counts is several times as slow. */
export async function warmUp(corpus: readonly Seed[]): Promise<void> {
  const target: Target = { name: '', about: '', words: ['a'], maxBytes: 4_096, run() {} };
  await fuzz({ target, seed: 0, corpus, isOver: (made) => made >= 10 * batch });
}

class Fuzzing {
  readonly #options: FuzzOptions;
  readonly #chance: Chance;
  readonly #mutator: Mutator;
  readonly #corpus: Buffer[];
  readonly #fresh: Seed[] = [];
  readonly #faults = new Map<string, Fault>();
  #inputs = 0;

  constructor(options: FuzzOptions) {
    const { target, seed, corpus } = options;
    this.#options = options;
    this.#chance = new Chance(seed);
    this.#mutator = new Mutator(this.#chance, target.words, target.maxBytes);
    this.#corpus = corpus.map(({ input }) => input);
    if (this.#corpus.length === 0) this.#corpus.push(Buffer.alloc(0));
  }

  async run(): Promise<Found> {
    const { coverage, corpus, isOver } = this.#options;
    coverage?.take(true);
    const loaded = coverage?.reached ?? 0;
    for (const input of this.#corpus) await this.#measured(input);
    const reachedBefore = (coverage?.reached ?? 0) - loaded;
    for (let made = 0; !isOver(made, this.#faults.size) && this.#faults.size < maxFaults; made += batch) {
      const inputs = Array.from({ length: batch }, () => this.#next());
      for (const input of inputs) await this.#tried(input);
      if (coverage !== undefined) await this.#learn(inputs, coverage);
    }
    this.#options.onInput?.(undefined);
    return {
      inputs: this.#inputs,
      corpus: corpus.length + this.#fresh.length,
      fresh: this.#fresh,
      reachedBefore,
      reached: (coverage?.reached ?? 0) - loaded,
      faults: [...this.#faults.values()],
    };
  }

  #next(): Buffer {
    const chance = this.#chance;
    const any = (): Buffer => chance.of(this.#corpus);
    // What has been found last is where there is more to be found.
    const isNew = chance.percent(30) && this.#fresh.length > 0;
    const from = isNew ? chance.of(this.#fresh.slice(-8)).input : any();
    return this.#mutator.next(from, any);
  }

  /** Which of these have reached something, or taken too long. */
  async #learn(inputs: readonly Buffer[], coverage: Coverage): Promise<void> {
    const { fresh, work } = coverage.take(false);
    const most = Math.min(...inputs.map((input) => this.#mostWork(input)));
    if (fresh === 0 && work <= most) return;
    for (const input of inputs) {
      if ((await this.#measured(input)) === 0) continue;
      this.#corpus.push(input);
      this.#fresh.push({ name: hashOf(input), input });
    }
    // Some things happen once, whatever the input is.
    coverage.take(true);
  }

  /** @returns how much it has reached that nothing had */
  async #measured(input: Buffer): Promise<number> {
    const { coverage } = this.#options;
    if (coverage === undefined) {
      await this.#tried(input);
      return 0;
    }
    coverage.take(false);
    this.#inputs += 1;
    const fault = await this.#faultOf(input);
    const { fresh, work } = coverage.take(true);
    if (fault !== undefined) await this.#report(fault);
    if (work > this.#mostWork(input)) await this.#reportWork(input, coverage);
    return fresh;
  }

  async #reportWork(input: Buffer, coverage: Coverage): Promise<void> {
    const key = 'takes more work than its length explains';
    if (this.#faults.has(key)) return;
    const workOf = async (next: Buffer): Promise<number> => {
      coverage.take(true);
      await this.#faultOf(next);
      return coverage.take(true).work;
    };
    const isStill = async (next: Buffer) => (await workOf(next)) > this.#mostWork(next);
    const least = await shrunk(input, isStill, tries.slow);
    const message = `${key}: ${await workOf(least)} blocks of code for ${least.length} bytes`;
    this.#faults.set(key, { key, message, input: least });
  }

  #mostWork({ length }: Buffer): number {
    return freeWork + length * (this.#options.target.workPerByte ?? usualWorkPerByte);
  }

  async #tried(input: Buffer): Promise<void> {
    this.#inputs += 1;
    const fault = await this.#faultOf(input);
    if (fault !== undefined) await this.#report(fault);
  }

  async #faultOf(input: Buffer): Promise<Fault | undefined> {
    const { target, onInput } = this.#options;
    onInput?.(input);
    try {
      // What a parser writes into its input is not to change what comes after.
      await target.run(Buffer.from(input));
    } catch (error) {
      pollution();
      return faultOf(error, input);
    }
    const added = pollution();
    if (added === undefined) return undefined;
    const key = 'pollutes a prototype';
    return { key, message: `${key}: ${added}`, input };
  }

  async #report(fault: Fault): Promise<void> {
    if (this.#faults.has(fault.key)) return;
    this.#faults.set(fault.key, fault);
    const isThis = async (input: Buffer) => (await this.#faultOf(input))?.key === fault.key;
    const input = await shrunk(fault.input, isThis, tries.quick);
    const least = (await this.#faultOf(input)) ?? fault;
    this.#faults.set(fault.key, least.key === fault.key ? least : fault);
  }
}
