import type { Control } from '@evenkeel/mesh';
import { type CommandOf, maxSessionsInReply } from '@evenkeel/protocol';
import type { Life } from '../life/life.js';
import type { EdgeNode } from '../node.js';
import type { Directory, Listed } from '../session/directory.js';
import type { Connection } from '../transport/connection.js';

/** A session as it is told of. */
export interface Locatable extends Listed {
  /** 0: not yet. */
  readonly attachedAtMs: number;
  readonly connection: Pick<Connection, 'openedAtMs' | 'isBare' | 'address'>;
  readonly outbox: { readonly unacked: number };
  /** `opened`: it has not said hello. */
  readonly state: string;
  end(reason: 'disconnected'): void;
}

export interface WhereaboutsOptions {
  node: Pick<EdgeNode, 'name' | 'boot'>;
  directory: Pick<Directory<Locatable>, 'ofUser' | 'tracked'>;
  control: Pick<Control, 'reply'>;
  life: Pick<Life, 'endAway'>;
}

/** A user's sessions here: where they are, and their end. */
export class Whereabouts {
  readonly #options: WhereaboutsOptions;

  constructor(options: WhereaboutsOptions) {
    this.#options = options;
  }

  answer({ ask, reply, uid }: CommandOf<'where'> | CommandOf<'disconnect'>): void {
    const { node, directory, control } = this.#options;
    const silent = this.#sockets(uid).filter((session) => session.state === 'opened');
    const sessions = [...directory.ofUser(uid), ...silent].slice(0, maxSessionsInReply).map((session) => ({
      session: session.claims.sid,
      node: node.name,
      since: session.attachedAtMs || session.connection.openedAtMs,
      unacked: session.outbox.unacked,
      isBare: session.connection.isBare,
      address: session.connection.address,
    }));
    // Lost, it is not missed: the asker tells which edges were silent.
    control.reply(reply, { ask, node: node.name, boot: node.boot, sessions }).catch(() => {});
  }

  /** Ends them, those without a connection too, and closes sockets that have not said hello. */
  end(uid: string): void {
    const { directory, life } = this.#options;
    for (const session of new Set([...directory.ofUser(uid), ...this.#sockets(uid)]))
      session.end('disconnected');
    life.endAway((who) => who.uid === uid, 'disconnected');
  }

  #sockets(uid: string): Locatable[] {
    return [...this.#options.directory.tracked()].filter((session) => session.claims.uid === uid);
  }
}
