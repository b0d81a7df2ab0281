import { createLog, loadConfig, runService } from '@evenkeel/runtime';
import { createApp } from './app.js';
import { balancerConfig } from './config.js';

await runService({
  name: 'balancer',
  start: async (context) => {
    const config = loadConfig(balancerConfig);
    const log = createLog({ service: 'balancer', node: config.id, level: config.logLevel });
    await createApp(config, { log, lifecycle: context.lifecycle, signal: context.signal });
  },
});
