#!/usr/bin/env node
import { createLog, loadConfig, runService } from '@evenkeel/runtime';
import { buildCrowd } from './app.js';
import { crowdConfig } from './config.js';

await runService({
  name: 'crowd',
  log: createLog({ service: 'crowd' }),
  start: async ({ lifecycle, log }) => {
    buildCrowd(loadConfig(crowdConfig), { lifecycle, log });
  },
});
