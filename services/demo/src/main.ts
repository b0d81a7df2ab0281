#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { demoConfig } from './config.js';

await runService({ name: 'demo', config: demoConfig, build });
