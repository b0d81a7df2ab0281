/** A process that uses one core, until whoever started it is gone or ends it. */
const burstMs = 50;

function burn(): void {
  const endsAtMs = performance.now() + burstMs;
  while (performance.now() < endsAtMs);
  setImmediate(burn);
}

process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
burn();
