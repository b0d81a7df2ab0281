import { maxTimerMs } from '@evenkeel/pace';
import { defineMesh, kindOf, type MeshDefinition } from '@evenkeel/protocol/wire';
import { PublisherError } from './errors.js';
import { defaultGraceMs, maxGraceMs } from './queues.js';
import type { CellPublisherOptions, CreatePublisherOptions, HandlingOrder, ServeOptions } from './types.js';

/** How something is served, with its defaults. */
export interface Serving {
  readonly queue: string | undefined;
  readonly graceMs: number;
  readonly order: HandlingOrder;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly handlerTimeoutMs: number;
  readonly retryDelaysMs: readonly number[];
  readonly remember: number;
}

const orders: readonly string[] = ['session', 'key', 'none'] satisfies HandlingOrder[];

/** @throws PublisherError `bad-option`. */
export function servingOf(options: ServeOptions): Serving {
  const { queue, order = 'session', retryDelaysMs = [1_000, 5_000], durable } = options;
  if (queue !== undefined) checkText('queue', queue);
  if (!orders.includes(order)) throw badOption('order', order, `one of ${orders.join(', ')}`);
  if (!Array.isArray(retryDelaysMs)) throw badOption('retryDelaysMs', retryDelaysMs, 'an array of ms');
  for (const ms of retryDelaysMs) number('retryDelaysMs', ms, 0, maxTimerMs);
  const graceMs = options.graceMs ?? (durable ? Number.POSITIVE_INFINITY : defaultGraceMs);
  if (
    durable !== undefined &&
    (graceMs === Number.POSITIVE_INFINITY) !== durable &&
    options.graceMs !== undefined
  )
    throw badOption('durable', durable, 'graceMs alone, Infinity for ever');
  const concurrency = number('concurrency', options.concurrency ?? 16, 1, 65_535);
  return {
    queue,
    order,
    retryDelaysMs,
    concurrency,
    graceMs: orInfinity('graceMs', graceMs, 0, maxGraceMs),
    prefetch: number('prefetch', options.prefetch ?? Math.max(256, concurrency), 1, 65_535),
    handlerTimeoutMs: orInfinity('handlerTimeoutMs', options.handlerTimeoutMs ?? 30_000, 1, maxTimerMs),
    remember: number('remember', options.remember ?? 1_000, 0, 1_000_000),
  };
}

/** @throws PublisherError `bad-option`. */
export function checkPublisherOptions(options: CreatePublisherOptions | CellPublisherOptions): void {
  const { name, attempts, timeoutMs, window, closeTimeoutMs, mesh } = options;
  if (mesh !== undefined) checkMesh(mesh);
  checkText('name', name);
  if (attempts !== undefined) orInfinity('attempts', attempts, 1, Number.MAX_SAFE_INTEGER);
  if (timeoutMs !== undefined) orInfinity('timeoutMs', timeoutMs, 1, maxTimerMs);
  if (window !== undefined) number('window', window, 1, 1_000_000);
  if (closeTimeoutMs !== undefined) number('closeTimeoutMs', closeTimeoutMs, 0, maxTimerMs);
}

function checkMesh(mesh: MeshDefinition): void {
  try {
    defineMesh(mesh);
  } catch (error) {
    throw new PublisherError('bad-option', `mesh is none: ${String(error)}`, error);
  }
}

function checkText(option: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw badOption(option, value, 'a string that is not empty');
}

function orInfinity(option: string, value: number, least: number, most: number): number {
  return value === Number.POSITIVE_INFINITY ? value : number(option, value, least, most, ', or Infinity');
}

function number(option: string, value: number, least: number, most: number, or = ''): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw badOption(option, value, `a whole number from ${least} to ${most}${or}`);
}

function badOption(option: string, value: unknown, wanted: string): PublisherError {
  const given = typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
  return new PublisherError('bad-option', `${option} is ${value === '' ? 'empty' : given}; give ${wanted}`);
}
