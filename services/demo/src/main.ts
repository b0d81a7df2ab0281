#!/usr/bin/env node
import { createLog, loadConfig, runService } from '@evenkeel/runtime';
import { buildDemo } from './app.js';
import { demoConfig } from './config.js';

await runService({
  name: 'demo',
  log: createLog({ service: 'demo' }),
  start: async ({ lifecycle, log }) => {
    buildDemo(loadConfig(demoConfig), { lifecycle, log });
  },
});
