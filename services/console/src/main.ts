#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { consoleConfig } from './config.js';

await runService({ name: 'console', config: consoleConfig, build });
