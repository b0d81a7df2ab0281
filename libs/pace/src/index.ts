export { type Backoff, backoffMs } from './backoff.js';
export { Fifo } from './fifo.js';
export { LogLimit } from './log-limit.js';
export { sleep, withDeadline } from './sleep.js';
export { TokenBucket } from './token-bucket.js';
