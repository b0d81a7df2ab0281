import { areBrokerAddresses } from './addresses.js';
import { hash32, mix32 } from './hash.js';

/** Cells of a map. */
const maxCells = 1_000;
/** Users with a cell of their own choice. */
const maxUsers = 100_000;
/** The text of a map: bytes of its file. */
const maxBytes = 8_388_608;

/**
 * A text that is no map of cells. The message says which part of it is wrong, and shows no password.
 * @example
 * try {
 *   new CellMap('{}');
 * } catch (error) {
 *   if (error instanceof CellsError) console.log(error.code, error.message); // bad-cells
 * }
 */
export class CellsError extends Error {
  readonly code = 'bad-cells';

  constructor(message: string) {
    super(message);
    this.name = 'CellsError';
  }
}

/** A mesh with a RabbitMQ of its own, one of several. */
export interface Cell {
  readonly name: string;
  readonly amqpUrl: string;
  /** Which part of the users it has, in proportion to the others; 0: none. */
  readonly weight: number;
  /** What the weight was until lately: users may have sessions where that put them. The same: nothing changes. */
  readonly was: number;
}

interface Place {
  readonly cell: string;
  readonly was?: string | undefined;
}

/**
 * Which user is in which of several cells, the same in every process and language that reads the same map. By rendezvous hashing: a cell
 * that gets more weight takes users from each of the others, one that gets less gives to each, and nobody else changes.
 * Source: Thaler, Ravishankar, "A Name-Based Mapping Scheme for Rendezvous" (1996); weights: Schindelhauer, Schomaker (2005).
 */
export class Cells {
  /** In the order of their names. */
  readonly all: readonly Cell[];
  readonly #now: Shares;
  /** Undefined: no weight changes. */
  readonly #before: Shares | undefined;
  readonly #users: ReadonlyMap<string, Place>;

  private constructor(all: readonly Cell[], users: ReadonlyMap<string, Place>) {
    this.all = all;
    this.#now = new Shares(all.map(({ name, weight }) => [name, weight]));
    const isChanging = all.some(({ weight, was }) => weight !== was);
    this.#before = isChanging ? new Shares(all.map(({ name, was }) => [name, was])) : undefined;
    this.#users = users;
  }

  /** Reads a map as docs/scale.md has it. @throws CellsError */
  static read(text: string): Cells {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new CellsError('the map of cells is no JSON');
    }
    const { cells, users = {}, ...others } = fieldsOf('the map', value);
    refuseOthers('the map', others, 'cells and users');
    const all = Object.entries(fieldsOf('cells', cells)).map(([name, cell]) => cellOf(name, cell));
    if (all.length > maxCells) throw new CellsError(`a map has at most ${maxCells} cells`);
    for (const field of ['weight', 'was'] as const)
      if (!all.some((cell) => cell[field] > 0)) throw new CellsError(`no cell has a ${field} above 0`);
    all.sort((a, b) => (a.name < b.name ? -1 : 1));
    const names = new Set(all.map(({ name }) => name));
    const places = Object.entries(fieldsOf('users', users));
    if (places.length > maxUsers) throw new CellsError(`a map names at most ${maxUsers} users`);
    return new Cells(all, new Map(places.map(([user, place]) => [user, placeOf(user, place, names)])));
  }

  get(name: string): Cell | undefined {
    return this.all.find((cell) => cell.name === name);
  }

  /** The cell that a user's clients are sent to. `user`: the plain id. */
  homeOf(user: string): string {
    return this.#users.get(user)?.cell ?? this.#now.pick(hash32(user));
  }

  /** The cells in which a user may have sessions: first that which clients are sent to, then the one before, while the map names it. */
  of(user: string): readonly string[] {
    const own = this.#users.get(user);
    const home = this.homeOf(user);
    const before = own === undefined ? this.#before?.pick(hash32(user)) : own.was;
    return before === undefined || before === home ? [home] : [home, before];
  }
}

/** Parts of all users, by weight. */
class Shares {
  readonly #names: readonly string[];
  readonly #seeds: Int32Array;
  readonly #weights: Float64Array;

  constructor(weights: readonly (readonly [string, number])[]) {
    const some = weights.filter(([, weight]) => weight > 0);
    this.#names = some.map(([name]) => name);
    this.#seeds = Int32Array.from(some, ([name]) => hash32(name));
    this.#weights = Float64Array.from(some, ([, weight]) => weight);
  }

  /** Each cell draws a time for the user, the sooner the more weight it has; the first one has the user. */
  pick(hash: number): string {
    let first = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let n = 0; n < this.#seeds.length; n++) {
      // Above 0, and at most 1.
      const drawn = (mix32(hash ^ (this.#seeds[n] ?? 0)) + 1) / 2 ** 32;
      const time = -Math.log(drawn) / (this.#weights[n] ?? 1);
      if (time >= least) continue;
      least = time;
      first = n;
    }
    return this.#names[first] ?? '';
  }
}

/**
 * The map that a setting gives: JSON, or the path of a file with it. `read` gives what is in a file of at most so many bytes.
 * @throws CellsError
 */
export function cellsOf(setting: string, read: (path: string, maxBytes: number) => string): Cells {
  if (setting.trimStart().startsWith('{')) return Cells.read(setting);
  let text: string;
  try {
    text = read(setting, maxBytes);
  } catch (error) {
    throw new CellsError(error instanceof Error ? error.message : String(error));
  }
  return Cells.read(text);
}

function cellOf(name: string, value: unknown): Cell {
  if (!/^[\w-]{1,32}$/.test(name))
    throw new CellsError(`"${name.slice(0, 64)}" names no cell; use 1 to 32 of A-Z a-z 0-9 _ -`);
  const { amqpUrl, weight = 1, was = weight, ...others } = fieldsOf(`cell ${name}`, value);
  refuseOthers(`cell ${name}`, others, 'amqpUrl, weight and was');
  if (typeof amqpUrl !== 'string' || !areBrokerAddresses(amqpUrl))
    throw new CellsError(`amqpUrl of cell ${name} takes one or more amqp:// or amqps:// URLs`);
  if (!isWeight(weight) || !isWeight(was))
    throw new CellsError(`weight and was of cell ${name} take numbers from 0 to 1000`);
  return { name, amqpUrl, weight, was };
}

function placeOf(user: string, value: unknown, names: ReadonlySet<string>): Place {
  const { cell, was, ...others } =
    typeof value === 'string' ? { cell: value } : fieldsOf(`user ${user}`, value);
  refuseOthers(`user ${user}`, others, 'cell and was');
  const isCell = (name: unknown): name is string => typeof name === 'string' && names.has(name);
  if (!isCell(cell) || (was !== undefined && !isCell(was)))
    throw new CellsError(`user ${user} is in a cell that the map does not name`);
  return { cell, ...(was !== undefined && { was }) };
}

const isWeight = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1_000;

function fieldsOf(what: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new CellsError(`${what} takes an object`);
}

function refuseOthers(what: string, others: object, known: string): void {
  const [other] = Object.keys(others);
  if (other !== undefined) throw new CellsError(`${what} has ${other}; there are ${known}`);
}
