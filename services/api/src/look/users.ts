import type { PresenceCopy } from '@evenkeel/mesh';
import type { UserOnline } from '../contract/users.js';
import { requireReady } from './topics.js';

export interface UserLooksOptions {
  readonly presence: Pick<PresenceCopy, 'user'>;
  /** True, or why what is known here may be old. */
  readonly readiness: () => true | string;
}

/** Where users are. */
export class UserLooks {
  readonly #options: UserLooksOptions;

  constructor(options: UserLooksOptions) {
    this.#options = options;
  }

  /** Every edge is asked. @throws Refusal `unavailable`; NameError */
  async user(id: string): Promise<UserOnline> {
    requireReady(this.#options.readiness());
    const { sessions, ...rest } = await this.#options.presence.user(id);
    return { ...rest, sessions: [...sessions], nodes: [...new Set(sessions.map(({ node }) => node))] };
  }
}
