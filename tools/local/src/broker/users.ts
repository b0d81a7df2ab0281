import { createHash, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  appUser,
  type Credentials,
  type Definitions,
  fixedUsers,
  userDefinitions,
  vhostDefinitions,
} from '@evenkeel/mesh/rights';
import { stateDir } from '../paths.js';

/** The administrator of a private broker, which listens on loopback alone. */
const guest = 'guest';

/** The applications that each private broker knows: the demo's two, and one for trying things out. */
const applications = ['demo', 'crowd', 'shop'].map(appUser);

/** Who may use a private broker besides its administrator, and with which passwords. */
export interface BrokerUsers {
  passwordOf(user: string): string;
  /** Makes a password for one more user, if there is none yet. */
  add(user: string): void;
  /** Everything that such a broker has from its start: users, rights and exchanges, of virtual host `/`. */
  definitions(isCluster?: boolean): Definitions;
}

/**
 * The users of the private brokers of this checkout. Their passwords are made once and kept under `.evenkeel/`, for nobody
 * but its owner to read: an address that somebody has in a shell is good after the next start too.
 */
export function brokerUsers(dir: string = stateDir, administrator: string = guest): BrokerUsers {
  const file = join(dir, 'broker-passwords.json');
  const passwords = new Map(Object.entries(readOrMake(dir, file)));
  const complete = (user: string): boolean => {
    if (passwords.has(user)) return false;
    passwords.set(user, newPassword());
    return true;
  };
  const save = (): void => replace(dir, file, Object.fromEntries(passwords));
  const needed = administrator === guest ? standardUsers : [...standardUsers, administrator];
  // Made by an older version, which knew fewer.
  if (needed.map(complete).includes(true)) save();
  const names = (): string[] => [...passwords.keys()].filter((user) => user !== administrator);
  const passwordOf = (user: string): string => {
    const password = user === guest ? guest : passwords.get(user);
    if (password === undefined) throw new Error(`there is no user ${user} on this broker`);
    return password;
  };
  return {
    passwordOf,
    add(user) {
      if (complete(user)) save();
    },
    definitions: (isCluster = false) => ({
      ...userDefinitions(
        [administrator, ...names()].map((user) =>
          withSalt({ user, password: passwordOf(user), isAdministrator: user === administrator }),
        ),
      ),
      ...vhostDefinitions('/', names(), [administrator], isCluster),
    }),
  };
}

/** Those that every private broker has from its start. */
export const standardUsers: readonly string[] = [...fixedUsers, ...applications];

/** The address of one user, made from another's. */
export function urlOfUser(amqpUrl: string, user: string, password: string): string {
  const url = new URL(amqpUrl);
  url.username = user;
  url.password = password;
  return url.href;
}

const newPassword = (): string => randomBytes(18).toString('base64url');
/** The same for the same password, so that definitions that say the same are the same. */
const withSalt = (user: Omit<Credentials, 'salt'>): Credentials => ({
  ...user,
  salt: createHash('sha256').update(`${user.user} ${user.password}`).digest().subarray(0, 4),
});

function readOrMake(dir: string, file: string): Record<string, string> {
  const read = (): Record<string, string> | undefined => {
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };
  const present = read();
  if (present !== undefined) return present;
  const passwords = Object.fromEntries(standardUsers.map((user) => [user, newPassword()]));
  const whole = writeAside(dir, passwords);
  try {
    // Whole or not at all, and never over what another process has made meanwhile.
    linkSync(whole, file);
    return passwords;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return read() ?? passwords;
  } finally {
    rmSync(whole, { force: true });
  }
}

function replace(dir: string, file: string, passwords: Record<string, string>): void {
  renameSync(writeAside(dir, passwords), file);
}

function writeAside(dir: string, passwords: Record<string, string>): string {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `broker-passwords.${process.pid}.${randomBytes(3).toString('hex')}.tmp`);
  writeFileSync(path, `${JSON.stringify(passwords, null, 2)}\n`, { mode: 0o600 });
  return path;
}
