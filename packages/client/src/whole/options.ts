import type { ConnectOptions as CoreOptions } from '../options.js';

/** Options of {@link connect}. Only `gateway` (or `placement`) is needed. */
export interface ConnectOptions extends CoreOptions {}

/** What the core gets of them: the place for a part that dials otherwise, such as one that replaces `WebSocket`. */
export const coreOptions = (options: ConnectOptions): CoreOptions => ({ ...options });
