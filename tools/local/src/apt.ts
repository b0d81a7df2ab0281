import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { runToEnd } from './child.js';
import { environment } from './environment.js';
import { Failure } from './failure.js';
import { watchOver } from './guard.js';

/** Whether packages can be installed here: Debian or a relative of it, and root. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && existsSync('/etc/debian_version');
}

/** Those of the packages that are not installed. */
async function missingPackages(names: readonly string[]): Promise<string[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's own.
  const format = '${Package} ${db:Status-Status}\n';
  const { stdout } = await runToEnd('dpkg-query', ['-W', '-f', format, ...names]);
  const installed = new Set(
    stdout.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  return names.filter((name) => !installed.has(name));
}

/**
 * Installs Debian packages, after saying so. Their services are kept from starting: a broker that the
 * package would leave running on the machine is not what was asked for.
 */
export async function installPackages(
  names: readonly string[],
  reason: string,
  say: (text: string) => void,
): Promise<void> {
  say(`Installing ${names.join(' ')} (apt-get install): ${reason}.`);
  const allowServices = forbidServiceStarts();
  try {
    const args = ['install', '-y', '-q', '--no-install-recommends', ...names];
    // Fresh machines have no package lists, old ones stale lists: the first attempt tells.
    if ((await apt(args)).status === 0) return;
    await apt(['update', '-q']);
    const second = await apt(args);
    if (second.status !== 0) {
      throw new Failure('apt', `apt-get could not install ${names.join(' ')}:\n${second.lastLines}`);
    }
  } finally {
    allowServices();
  }
}

/** Installs those of the packages that are missing, where that is possible; elsewhere whoever needs one says so itself. */
export async function ensurePackages(names: readonly string[], reason: string): Promise<void> {
  if (!canInstallPackages()) return;
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  await installPackages(missing, reason, (text) => process.stderr.write(`${text}\n`));
}

/** Debian's way to say "do not start services now" is this file; one that exists is left as it is. */
function forbidServiceStarts(): () => void {
  const file = '/usr/sbin/policy-rc.d';
  if (existsSync(file)) return () => undefined;
  const release = watchOver({ kind: 'path', path: file });
  const text = '#!/bin/sh\n# Evenkeel is installing packages; gone in a moment.\nexit 101\n';
  writeFileSync(file, text, { mode: 0o755 });
  return () => {
    if (readFileSync(file, 'utf8') === text) rmSync(file);
    release();
  };
}

async function apt(args: readonly string[]): Promise<{ status: number; lastLines: string }> {
  const { status, stdout, stderr } = await runToEnd('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    env: { ...environment(), DEBIAN_FRONTEND: 'noninteractive' },
    timeoutMs: 15 * 60_000,
  });
  return { status, lastLines: `${stdout}\n${stderr}`.trim().split('\n').slice(-20).join('\n') };
}
