#!/usr/bin/env node
import { createLog, loadConfig, runService } from '@evenkeel/runtime';
import { buildGateway } from './app.js';
import { gatewayConfig } from './config.js';

await runService({
  name: 'gateway',
  log: createLog({ service: 'gateway' }),
  start: async ({ lifecycle, log, signal }) => {
    const config = loadConfig(gatewayConfig);
    log.level = config.logLevel;
    await buildGateway(config, { lifecycle, log, signal });
  },
});
