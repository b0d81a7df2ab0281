// Where the mesh is: what was given, else a variable (`export $(npx evenkeel env)` sets some), else what `npm start` has left in
// `.evenkeel/run.json`, in this folder, above it, or in the checkout that this file is in.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const variables = {
  appAmqpUrl: ['EVENKEEL_APP_AMQP_URL', 'EVENKEEL_AMQP_URL'],
  operatorAmqpUrl: ['EVENKEEL_OPERATOR_AMQP_URL', 'EVENKEEL_AMQP_URL'],
  gateway: ['EVENKEEL_GATEWAY'],
};

/** `name`: `appAmqpUrl`, `operatorAmqpUrl` or `gateway`. Ends the program where there is no mesh, and says what to do. */
export function addressOf(name, given) {
  if (given) return given;
  for (const variable of variables[name]) if (process.env[variable]) return process.env[variable];
  const found = runFileFrom(process.cwd()) ?? runFileFrom(dirname(fileURLToPath(import.meta.url)));
  const address = found?.[name] ?? (name === 'gateway' ? undefined : found?.amqpUrl);
  if (address) return address;
  console.error(
    `No mesh runs here: start one (npm start), or give its address, as an argument or as ${variables[name][0]}.`,
  );
  process.exit(1);
}

function runFileFrom(folder) {
  const file = join(folder, '.evenkeel', 'run.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  return dirname(folder) === folder ? undefined : runFileFrom(dirname(folder));
}
