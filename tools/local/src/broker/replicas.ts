import type { BrokerNode } from './broker.js';

/** How many queues on several nodes, streams too, lack one of theirs: without another they may have no majority. */
export async function queuesThatLackReplicas(node: Pick<BrokerNode, 'ctl'>): Promise<number> {
  const listed = await node.ctl(['list_queues', 'type', 'members', 'online', '--no-table-headers']);
  const countOf = (list = ''): number => list.split('@').length;
  return listed
    .split('\n')
    .map((line) => line.split('\t'))
    .filter(([type, members, online]) => type !== 'classic' && countOf(members) !== countOf(online)).length;
}
