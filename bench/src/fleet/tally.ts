import { clock } from './clock.js';
import type { Counts } from './counts.js';
import { Delays } from './delays.js';
import type { DelayKind, Incident } from './messages.js';

const incidentsKept = 100;

const newDelays = (): Record<DelayKind, Delays> => ({
  control: new Delays(),
  controlDuring: new Delays(),
  moved: new Delays(),
  duringMove: new Delays(),
  topics: new Delays(),
  topicsDuring: new Delays(),
  moveTimes: new Delays(),
  connectTimes: new Delays(),
  returnTimes: new Delays(),
});

/** What all clients of a worker count together. */
export class Tally {
  /** Now. */
  connected = 0;
  movesUnderWay = 0;
  /** Since the beginning. */
  delivered = 0;
  topicsDelivered = 0;
  moves = 0;
  misrouted = 0;
  repeatedOnWire = 0;
  readonly disturbances: Counts = {};
  /** Since the last `reset`. */
  disconnects = 0;
  closed = 0;
  socketlessMaxMs = 0;
  connectFailures: Counts = {};
  gaps: Counts = {};
  topicGaps: Counts = {};
  movesFailed: Counts = {};
  eventsPerNode: Counts = {};
  dials: Record<string, Counts> = {};
  delays = newDelays();
  incidents: Incident[] = [];

  incident(user: string, node: string, what: string): void {
    if (this.incidents.length < incidentsKept) this.incidents.push({ atMs: clock(), user, node, what });
  }

  reset(): void {
    this.disconnects = 0;
    this.closed = 0;
    this.socketlessMaxMs = 0;
    this.connectFailures = {};
    this.gaps = {};
    this.topicGaps = {};
    this.movesFailed = {};
    this.eventsPerNode = {};
    this.dials = {};
    this.delays = newDelays();
    this.incidents = [];
  }
}
