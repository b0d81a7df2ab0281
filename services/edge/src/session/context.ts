import type { ConsumerChannels, Publisher, TopologyChannels } from '@evenkeel/broker';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../config.js';
import type { Takeovers } from '../move/takeovers.js';
import type { TopicHub } from '../topic/hub.js';
import type { Directory } from './directory.js';
import type { SessionTally } from './load.js';
import type { Topics } from './ports.js';

/** What every session of this edge shares. */
export interface SessionContext {
  readonly config: EdgeConfig;
  readonly boot: string;
  readonly topology: TopologyChannels;
  readonly consumers: ConsumerChannels;
  readonly publisher: Publisher;
  readonly hub: TopicHub & Pick<Topics, 'fence'>;
  readonly takeovers: Takeovers;
  readonly directory: Directory;
  readonly tally: SessionTally;
  readonly log: Log;
  now(): number;
}
