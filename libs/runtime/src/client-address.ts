import { isIP, isIPv4 } from 'node:net';

/** Longest header looked at, characters; a longer one counts as unreadable. */
const maxHeaderChars = 8_192;

/** What is known of the way that a request has come, nearest first. */
export interface Way {
  /** Who opened the connection. */
  readonly socket: string;
  /** What the PROXY protocol says in front of the connection; empty or undefined: nothing. */
  readonly proxied?: string | undefined;
  /** `X-Forwarded-For`, all of its lines joined by commas. */
  readonly forwardedFor?: string | undefined;
  /** `Forwarded` (RFC 7239), the same. */
  readonly forwarded?: string | undefined;
}

/**
 * The client's address behind `trustedHops` proxies, each of which names whom it heard from: that many steps back from the socket,
 * over the PROXY protocol's address and then the headers' entries from the right. What stands further left the client may have
 * written itself. Where that many entries are not there, or cannot be read, or the two headers disagree, it is the socket's.
 * IPv6 is in its short form, without a port; IPv4 within IPv6 is IPv4.
 */
export function clientAddress(way: Way, trustedHops: number): string {
  const own = addressOf(way.socket) ?? way.socket;
  const proxied = way.proxied === undefined || way.proxied === '' ? [] : [way.proxied];
  const steps = trustedHops - proxied.length;
  if (trustedHops === 0) return own;
  if (steps <= 0) return addressOf(proxied.at(trustedHops - 1)) ?? own;
  const found = new Set(
    [[way.forwardedFor, listed] as const, [way.forwarded, forwardedBy] as const].flatMap(
      ([header, entries]) =>
        header === undefined || header.trim() === ''
          ? []
          : [header.length > maxHeaderChars ? undefined : addressOf(entries(header)?.at(-steps))],
    ),
  );
  const [address] = found;
  return found.size === 1 && address !== undefined ? address : own;
}

/**
 * By what a limit per address counts: an IPv4 address by itself, IPv6 by its /64 network (`2001:db8:0:1::/64`), of which a
 * single machine may use every address. `address` is one that {@link clientAddress} gives.
 */
export function addressKey(address: string): string {
  const v6 = address.split('%', 1)[0] ?? '';
  if (isIP(v6) !== 6) return address;
  const short = shortened(v6);
  if (isIPv4(short)) return short;
  const [head = '', tail] = short.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array(8 - before.length - after.length).fill('0');
  const network = [...before, ...(tail === undefined ? [] : zeros), ...after].slice(0, 4);
  return `${network.join(':')}::/64`;
}

/** Whether an address that {@link clientAddress} gives is of this machine itself. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

const listed = (header: string): string[] =>
  header
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** A parameter of `Forwarded`, its value in quotes or not, and what separates it from the next. */
const parameter = new RegExp(`[ \\t]*(${token})=(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(;|,|$)`, 'y');
const emptyElement = /[ \t]*,/y;

/** What each element of `Forwarded` says after `for=`, empty where it says nothing; undefined: it is malformed. */
function forwardedBy(header: string): string[] | undefined {
  const found: string[] = [];
  let element: string | undefined;
  let at = 0;
  const matched = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    if (element === undefined && matched(emptyElement) !== null) continue;
    const match = matched(parameter);
    if (match === null) return undefined;
    const [, name = '', plain, quoted = '', end] = match;
    if (name.toLowerCase() === 'for') {
      if (element !== undefined && element !== '') return undefined;
      element = plain ?? quoted.replaceAll(/\\(.)/g, '$1');
    }
    element ??= '';
    if (end === ';') continue;
    found.push(element);
    element = undefined;
  }
  // A parameter was to follow.
  return element === undefined ? found : undefined;
}

/** With a port or not, in brackets or not; undefined: no address. */
const written = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/;

function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  // An address of IPv6 without brackets may end as if in a port.
  if (isIP(text) === 6 && !text.includes('%')) return shortened(text);
  const [, bracketed, v4] = written.exec(text) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? shortened(bracketed) : undefined;
  return v4 !== undefined && isIPv4(v4) ? v4 : undefined;
}

const v4Mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

function shortened(v6: string): string {
  const short = new URL(`http://[${v6}]/`).hostname.slice(1, -1);
  const mapped = v4Mapped.exec(short);
  if (mapped === null) return short;
  const [high = 0, low = 0] = mapped.slice(1).map((hex) => Number.parseInt(hex, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
