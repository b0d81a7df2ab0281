/** What a tab and the worker that has its client say to each other. */

/** A `MessagePort`, as far as it is used. */
export interface Port {
  onmessage: ((message: { data: unknown }) => unknown) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Of a client that many tabs share: what can be sent to a worker. */
export interface TabSettings {
  readonly gateway: string;
  readonly user?: string | undefined;
}
/** The session, for a worker that comes after this one. */
export interface KeptSession {
  readonly session: string;
  readonly resume?: string | undefined;
}

/** An error on its way. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly source: 'client' | 'mesh' | 'service';
}

export type FromTab =
  | {
      t: 'open';
      settings: TabSettings;
      hasToken: boolean;
      lastSession?: KeptSession | undefined;
    }
  /** A lock that the tab holds from now on, as long as it lives. */
  | { t: 'lock'; lock: string }
  | { t: 'on'; name: string }
  | { t: 'off'; name: string }
  /** The handlers of an event have settled. */
  | { t: 'done'; n: number }
  | { t: 'call'; id: number; kind: 'publish' | 'request'; name: string; data: unknown; options: object }
  | { t: 'subscribe'; id: number; topic: string; options: object }
  | { t: 'unsubscribe'; id: number }
  | { t: 'token'; token?: string; error?: string }
  | { t: 'bye' };

export type ToTab =
  | { t: 'state'; state: 'connecting' | 'connected' | 'closed'; lastSession?: KeptSession | undefined }
  | { t: 'status'; status: object }
  | { t: 'event'; n: number; event: object }
  | { t: 'message'; id: number; message: object }
  | { t: 'answer'; id: number; value?: unknown; error?: Told }
  | { t: 'token' };
