import type { Control } from '@evenkeel/mesh';
import {
  type AboutEdge,
  type CloseCode,
  type CommandOf,
  closeCodes,
  type EdgeReply,
  isMeantBy,
  maxHeldInReply,
  maxSessionsInReply,
} from '@evenkeel/protocol';
import type { Life } from '../life/life.js';
import type { SessionPast } from '../life/past.js';
import type { EdgeNode } from '../node.js';
import type { Directory, Listed } from '../session/directory.js';
import type { Connection } from '../transport/connection.js';

/** A session as it is told of. */
export interface Locatable extends Listed {
  readonly claims: Listed['claims'] & { readonly epoch: number };
  /** 0: not yet. */
  readonly attachedAtMs: number;
  readonly connection: Pick<Connection, 'openedAtMs' | 'isOpen' | 'isBare' | 'address'>;
  /** The id of its connection; empty: it has none yet. */
  readonly name: string;
  readonly topics: number;
  readonly outbox: { readonly unacked: number };
  readonly pin: { readonly isHeld: boolean };
  readonly intake: { readonly ackedAtMs: number | undefined };
  /** `opened`: it has not said hello. */
  readonly state: string;
  end(reason: 'disconnected', why?: CloseCode): void;
}

export interface WhereaboutsOptions {
  node: Pick<EdgeNode, 'name' | 'boot'>;
  directory: Pick<Directory<Locatable>, 'ofUser' | 'tracked' | 'trackedOf' | 'find' | 'values'>;
  control: Pick<Control, 'reply'>;
  life: Pick<Life, 'endAway' | 'awayOf'>;
  past: Pick<SessionPast, 'of'>;
  about(): AboutEdge;
}

type Shown = EdgeReply['sessions'][number];
type Asked = { readonly ask: string; readonly reply: string };

/** How often some of everybody are sent back, ms. */
const tickMs = 50;

/** Sessions here: where they are, what has happened to them, and their end. */
export class Whereabouts {
  readonly #options: WhereaboutsOptions;
  #sending: NodeJS.Timeout | undefined;

  constructor(options: WhereaboutsOptions) {
    this.#options = options;
  }

  /** Those of a user. */
  answer({ uid, ...asked }: Asked & { readonly uid: string }): void {
    const { directory } = this.#options;
    const silent = directory.trackedOf(uid).filter(({ state }) => state === 'opened');
    const here = [...directory.ofUser(uid), ...silent].map((session) => this.#shown(session));
    this.#reply(asked, { sessions: [...here, ...this.#away((who) => who.uid === uid, uid)] });
  }

  /** One, with what has happened to it here. */
  inspect({ session, ...asked }: CommandOf<'inspect'>): void {
    const past = this.#options.past.of(session);
    this.#reply(asked, { sessions: this.#named(session), ...(past === undefined ? {} : { past }) });
  }

  /** What this edge is, and some of whom it holds: first those that the front keeps here. */
  describe(asked: CommandOf<'describe'>): void {
    const { directory, about } = this.#options;
    const pinned: Locatable[] = [];
    const others: Locatable[] = [];
    for (const session of directory.values()) {
      if (pinned.length === maxHeldInReply) break;
      if (session.pin.isHeld) pinned.push(session);
      else if (others.length < maxHeldInReply) others.push(session);
    }
    const held = [...pinned, ...others].slice(0, maxHeldInReply);
    this.#reply(asked, { sessions: held.map((session) => this.#shown(session)), about: about() });
  }

  /** Ends a user's sessions, or one, those without a connection too, and closes sockets that have not said hello. */
  disconnect({ uid, session, ...asked }: CommandOf<'disconnect'>): void {
    if (uid !== undefined) {
      this.answer({ uid, ...asked });
      this.#end((who) => who.uid === uid);
    } else if (session !== undefined) {
      this.#reply(asked, { sessions: this.#named(session) });
      this.#end(isMeantBy(session));
    }
  }

  /** The same, and their clients come back through the gateway: at once, or everybody at a pace. */
  sendBack({ uid, session, ratePerSecond = 100, ...asked }: CommandOf<'send-back'>): void {
    if (uid !== undefined) {
      this.answer({ uid, ...asked });
      this.#end((who) => who.uid === uid, closeCodes.drained);
    } else if (session !== undefined) {
      this.#reply(asked, { sessions: this.#named(session) });
      this.#end(isMeantBy(session), closeCodes.drained);
    } else {
      this.#reply(asked, { sessions: [] });
      this.#sendAllBack(ratePerSecond);
    }
  }

  /** Those that are here now: who comes meanwhile has been sent here. */
  #sendAllBack(ratePerSecond: number): void {
    clearInterval(this.#sending);
    const all = [...this.#options.directory.tracked()].values();
    this.#options.life.endAway(() => true, 'disconnected');
    let due = 0;
    this.#sending = setInterval(() => {
      for (due += (ratePerSecond * tickMs) / 1_000; due >= 1; due -= 1) {
        const { value: session, done } = all.next();
        if (done) return clearInterval(this.#sending);
        session.end('disconnected', closeCodes.drained);
      }
    }, tickMs);
    this.#sending.unref();
  }

  #named(session: string): Shown[] {
    const { directory } = this.#options;
    const here = directory.find(session);
    const isMeant = isMeantBy(session);
    const silent = this.#sockets(isMeant).filter((each) => each.state === 'opened' && each !== here);
    const shown = [...(here === undefined ? [] : [here]), ...silent].map((each) => this.#shown(each));
    return [...shown, ...this.#away(isMeant)];
  }

  #end(isMeant: (who: Listed['claims']) => boolean, why?: CloseCode): void {
    const held = [...this.#options.directory.values()].filter(({ claims }) => isMeant(claims));
    for (const session of new Set([...held, ...this.#sockets(isMeant)])) session.end('disconnected', why);
    this.#options.life.endAway(isMeant, 'disconnected');
  }

  #sockets(isMeant: (claims: Listed['claims']) => boolean): Locatable[] {
    return [...this.#options.directory.tracked()].filter(({ claims }) => isMeant(claims));
  }

  /** Those without a connection that this edge sees to. */
  #away(isMeant: (who: Listed['claims']) => boolean, uid?: string): Shown[] {
    const { life, node } = this.#options;
    return life.awayOf(isMeant, uid).map((who) => ({
      session: who.sid,
      node: node.name,
      uid: who.uid,
      since: who.sinceMs,
      unacked: 0,
      isBare: false,
      isAttached: false as const,
      generation: who.epoch,
    }));
  }

  #shown(session: Locatable): Shown {
    const { claims, connection, outbox, intake, name, topics } = session;
    const { ackedAtMs } = intake;
    return {
      session: claims.sid,
      node: this.#options.node.name,
      uid: claims.uid,
      since: session.attachedAtMs || connection.openedAtMs,
      unacked: outbox.unacked,
      isBare: connection.isBare,
      address: connection.address,
      topics,
      generation: claims.epoch,
      ...(connection.isOpen ? {} : { isAttached: false as const }),
      ...(name === '' ? {} : { connection: name }),
      ...(ackedAtMs === undefined ? {} : { lastAckAt: ackedAtMs }),
    };
  }

  #reply({ ask, reply }: Asked, { sessions, ...rest }: Pick<EdgeReply, 'sessions' | 'past' | 'about'>): void {
    const { node, control } = this.#options;
    const shown = sessions.slice(0, maxSessionsInReply);
    // Lost, it is not missed: the asker tells which edges were silent.
    control.reply(reply, { ask, node: node.name, boot: node.boot, sessions: shown, ...rest }).catch(() => {});
  }
}
