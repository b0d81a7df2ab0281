import type { Choice } from '@evenkeel/local';
import type { TicketAnswer } from './result.js';
import type { NodeSeen, Outcome } from './world.js';

/**
 * No edge may be over the emptiest by more than this. Behind a hash the last one to level is as likely to be pinned. A front that
 * chooses anew each time can make the same choice five times, so that some count as pinned by chance: each edge gets its part, not an
 * exact share.
 */
const slackOf = (choice: Choice, fairShare: number): number =>
  ({ named: 1, hashed: 2, any: Math.max(2, Math.ceil(fairShare / 3)) })[choice];

/** What does not hold of the sessions of each node, given how the front chooses; empty: all is as it must be. */
export function faultsOfNodes(nodes: readonly NodeSeen[], choice: Choice, clients: number): string[] {
  const faults: string[] = [];
  const total = nodes.reduce((sum, { sessions }) => sum + sessions, 0);
  if (total !== clients) faults.push(`${total} sessions, not ${clients}`);
  const open = nodes.filter(({ isDrained }) => !isDrained);
  const slack = slackOf(choice, total / open.length);
  const least = Math.min(...open.map(({ sessions }) => sessions));
  for (const { node, sessions, pinned, hashed, isDrained } of nodes) {
    if (choice === 'named' && pinned > 0) faults.push(`${pinned} are pinned on ${node}`);
    if (pinned > sessions) faults.push(`${pinned} are pinned on ${node}, of ${sessions}`);
    // Where a move may end anywhere, it may also end on the node that is being drained: the others are not levelled meanwhile.
    const isLeft = choice === 'any' && open.length < nodes.length;
    const isTooMany = isDrained ? sessions > 0 : !isLeft && sessions > least + slack;
    if (isTooMany && pinned < sessions)
      faults.push(
        `${node} has ${sessions}, ${pinned} of them pinned, ${isDrained ? 'and is drained' : `another ${least}`}`,
      );
    if (hashed === undefined) continue;
    // Where there are too many, every one has been tried; elsewhere only some.
    if (pinned > hashed || (isTooMany && pinned !== hashed))
      faults.push(`${pinned} are pinned on ${node}; the front's hash keeps ${hashed} there`);
  }
  return faults;
}

/** What does not hold of the deliveries to clients of the SDK, at the end. */
export function faultsOfOutcome({ sdk, bare }: Outcome): string[] {
  const faults: string[] = [];
  if (sdk.published === 0 || sdk.delivered === 0 || bare.delivered === 0)
    faults.push('nothing was delivered');
  for (const what of ['lost', 'covered', 'repeated', 'reordered'] as const)
    if (sdk[what] > 0) faults.push(`${sdk[what]} events ${what} of clients with the SDK`);
  return faults;
}

/** Who got in that should not, or did not that should. */
export function faultsOfTickets(answers: readonly TicketAnswer[]): string[] {
  return answers
    .filter(({ admitted, expected }) => admitted !== expected)
    .map(
      ({ ticket, answer, admitted, expected }) =>
        `with a ticket ${ticket} ${admitted} got in, not ${expected}: ${answer}`,
    );
}
