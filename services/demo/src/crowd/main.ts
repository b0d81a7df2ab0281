#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { crowdConfig } from './config.js';

await runService({ name: 'crowd', config: crowdConfig, build });
