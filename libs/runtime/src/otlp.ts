/** Where spans go, by the variables that every exporter of OpenTelemetry reads. */
export function otlpTarget(env: NodeJS.ProcessEnv = process.env): {
  url: string;
  headers: Record<string, string>;
  serviceName: string;
} {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318';
  const given = env.OTEL_EXPORTER_OTLP_TRACES_HEADERS || env.OTEL_EXPORTER_OTLP_HEADERS || '';
  const headers: Record<string, string> = {};
  for (const pair of given.split(',')) {
    const [name, value] = pair.split(/=(.*)/s);
    if (name?.trim() && value !== undefined) headers[name.trim()] = decodeURIComponent(value.trim());
  }
  return {
    url: env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || `${base.replace(/\/$/, '')}/v1/traces`,
    headers,
    serviceName: env.OTEL_SERVICE_NAME || 'evenkeel-edge',
  };
}
