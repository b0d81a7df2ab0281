/**
 * Orders versions: runs of digits as numbers, everything else as text; a pre-release (`1.2.0-rc1`) comes
 * before its release, build metadata after `+` decides last.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [coreA, preA] = split(a);
  const [coreB, preB] = split(b);
  const core = compareRuns(coreA, coreB);
  if (core !== 0) return core;
  if (preA === '' || preB === '') return preA === preB ? compareRuns(a, b) : preA === '' ? 1 : -1;
  return compareRuns(preA, preB) || compareRuns(a, b);
}

function split(version: string): [string, string] {
  const core = version.replace(/\+.*$/, '');
  const dash = core.indexOf('-');
  return dash < 0 ? [core, ''] : [core.slice(0, dash), core.slice(dash + 1)];
}

function compareRuns(a: string, b: string): number {
  const left = a.match(/\d+|[^\d.]+/g) ?? [];
  const right = b.match(/\d+|[^\d.]+/g) ?? [];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const x = left[i];
    const y = right[i];
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    const order = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return Math.sign(order);
  }
  return 0;
}
