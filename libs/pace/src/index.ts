export {
  AddressError,
  areBrokerAddresses,
  areSeveralBrokers,
  brokerAddresses,
  brokerName,
  shuffledAddresses,
} from './addresses.js';
export { Allowance } from './allowance.js';
export { type Backoff, backoffMs } from './backoff.js';
export { type Cell, Cells, CellsError, cellsOf } from './cells.js';
export { monotonicNow, steadyNow, wallNow } from './clock.js';
export { countdown } from './countdown.js';
export { Fifo } from './fifo.js';
export { Groups } from './groups.js';
export { fnv1a, hash32 } from './hash.js';
export { KeyedBuckets } from './keyed-buckets.js';
export { LogLimit } from './log-limit.js';
export { LogLimits } from './log-limits.js';
export { PerCell, type PerCellOptions, someCells } from './per-cell.js';
export { maxTimerMs, sleep, withDeadline } from './sleep.js';
export { setRate, TokenBucket } from './token-bucket.js';
