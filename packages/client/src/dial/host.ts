import type { Placement } from '@evenkeel/protocol/wire';
import type { ClientError } from '../errors.js';
import type { StatusFeed } from '../status.js';
import type { DialOptions } from './options.js';

/** Who attempts, and learns what came of them. */
export interface AttemptHost {
  readonly options: DialOptions;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly session: string | undefined;
  readonly resume: string | undefined;
  readonly from: readonly string[];
  readonly statusFeed: StatusFeed;
  placed(placement: Placement): void;
  /** The newest that says what the user may do. */
  pass: string | undefined;
  /** Resolves with what the edge answers to a new token. */
  exchange(token: string, signal: AbortSignal): Promise<unknown>;
  /** Trying again is no use. */
  refused(error: ClientError): void;
}
