import type { Mesh, PrivateBroker } from '@evenkeel/local';
import type { Amqp } from './amqp.js';

/** What a case has to play with: a mesh of two edges, and an AMQP client that is not ours. */
export interface Scene {
  readonly broker: PrivateBroker;
  readonly mesh: Mesh;
  readonly gateway: string;
  readonly amqp: Amqp;
  /** How long a session lives without a socket. */
  readonly lifetimeMs: number;
}

export interface Seen {
  readonly isRight: boolean;
  readonly saw: string;
}

/** One small input that once went wrong, for a whole kind of fault. */
export interface Case {
  readonly name: string;
  /** What is right. */
  readonly right: string;
  readonly kind: string;
  readonly run: (scene: Scene) => Promise<Seen>;
}
