#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { gatewayConfig } from './config.js';

await runService({ name: 'gateway', config: gatewayConfig, build });
