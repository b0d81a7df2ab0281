import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { standardUsers } from '@evenkeel/local';
import { type Definitions, vhostDefinitions } from '@evenkeel/mesh/rights';

/** `rabbitmqctl` takes over a second of a core each time, whatever it is to make. */
const madeAtOnce = 16;

/** A folder that holds a file for each vhost that is made and not taken: what the processes of one run share. */
export interface VhostPool {
  readonly folder: string;
  remove(): void;
}

export function makeVhostPool(): VhostPool {
  const folder = mkdtempSync(join(tmpdir(), 'evenkeel-vhosts-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Takes a vhost that nobody has had; has more of them made by `make` where none is left. */
export async function takeVhost(
  folder: string,
  make: (definitions: Definitions) => Promise<void>,
  isCluster: boolean,
): Promise<string> {
  const left = readdirSync(folder).find((vhost) => isTaken(folder, vhost));
  if (left !== undefined) return left;
  const names = Array.from({ length: madeAtOnce }, () => `test-${randomBytes(4).toString('hex')}`);
  await make(together(names.map((vhost) => vhostDefinitions(vhost, standardUsers, ['guest'], isCluster))));
  const [mine = '', ...others] = names;
  for (const vhost of others) writeFileSync(join(folder, vhost), '');
  return mine;
}

/** Whoever removes its file has it. */
function isTaken(folder: string, vhost: string): boolean {
  try {
    rmSync(join(folder, vhost));
    return true;
  } catch {
    return false;
  }
}

function together(all: readonly Definitions[]): Definitions {
  const of = <K extends keyof Definitions>(kind: K) => all.flatMap((each) => each[kind] ?? []);
  return {
    vhosts: of('vhosts'),
    permissions: of('permissions'),
    topic_permissions: of('topic_permissions'),
    exchanges: of('exchanges'),
    queues: of('queues'),
    bindings: of('bindings'),
  };
}
