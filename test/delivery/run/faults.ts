import { brokers } from './brokers.js';
import type { Fault } from './fault.js';
import { nodes } from './nodes.js';
import { objects } from './objects.js';
import { processes } from './processes.js';
import { sockets } from './sockets.js';
import { statistics } from './statistics.js';
import { ways } from './ways.js';

/** All that can be done to a mesh here, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  ...processes,
  ...ways,
  ...sockets,
  ...brokers,
  ...objects,
  ...nodes,
  ...statistics,
};

/** Those that can be done to so many brokers. */
export const faultsOf = (brokers: number): Readonly<Record<string, Fault>> =>
  Object.fromEntries(
    Object.entries(faults).filter(([, { on }]) => on === undefined || (on === 'one') === (brokers === 1)),
  );
