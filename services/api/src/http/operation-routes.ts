import type { IncomingMessage, ServerResponse } from 'node:http';
import { jsonBody, Refusal, type Route, sendJsonText } from '@evenkeel/runtime';
import type { z } from 'zod';
import type { Access } from '../access/access.js';
import type { Holder } from '../access/keys.js';
import type { KeyLimits } from '../access/limits.js';
import type { Operation } from '../contract/operations.js';
import { jsonOf, type WrittenJson } from '../contract/written-json.js';
import type { Answers, Done } from '../idempotency/answers.js';
import { fingerprintOf, idempotencyKeyOf, identities } from '../idempotency/key.js';
import { parsed } from './parsed.js';

/** What somebody asks, checked. */
interface Asked<Body, Params = unknown, Query = unknown> {
  readonly holder: Holder;
  /** What the caller has filled into the path. */
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The body as it was written; without one nothing. */
  readonly text: string;
  /** An identity for what has none. */
  readonly newId: () => string;
}

type Part<O extends Operation, Name extends 'body' | 'params' | 'query'> =
  O extends Readonly<Record<Name, infer S extends z.ZodType>> ? z.output<S> : undefined;
type AskedOf<O extends Operation> = Asked<Part<O, 'body'>, Part<O, 'params'>, Part<O, 'query'>>;

/** An operation with what answers it. */
export interface Served {
  readonly operation: Operation;
  readonly pattern: RegExp;
  answer(asked: Asked<unknown>): Promise<unknown>;
  /** Whether a repeat gets the same answer; otherwise it is tried anew. */
  isLasting(answer: unknown): boolean;
}

/** Joins an operation to what answers it. `isLasting`: see {@link Served}; by default every answer is. */
export function serve<const O extends Operation>(
  operation: O,
  answer: (asked: AskedOf<O>) => Promise<z.input<O['answer']> | WrittenJson>,
  isLasting: (answer: z.input<O['answer']>) => boolean = () => true,
): Served {
  return {
    operation,
    pattern: patternOf(operation.path),
    answer: (asked) => answer(asked as AskedOf<O>),
    isLasting: (given) => isLasting(given as z.input<O['answer']>),
  };
}

export interface OperationRoutesOptions {
  readonly served: readonly Served[];
  readonly access: Pick<Access, 'require'>;
  readonly limits: Pick<KeyLimits, 'take' | 'enter'>;
  readonly maxBodyBytes: number;
  readonly answers: Pick<Answers, 'once'>;
  /** What a failure is answered with; whatever is no refusal then is a fault of ours. */
  readonly refusalOf: (error: unknown) => unknown;
  readonly onAnswered: (operation: string, status: number, tookMs: number) => void;
  readonly now: () => number;
}

/** Every operation of the API. */
export class OperationRoutes implements Route {
  readonly isShared = false;
  // The limits are those of the key.
  readonly isFree = true;
  readonly #options: OperationRoutesOptions;

  constructor(options: OperationRoutesOptions) {
    this.#options = options;
  }

  has(path: string): boolean {
    return this.#options.served.some(({ pattern }) => pattern.test(path));
  }

  methods(path: string): readonly string[] {
    return this.#options.served
      .filter(({ pattern }) => pattern.test(path))
      .map(({ operation }) => operation.method);
  }

  /** @throws Refusal */
  async answer(request: IncomingMessage, response: ServerResponse, url: URL, address: string): Promise<void> {
    const { served, access, limits, onAnswered, now } = this.#options;
    const { operation, pattern, answer, isLasting } = found(served, url.pathname, request.method);
    const cameMs = now();
    response.once('close', () => onAnswered(operation.id, response.statusCode, now() - cameMs));
    const holder = access.require(request, operation.scope, address);
    limits.take(holder.name, cameMs);
    const leave = limits.enter(holder.name);
    // Also where the caller has gone before it was answered.
    response.once('close', leave);
    const words = paramsOf(pattern, url.pathname);
    const params = operation.params && parsed(operation.params, words);
    const query = operation.query && parsed(operation.query, queryOf(url.searchParams));
    if (operation.body === undefined) {
      const asked = { holder, params, query, body: undefined, text: '', newId: identities(undefined) };
      return sendJsonText(response, operation.status, (await this.#done(answer(asked), isLasting)).text);
    }
    const given =
      operation.isBodyOptional === true && !hasBody(request)
        ? { bytes: Buffer.alloc(0), text: '', value: {} }
        : await jsonBody(request, this.#options.maxBodyBytes);
    const body = parsed(operation.body, given.value);
    const key = idempotencyKeyOf(request);
    const fingerprint = fingerprintOf(url.pathname, given.bytes);
    const newId = identities(key === undefined ? undefined : { holder: holder.name, key, fingerprint });
    const { text } = given;
    const work = () => this.#done(answer({ holder, params, query, body, text, newId }), isLasting);
    if (key === undefined) return sendJsonText(response, operation.status, (await work()).text);
    const once = this.#options.answers.once(`${holder.name} ${key}`, fingerprint, now(), work);
    if (once.is === 'conflict') {
      const message = 'this Idempotency-Key was used with another path or body; take a new one';
      throw new Refusal(422, 'idempotency-conflict', message);
    }
    const headers = once.is === 'repeat' ? { 'idempotency-replayed': 'true' } : {};
    sendJsonText(response, operation.status, (await once.done).text, headers);
  }

  /** The answer as JSON. @throws Refusal */
  async #done(answering: Promise<unknown>, isLasting: Served['isLasting']): Promise<Done> {
    try {
      const answer = await answering;
      return { text: `${jsonOf(answer)}\n`, isLasting: isLasting(answer) };
    } catch (error) {
      throw this.#options.refusalOf(error);
    }
  }
}

function found(served: readonly Served[], path: string, method: string | undefined): Served {
  const one = served.find(({ operation, pattern }) => operation.method === method && pattern.test(path));
  if (one === undefined) throw new Refusal(404, 'not-found', 'no such path');
  return one;
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

/** @throws Refusal where something is given twice */
function queryOf(given: URLSearchParams): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of given) {
    if (Object.hasOwn(query, name)) throw new Refusal(400, 'bad-request', `${name}: is given twice`);
    query[name] = value;
  }
  return query;
}

function patternOf(path: string): RegExp {
  const literal = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
}

function paramsOf(pattern: RegExp, path: string): Record<string, string> {
  const groups = Object.entries(pattern.exec(path)?.groups ?? {});
  try {
    return Object.fromEntries(groups.map(([name, text]) => [name, decodeURIComponent(text)]));
  } catch {
    throw new Refusal(
      400,
      'bad-url',
      'a word of the path cannot be decoded; encode it as encodeURIComponent does',
    );
  }
}
