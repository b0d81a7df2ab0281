#!/usr/bin/env node
import { runService } from '@evenkeel/runtime';
import { build } from './app.js';
import { balancerConfig } from './config.js';

await runService({ name: 'balancer', config: balancerConfig, build });
