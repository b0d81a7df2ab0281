// Health check of a container: is the service in it ready? With `active`: does an edge take clients?
import { readFileSync } from 'node:fs';

const { EVENKEEL_OPS_PORT: port = '9100', EVENKEEL_OPS_TOKEN, EVENKEEL_OPS_TOKEN_FILE: file } = process.env;
const token = EVENKEEL_OPS_TOKEN || (file && readFileSync(file, 'utf8').trim());
const headers = token ? { authorization: `Bearer ${token}` } : {};
const ask = (path) => fetch(`http://127.0.0.1:${port}${path}`, { headers }).catch(() => undefined);
const isReady = (await ask('/readyz'))?.ok === true;
const isAsked = process.argv[2] !== 'active' || (await (await ask('/status'))?.json())?.state === 'active';
process.exit(isReady && isAsked ? 0 : 1);
