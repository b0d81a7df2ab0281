import { tableOf } from '../table.js';
import type { LogOutcome } from './log.js';

export interface RecoveryStep {
  readonly name: string;
  /** Until every subscriber was connected again. */
  readonly seconds: number;
  readonly disconnects: number;
  readonly moves: number;
  readonly past: number;
  readonly gaps: number;
}

/** All subscribers whose topics keep as much. */
export interface RecoveryGroup extends LogOutcome {
  readonly name: string;
  readonly subscribers: number;
  /** Times subscribers: what had to come, or be told to be gone. */
  readonly due: number;
  readonly refused: number;
}

/** What `--json` prints of a recovery. */
export interface RecoveryResult {
  readonly scenario: 'recovery';
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly published: number;
  readonly recovery: readonly RecoveryStep[];
  readonly groups: readonly RecoveryGroup[];
}

/** What does not hold of a group. */
export function faultsOfGroup(group: RecoveryGroup): string[] {
  const { name, delivered, refused } = group;
  const faults: string[] = [];
  if (delivered === 0) faults.push(`${name}: nothing came`);
  if (refused > 0) faults.push(`${name}: ${refused} subscribers lost their topic`);
  const words = {
    lost: 'were lost',
    repeated: 'came twice',
    reordered: 'came out of order',
  } as const;
  for (const what of ['lost', 'repeated', 'reordered'] as const)
    if (group[what] > 0) faults.push(`${name}: ${group[what]} messages ${words[what]}`);
  if (group.partial > 0) faults.push(`${name}: ${group.partial} times a part of what is gone came`);
  if (group.wrongGaps > 0) faults.push(`${name}: ${group.wrongGaps} gaps that should not be`);
  return faults;
}

/** The result for people. */
export function renderRecovery({ recovery, groups, published, held, failures }: RecoveryResult): string {
  const columns = ['lost', 'repeated', 'reordered', 'gaps', 'told', 'partial', 'wrongGaps'] as const;
  return [
    ...tableOf([
      ['step', 'seconds', 'disconnects', 'moves', 'past messages', 'gaps'],
      ...recovery.map(({ name, ...step }) => [
        name,
        ...[step.seconds, step.disconnects, step.moves, step.past, step.gaps].map(String),
      ]),
    ]),
    '',
    ...tableOf([
      ['history', 'subscribers', 'due', 'delivered', 'past', ...columns],
      ...groups.map((group) => [
        group.name,
        ...[group.subscribers, group.due, group.delivered, group.past].map(String),
        ...columns.map((column) => String(group[column])),
      ]),
    ]),
    '',
    `messages published ${published}`,
    '',
    ...(held ? ['All of it held.'] : ['NOT HELD:', ...failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}
