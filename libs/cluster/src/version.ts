/** Which of two versions is newer: one rule for placement, plans and rolling deployments. */
import { compare, parse, type SemVer } from 'semver';

/** Longest version looked at as a semantic one, characters; a longer one is ordered as a name. */
const maxSemverChars = 256;

/**
 * Orders versions, older first: negative when `a` is older, positive when it is newer, 0 when neither is.
 * A total order over any text, in which versions of equal precedence are equal.
 *
 * Semantic versions go by SemVer 2.0.0, section 11: a pre-release before its release, and build metadata (after
 * `+`) makes no difference. A leading `v`, a missing minor or patch number and leading zeros are read over, so
 * `v1.9` is `1.9.0` and `2026.01.02` is `2026.1.2`. Everything else (`2026-01-02`, a commit, `nightly`) comes
 * after every semantic version; among these, runs of digits count as numbers and the rest as text.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const semanticA = readSemver(a);
  const semanticB = readSemver(b);
  if (semanticA !== undefined && semanticB !== undefined) return compare(semanticA, semanticB);
  if (semanticA !== undefined) return -1;
  if (semanticB !== undefined) return 1;
  return compareNames(a, b);
}

/** `items` in groups of one version each (equal precedence), the newest first; the order within is kept. */
export function byVersion<T>(items: readonly T[], versionOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const version = versionOf(item);
    const group = groups.get(version);
    if (group === undefined) groups.set(version, [item]);
    else group.push(item);
  }
  const sorted = [...groups].sort(([a], [b]) => compareVersions(b, a));
  const out: T[][] = [];
  let last: string | undefined;
  for (const [version, group] of sorted) {
    if (last !== undefined && compareVersions(last, version) === 0) out.at(-1)?.push(...group);
    else out.push(group);
    last = version;
  }
  return out;
}

/** Numbers with dots between, up to three, then pre-release and build metadata. */
const semverForm = /^[v=]?(\d+)(?:\.(\d+))?(?:\.(\d+))?((?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)$/;

function readSemver(version: string): SemVer | undefined {
  if (version.length > maxSemverChars) return undefined;
  const match = semverForm.exec(version);
  if (match === null) return undefined;
  const [, major = '', minor, patch, rest = ''] = match;
  // A date, `2026-01-02`, is no pre-release of the year.
  if (minor === undefined && rest.startsWith('-')) return undefined;
  return parse(`${major}.${minor ?? 0}.${patch ?? 0}${rest}`, { loose: true }) ?? undefined;
}

function compareNames(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareRuns(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  // The same but for leading zeros.
  return compareText(a, b);
}

/** Two runs, of digits or of anything else; a run that is missing comes first, digits before the rest. */
function compareRuns(a: string, b: string): number {
  const isNumber = /^\d/;
  if (!isNumber.test(a) || !isNumber.test(b)) return compareText(a, b);
  const x = a.replace(/^0+(?=\d)/, '');
  const y = b.replace(/^0+(?=\d)/, '');
  return x.length - y.length || compareText(x, y);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
