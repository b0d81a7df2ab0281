import { Allowance } from '@evenkeel/pace';

export interface UserLimits {
  readonly maxSocketsPerUser: number;
  /** However low those of a user are, one connection may send as many. */
  readonly framesPerSecond: number;
  readonly framesBurst: number;
  readonly userFramesPerSecond: number;
  readonly userFramesBurst: number;
  readonly userBytesPerSecond: number;
  readonly userBytesBurst: number;
  /** However low the others are, one frame of this length is taken. */
  readonly maxPayloadBytes: number;
  readonly userTopicsPerSecond: number;
  readonly userTopicsBurst: number;
}

/** Users without a socket that are remembered, so that nobody begins anew by coming back. */
const maxPast = 10_000;

/** New tokens of one user: more than its sockets at once are no use. */
const refreshes = { perSecond: 2, burst: 128 } as const;

/** What one user has of this edge, over all connections. */
export class UserUse {
  sockets = 0;
  /** Of publishes and requests that the broker does not have yet. */
  waitingBytes = 0;
  /** Of what it sends. */
  readonly bytes: Allowance;
  /** Names of topics that the edge does not have yet. */
  readonly topicNames: Allowance;
  readonly #limits: UserLimits;
  readonly #now: () => number;
  #frames: Allowance | undefined;
  #refreshes: Allowance | undefined;

  constructor(limits: UserLimits, now: () => number) {
    this.#limits = limits;
    this.bytes = new Allowance(
      limits.userBytesPerSecond,
      Math.max(limits.userBytesBurst, limits.maxPayloadBytes),
      now,
    );
    this.topicNames = new Allowance(limits.userTopicsPerSecond, limits.userTopicsBurst, now);
    this.#now = now;
  }

  /** Frames that it sends, of every connection. Most users only acknowledge. */
  get frames(): Allowance {
    const { framesPerSecond, framesBurst, userFramesPerSecond, userFramesBurst } = this.#limits;
    this.#frames ??= new Allowance(
      Math.max(framesPerSecond, userFramesPerSecond),
      Math.max(framesBurst, userFramesBurst),
      this.#now,
    );
    return this.#frames;
  }

  /** New tokens. Most users never bring one. */
  get refreshes(): Allowance {
    this.#refreshes ??= new Allowance(refreshes.perSecond, refreshes.burst, this.#now);
    return this.#refreshes;
  }
}

/** The users of this edge, each counted over all connections. */
export class Users {
  readonly #limits: UserLimits;
  readonly #now: () => number;
  readonly #present = new Map<string, UserUse>();
  /** Those without a socket, oldest first. */
  readonly #past = new Map<string, UserUse>();
  /** Upgrades refused. */
  refused = 0;

  constructor(limits: UserLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Whether the user may have one more socket; counts where not. */
  hasRoom(uid: string): boolean {
    const hasRoom = (this.#present.get(uid)?.sockets ?? 0) < this.#limits.maxSocketsPerUser;
    if (!hasRoom) this.refused += 1;
    return hasRoom;
  }

  /** A socket of the user has opened. */
  enter(uid: string): UserUse {
    const use = this.#present.get(uid) ?? this.#past.get(uid) ?? new UserUse(this.#limits, this.#now);
    this.#past.delete(uid);
    this.#present.set(uid, use);
    use.sockets += 1;
    return use;
  }

  /** It has closed. */
  leave(uid: string): void {
    const use = this.#present.get(uid);
    if (!use) return;
    use.sockets -= 1;
    if (use.sockets > 0) return;
    this.#present.delete(uid);
    this.#past.set(uid, use);
    if (this.#past.size <= maxPast) return;
    const [oldest] = this.#past.keys();
    if (oldest !== undefined) this.#past.delete(oldest);
  }
}
