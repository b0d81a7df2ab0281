import { OperatorError } from '../errors.js';
import type { Operator } from '../operator.js';
import { sessionName } from './views.js';

/** Sessions named at most of all that stay. */
const maxNamed = 10;

/** A node that was to be empty and is not. */
export interface StayedOn {
  readonly node: string;
  readonly sessions: number;
  readonly why: string;
}

/** The same, with those of its sessions that are named. */
export interface Stayed extends StayedOn {
  /** `<uid>.<sid>` */
  readonly names: readonly string[];
}

/** What was waited for did not come to its end. */
export class Unfinished extends OperatorError {
  readonly stayed: readonly Stayed[];

  constructor(ended: string, stayed: readonly Stayed[]) {
    super('unfinished', [ended, ...stayed.flatMap(namedIn)].join('; '));
    this.stayed = stayed;
  }
}

function namedIn({ node, sessions, names }: Stayed): string[] {
  if (names.length === 0) return [];
  const more = sessions > names.length ? ` and ${sessions - names.length} more` : '';
  return [`on ${node}: ${names.join(', ')}${more}`];
}

/** Who is on these nodes. */
export async function whoStayed(operator: Operator, stayed: readonly StayedOn[]): Promise<Stayed[]> {
  const all: Stayed[] = [];
  let left = maxNamed;
  for (const on of stayed) {
    const names = left === 0 ? [] : (await namesOn(operator, on.node)).slice(0, left);
    left -= names.length;
    all.push({ ...on, names });
  }
  return all;
}

/** None where it cannot be found out: that somebody stays is what matters. */
async function namesOn(operator: Operator, node: string): Promise<string[]> {
  try {
    const { held = [] } = await operator.node(node);
    return held.map(({ user, session }) => sessionName(user, session));
  } catch (error) {
    if (error instanceof OperatorError) return [];
    throw error;
  }
}
