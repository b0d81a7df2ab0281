import type { WantedTopic, WelcomeFrame } from '@evenkeel/protocol/wire';
import type { CallKind } from '../calls/calls.js';
import type { Status } from '../status.js';
import type { EdgeSocket } from '../transport/edge-socket.js';

/** A frame as it has come: of an unknown kind nobody has looked at the fields. */
export interface AnyFrame {
  readonly t: string;
  readonly [field: string]: unknown;
}

/** What parts may add to `hello`. */
export interface HelloAdds {
  /** What is wanted, from which a part may make objects; it must leave the names in place. */
  topics: (string | WantedTopic)[];
  [field: string]: unknown;
}

/**
 * One thing that the whole client can and the core cannot, such as history. It is joined to the core at these places alone; each is
 * asked in the order of the parts, and all are optional. How to write one: more/README.md.
 */
export interface Part {
  /** Adds to `hello`: on a first socket, in a move, after a loss. */
  hello?(adds: HelloAdds, socket: EdgeSocket): void;
  /** A frame has come. True: it was this part's; neither the parts behind it nor the core see it. */
  received?(socket: EdgeSocket, frame: AnyFrame): boolean | undefined;
  /** `socket` is the one that delivers from now on; the core has taken its `welcome`. */
  welcomed?(socket: EdgeSocket, frame: WelcomeFrame): void;
  /** Fields that a call of the core, such as a `subscribe`, takes along. */
  call?(kind: CallKind, name: string): object | undefined;
  /** An edge has answered a call with `ok`, and `data`. */
  answered?(kind: CallKind, name: string, data: unknown): void;
  /** A status is about to be told: `disconnected` and `closed` among them. True: it is not told. */
  status?(status: Status): boolean | undefined;
}
