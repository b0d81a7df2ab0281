import { expect, it } from 'vitest';
import { otlpTarget } from './otlp.js';

it('spans go where the variables of OpenTelemetry say', () => {
  expect(otlpTarget({})).toEqual({
    url: 'http://localhost:4318/v1/traces',
    headers: {},
    serviceName: 'evenkeel-edge',
  });
  expect(
    otlpTarget({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example/',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20a=b, x-team = mesh,',
      OTEL_SERVICE_NAME: 'mesh',
    }),
  ).toEqual({
    url: 'https://collector.example/v1/traces',
    headers: { authorization: 'Bearer a=b', 'x-team': 'mesh' },
    serviceName: 'mesh',
  });
  expect(otlpTarget({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/t' }).url).toBe('http://c/t');
});
