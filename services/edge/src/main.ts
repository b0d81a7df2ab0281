#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { edgeConfig } from './config.js';

await runService({ name: 'edge', config: edgeConfig, build });
