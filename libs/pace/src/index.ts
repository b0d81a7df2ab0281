export { AddressError, areBrokerAddresses, brokerAddresses } from './addresses.js';
export { type Backoff, backoffMs } from './backoff.js';
export { monotonicNow, steadyNow, wallNow } from './clock.js';
export { countdown } from './countdown.js';
export { Fifo } from './fifo.js';
export { fnv1a, hash32 } from './hash.js';
export { LogLimit } from './log-limit.js';
export { maxTimerMs, sleep, withDeadline } from './sleep.js';
export { TokenBucket } from './token-bucket.js';
