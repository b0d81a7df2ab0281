import type { EdgeConfig } from '../config.js';
import { welcomeFrame } from '../frame/frames.js';

export interface WelcomeOptions {
  readonly config: EdgeConfig;
  /** Names one more connection of this process. */
  newConnectionId(): string;
}

/** The frame that welcomes a client to its session. */
export function welcome(
  sid: string,
  isResumed: boolean,
  connection: string,
  { config }: Pick<WelcomeOptions, 'config'>,
): string {
  const { node, heartbeatMs, window, framesPerSecond, framesBurst, maxTopics, maxPayloadBytes } = config;
  return welcomeFrame({
    session: sid,
    node,
    resumed: isResumed,
    heartbeatMs,
    window,
    connection,
    limits: { framesPerSecond, burst: framesBurst, maxTopics, maxFrameBytes: maxPayloadBytes },
    // Every session has the queue that it began with.
    generation: 0,
  });
}
