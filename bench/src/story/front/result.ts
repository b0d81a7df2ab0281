import type { FrontName } from '@evenkeel/local';
import { tableOf } from '../table.js';
import type { Deliveries, NodeSeen, Outcome, Totals } from './world.js';

export type StoryFront = FrontName | 'direct';

export interface FrontStep extends Totals {
  readonly name: string;
  readonly seconds: number;
  readonly nodes: readonly NodeSeen[];
  /** What is to be said of it besides. */
  readonly note: string;
}

/** What `--json` prints of a front. */
export interface FrontResult {
  readonly scenario: 'front';
  readonly front: StoryFront;
  /** The same clients on plain servers. */
  readonly without: boolean;
  readonly held: boolean;
  readonly failures: readonly string[];
  readonly sdk: number;
  readonly bare: number;
  readonly steps: readonly FrontStep[];
  readonly outcome: Outcome;
  /** What clients were answered that came with tickets which are not good here. */
  readonly tickets: readonly TicketAnswer[];
}

export interface TicketAnswer {
  readonly ticket: string;
  readonly answer: string;
  /** How many got in with it, and how many should. */
  readonly admitted: number;
  readonly expected: number;
}

/** The result for people. */
export function renderFront(result: FrontResult): string {
  const { front, without, sdk, bare, steps, outcome, tickets } = result;
  const names = [...new Set(steps.flatMap(({ nodes }) => nodes.map(({ node }) => node)))];
  let before: Totals = { moved: 0, disconnects: 0, lost: 0, bareLost: 0 };
  const rows = steps.map((step) => {
    const of = (what: keyof Totals) => String(step[what] - before[what]);
    const row = [
      step.name,
      `${step.seconds} s`,
      ...names.map((name) => spelt(step.nodes.find(({ node }) => node === name))),
      ...pins(step.nodes),
      of('moved'),
      of('disconnects'),
      of('lost'),
      of('bareLost'),
      step.note,
    ];
    before = step;
    return row;
  });
  const who = without
    ? `${sdk + bare} plain clients on plain servers`
    : `${sdk} clients with the SDK and ${bare} bare ones`;
  return [
    `${front}: ${who}`,
    '',
    ...tableOf([
      ['step', 'took', ...names, 'pinned', 'by hash', 'moved', 'disconnects', 'lost', 'lost, bare', ''],
      ...rows,
    ]),
    '',
    ...(without ? [] : [`SDK:  ${said(outcome.sdk)}`]),
    `${without ? 'all: ' : 'bare:'} ${said(outcome.bare)}; closes ${JSON.stringify(outcome.closes)}`,
    ...tickets.map(({ ticket, answer, admitted }) => `a ticket ${ticket}: ${answer}; ${admitted} got in`),
    '',
    ...(result.held ? [] : outcome.incidents.slice(0, 20).map((each) => `  ${each}`)),
    ...(result.held ? ['All of it held.'] : ['NOT HELD:', ...result.failures.map((each) => `  - ${each}`)]),
    '',
  ].join('\n');
}

const spelt = (node: NodeSeen | undefined): string => (node === undefined ? '-' : String(node.sessions));

/** How many are pinned, and on the nodes that have more than others, how many the hash keeps there. */
function pins(nodes: readonly NodeSeen[]): [string, string] {
  const pinned = nodes.reduce((sum, node) => sum + node.pinned, 0);
  const counted = nodes.filter(({ hashed }) => hashed !== undefined);
  if (counted.length === 0) return [String(pinned), '-'];
  return [String(pinned), counted.map(({ pinned: here, hashed }) => `${here}/${hashed}`).join(' ')];
}

const said = ({ published, delivered, lost, covered, repeated, reordered }: Deliveries): string =>
  `published ${published}, delivered ${delivered}: ${lost} lost, ${covered} lost in gaps, ` +
  `${repeated} repeated, ${reordered} out of order`;
