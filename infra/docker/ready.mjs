// Health check of a container: is the service in it ready? With `active`: does an edge take clients?
const port = process.env.EVENKEEL_OPS_PORT ?? '9100';
const ask = (path) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
const isReady = (await ask('/readyz'))?.ok === true;
const isAsked = process.argv[2] !== 'active' || (await (await ask('/status'))?.json())?.state === 'active';
process.exit(isReady && isAsked ? 0 : 1);
