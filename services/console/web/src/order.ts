import type { Status } from './types.js';

const byName = new Intl.Collator('en', { numeric: true });
/** The order of the last nodes: a thousand names are compared when one comes or goes, and not each second. */
let last: { names: string; order: readonly number[] } = { names: '', order: [] };

/** With its nodes by name, `edge-2` before `edge-10`: a bar keeps its place. */
export function inNameOrder(status: Status): Status {
  const { nodes } = status;
  const names = nodes.map(({ node }) => node).join('\n');
  if (names !== last.names) {
    const order = nodes.map((_, i) => i);
    order.sort((a, b) => byName.compare(nodes[a]?.node ?? '', nodes[b]?.node ?? ''));
    last = { names, order };
  }
  return { ...status, nodes: last.order.flatMap((i) => nodes[i] ?? []) };
}
