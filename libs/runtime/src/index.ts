export { ConfigError, describeConfig, loadConfig } from './config.js';
export { EventLoopMonitor } from './event-loop-monitor.js';
export type { Log } from './log.js';
export { observeCounter, observeGauge, observeGauges } from './observed.js';
export type { Ops } from './ops-server.js';
export { runService, type ServiceContext } from './run-service.js';
export { commonSettings, hostId, setting } from './settings.js';
export { documentedSettings, settingsTable } from './settings-table.js';
export { unknownVariables, variablesOf } from './variables.js';
