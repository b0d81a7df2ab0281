import { infoText, isTopic } from '@evenkeel/protocol';
import type { Connection } from '../transport/connection.js';
import type { Place, Presence, PresenceKept } from './ports.js';

/** How a connection leaves a topic. `lost`: its client may come back; `moved`: it goes on at another edge. */
export type LeavingHow = 'left' | 'lost' | 'moved';

interface Joined {
  readonly place: Place | undefined;
  readonly watch: { readonly name: string; end(): void } | undefined;
}

/** Where one connection's session is present, and which topics' members it is told of. */
export class SessionPresence {
  readonly #connection: Pick<Connection, 'claims' | 'subscribe' | 'unsubscribe'>;
  readonly #presence: Presence;
  readonly #tokenInfo: () => unknown;
  readonly #joined = new Map<string, Joined>();
  /** What its client says of itself, as JSON text. */
  #info: string | undefined;
  #online: Place | undefined;

  /** `tokenInfo`: what the user's token says of the user. */
  constructor(
    connection: Pick<Connection, 'claims' | 'subscribe' | 'unsubscribe'>,
    presence: Presence,
    tokenInfo: () => unknown,
  ) {
    this.#connection = connection;
    this.#presence = presence;
    this.#tokenInfo = tokenInfo;
  }

  /** What its client has said of itself in hello. */
  present(info: unknown): void {
    this.#info = infoText(info);
  }

  /** What others are told of the session, as JSON text: the token's word, or the client's where that is allowed. */
  info(kept: PresenceKept = true): string | undefined {
    return infoText(this.#tokenInfo()) ?? (kept === 'claim' ? undefined : this.#info);
  }

  /** It is attached. */
  welcomed(): void {
    this.#online ??= this.#presence.attached(this.#connection.claims);
  }

  /** Its connection has it no more. */
  over(how: LeavingHow): void {
    this.#online?.leave(how);
  }

  /** It has the topic now, and its client is told of the members if it `wants` to be. */
  joined(topic: string, wants: boolean): void {
    const connection = this.#connection;
    const presence = this.#presence;
    // Who listens to a pattern is in none of its topics.
    const kept = isTopic(topic) && presence.kept(topic);
    if (kept === false || this.#joined.has(topic)) return;
    const watch = wants ? presence.watch(topic) : undefined;
    if (watch !== undefined) connection.subscribe(watch.name);
    this.#joined.set(topic, { place: presence.enter(topic, connection.claims, this.info(kept)), watch });
  }

  /** From now on its client is told of the members, or not any more. */
  wants(topic: string, wants: boolean): void {
    const joined = this.#joined.get(topic);
    if (joined === undefined || wants === (joined.watch !== undefined)) return;
    const connection = this.#connection;
    const presence = this.#presence;
    const watch = wants ? presence.watch(topic) : undefined;
    if (watch !== undefined) connection.subscribe(watch.name);
    else this.#unwatch(joined);
    this.#joined.set(topic, { place: joined.place, watch });
  }

  /** It does not have the topic any more. */
  ended(topic: string, how: LeavingHow): void {
    const joined = this.#joined.get(topic);
    if (joined === undefined) return;
    this.#joined.delete(topic);
    this.#unwatch(joined);
    joined.place?.leave(how);
  }

  #unwatch({ watch }: Joined): void {
    if (watch === undefined) return;
    watch.end();
    this.#connection.unsubscribe(watch.name);
  }
}
