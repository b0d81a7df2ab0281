import type { Stage } from './stage.js';

/** What is wrong from now on; `end` puts it right, and says what shows that it was so. Undefined: nothing does. */
export interface Held {
  end(): Promise<string | undefined>;
}

/** Something that goes wrong with a mesh under traffic, or is done to it on purpose. */
export interface Fault {
  /** Two faults of one part exclude each other: what the one does would hide what the other does. */
  readonly part:
    | 'edge'
    | 'way'
    | 'broker'
    | 'balancer'
    | 'gateway'
    | 'clients'
    | 'clock'
    | 'statistics'
    | 'addresses';
  /** Where alone it can be done: one broker, or a cluster of several. */
  readonly on?: 'one' | 'cluster';
  /** For how long it holds, ms: as a named fault, and at most in a random schedule. */
  readonly holdMs: number;
  begin(stage: Stage): Promise<Held>;
}
