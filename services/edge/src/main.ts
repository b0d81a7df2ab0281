import { createLog, loadConfig, runService } from '@evenkeel/runtime';
import { buildEdge } from './app.js';
import { edgeConfig } from './config.js';

const config = loadConfig(edgeConfig);
const log = createLog({ service: 'edge', node: config.node, level: config.logLevel });

await runService({
  name: 'edge',
  log,
  // The first step to stop is the drain, which may take its whole time.
  stopTimeoutMs: config.drainTimeoutMs + 10_000,
  start: ({ lifecycle, signal }) => buildEdge(config, lifecycle, log, signal),
});
