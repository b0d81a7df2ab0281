// Health check of a container: is the service in it ready?
const port = process.env.EVENKEEL_OPS_PORT ?? '9100';
const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
process.exit(response?.ok ? 0 : 1);
