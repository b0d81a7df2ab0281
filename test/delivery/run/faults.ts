import { brokers } from './brokers.js';
import type { Fault } from './fault.js';
import { processes } from './processes.js';
import { ways } from './ways.js';

/** All that can be done to a mesh here, by name. */
export const faults: Readonly<Record<string, Fault>> = { ...processes, ...ways, ...brokers };
