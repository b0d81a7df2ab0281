import type { TicketClaims } from '@evenkeel/ticket';
import type { EdgeConfig } from '../config.js';
import { welcomeFrame } from '../frame/frames.js';
import type { SessionQueue } from './ports.js';

export interface WelcomeOptions {
  readonly config: EdgeConfig;
  /** Names one more connection of this process; `generation`: the number of its session's queue. */
  newConnectionId(generation: number): string;
}

/** The frame that welcomes a client to its session. */
export function welcome(
  { sid }: Pick<TicketClaims, 'sid'>,
  isResumed: boolean,
  connection: string,
  { generation }: Pick<SessionQueue, 'generation'>,
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
    generation,
  });
}
