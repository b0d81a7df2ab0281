import type { EdgeConfig } from '../config.js';
import { welcomeFrame } from '../frame/frames.js';

/** The frame that welcomes a client to its session. */
export function welcome(sid: string, isResumed: boolean, config: EdgeConfig): string {
  const { node, heartbeatMs, window } = config;
  return welcomeFrame({ session: sid, node, resumed: isResumed, heartbeatMs, window });
}
