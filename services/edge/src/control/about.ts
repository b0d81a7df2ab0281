import type { AboutEdge } from '@evenkeel/protocol';
import { shownSettings } from '@evenkeel/runtime';
import { type EdgeConfig, edgeConfig } from '../config.js';
import { limitSettings } from '../limits.js';
import type { MoveLedger } from '../move/ledger.js';
import type { Room } from '../transport/room.js';

/** Limits that are no protection against one client alone. */
const sizes: readonly string[] = [
  'capacity',
  'window',
  'maxPayloadBytes',
  'maxEventBytes',
  'highWatermarkBytes',
  'maxBufferedBytes',
  'maxTopics',
  'sessionMaxLength',
];

export interface AboutOptions {
  config: EdgeConfig;
  room: Pick<Room, 'capacity' | 'maxPending'>;
  ledger: Pick<MoveLedger, 'counts'>;
}

/** What this edge says of itself to operators: its limits and settings, without secrets, and what it has counted. */
export function aboutEdge({ config, room, ledger }: AboutOptions): AboutEdge {
  const limits: AboutEdge['limits'] = {};
  const settings: AboutEdge['settings'] = {};
  for (const [name, value] of Object.entries(shownSettings(edgeConfig, config))) {
    const isLimit = name in limitSettings || sizes.includes(name);
    if (isLimit && typeof value === 'number') limits[name] = value;
    else settings[name] = value;
  }
  const { done, failed } = ledger.counts;
  return {
    limits: { ...limits, capacity: room.capacity, maxPending: room.maxPending },
    settings,
    movesByOutcome: { done, failed },
  };
}
