/** Who is handed messages one by one. */
export interface Singles {
  /**
   * What comes by this name is handed to `single` one by one, once however many names it comes by. `hasEcho`: also what its own
   * session has published.
   */
  add(name: string, single: Single, hasEcho: boolean): void;
  remove(name: string, single: Single): void;
  /** Of a topic that is subscribed: no pattern brings its messages, until `unmute`. */
  mute(topic: string, single: Single): void;
  unmute(topic: string, single: Single): void;
}

/** A connection with topics that overlap, or that does not want its own messages. */
export interface Single {
  /** `<uid>.<sid>` */
  readonly session: string;
  /** Sends it the frame of a message, or drops it where the client is too far behind. */
  offer(frame: string): void;
}
