export {
  ConfigError,
  type ConfigRow,
  describeConfig,
  type LoadOptions,
  loadConfig,
  variableOf,
} from './config.js';
export { EventLoopMonitor, type LoopSample } from './event-loop-monitor.js';
export { LIFECYCLE_STATES, Lifecycle, type LifecycleState, StartError, type Step } from './lifecycle.js';
export { createLog, type Log, type LogOptions } from './log.js';
export { createMetrics, type MetricsOptions } from './metrics.js';
export { observeCounter, observeGauge } from './observed.js';
export { type OpsOptions, OpsServer } from './ops-server.js';
export { EXIT_CODES, runService, type ServiceContext, type ServiceOptions } from './run-service.js';
