/** A topic, and what a client wants of it beside its messages. */
export interface WantedTopic {
  topic: string;
  /** Position of the last message that the client has: what came later is sent first. */
  since?: string | undefined;
  /** So many of the newest messages are sent first. */
  last?: number | undefined;
  /** Tells who joins and leaves. */
  presence?: boolean | undefined;
  /** `false`: what this session publishes does not come back to it. */
  echo?: boolean | undefined;
  /** Of `hello`: that a service has put the session into it, as `subscribed` had it. */
  proof?: string | undefined;
}
