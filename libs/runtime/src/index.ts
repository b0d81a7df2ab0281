export { amqpMetrics } from './amqp-metrics.js';
export { addressKey, clientAddress, isLoopback, type Way } from './client-address.js';
export {
  ConfigError,
  describeConfig,
  describeSetting,
  loadConfig,
  type ParsedSetting,
  parseSetting,
  shownSettings,
} from './config.js';
export { EventLoopMonitor } from './event-loop-monitor.js';
export { HostNames } from './host-names.js';
export { Refusal, securityHeaders, sendJson, sendJsonText, sendRefusal } from './http/answer.js';
export { jsonBody } from './http/body.js';
export { cookieRefusal } from './http/cors.js';
export { fetchWithin } from './http/fetch-within.js';
export { sendFile } from './http/files.js';
export { HealthRoutes } from './http/health.js';
export { RefusalLog, type Refused } from './http/refusal-log.js';
export { RequestLimits } from './http/request-limits.js';
export type { Route } from './http/route.js';
export { HttpServer } from './http/server.js';
export type { Log } from './log.js';
export { documentedMetrics, metricsTable } from './metrics-table.js';
export {
  observeCounter,
  observeCounters,
  observeGauge,
  observeGauges,
  observeHistogram,
  observeHistograms,
} from './observed.js';
export { openFileLimit } from './open-files.js';
export type { Ops } from './ops-server.js';
export { Origins, originRefused } from './origins.js';
export { otlpTarget } from './otlp.js';
export { readText } from './read-text.js';
export { runService, type ServiceContext } from './run-service.js';
export { fileVariableOf, secretText } from './secret-files.js';
export {
  amqpSettings,
  amqpTlsOf,
  bareHost,
  commonSettings,
  hostId,
  refineTls,
  setting,
  tlsSettings,
} from './settings.js';
export { documentedSettings, settingsDeclared, settingsTold } from './settings-table.js';
export {
  postSigned,
  type SignedEndpoint,
  signatureOf,
} from './signed-post.js';
export { Counts, quickSeconds, RecentQuantile, slowSeconds, Tally } from './tally.js';
export { type Certificate, CertificateError } from './tls/certificate.js';
export { CertificateWatch } from './tls/certificate-watch.js';
export { certificatesOf } from './tls/of-service.js';
export { exampleMessage, hasExamplePassword, isProduction, wrongSecret } from './unsafe.js';
export { readBy, secretVariables, unknownVariables, variablesOf } from './variables.js';
