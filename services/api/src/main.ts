#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { apiConfig } from './config.js';

await runService({ name: 'api', config: apiConfig, build });
