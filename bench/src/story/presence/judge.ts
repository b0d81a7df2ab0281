import type { Excuse, Life, Member, Turn } from './truth.js';

/** What an observer was told at one time. */
export interface Told {
  readonly atMs: number;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/** What of an observer's news is not as it must be, and what is. */
export interface NewsOutcome {
  readonly joined: number;
  readonly left: number;
  /** Told of somebody who had not left, or not come. */
  readonly falseLeaves: number;
  readonly falseJoins: number;
  /** Never told. */
  readonly missedLeaves: number;
  readonly missedJoins: number;
  /** Told after its time. */
  readonly late: number;
  /** Leaves of those who were without a socket for longer than they are waited for. */
  readonly excused: number;
  /** From the deed to the news, the slowest of those that were right, ms. */
  readonly slowestMs: number;
  /** The first that are wrong, in words. */
  readonly examples: readonly string[];
}

type Counts = { -readonly [Key in Exclude<keyof NewsOutcome, 'examples'>]: number };

const maxExamples = 5;

/** Holds what one observer was told, from its first news on until `endMs`, against what was done. */
export function judgeNews(
  news: readonly Told[],
  lives: ReadonlyMap<string, Life>,
  endMs: number,
  lateMs: number,
): NewsOutcome {
  const counts: Counts = {
    joined: 0,
    left: 0,
    falseLeaves: 0,
    falseJoins: 0,
    missedLeaves: 0,
    missedJoins: 0,
    late: 0,
    excused: 0,
    slowestMs: 0,
  };
  const examples: string[] = [];
  const beganMs = news[0]?.atMs ?? endMs;
  const seen = new Map<string, { isHere: boolean; atMs: number }[]>();
  const see = (user: string, isHere: boolean, atMs: number): void => {
    const list = seen.get(user) ?? [];
    seen.set(user, list);
    list.push({ isHere, atMs });
    counts[isHere ? 'joined' : 'left'] += 1;
  };
  for (const { atMs, joined, left } of news) {
    for (const user of joined) see(user, true, atMs);
    for (const user of left) see(user, false, atMs);
  }
  for (const user of new Set([...lives.keys(), ...seen.keys()])) {
    const { turns, excuses } = lives.get(user) ?? { turns: [], excuses: [] };
    const due = turnsSince(turns, beganMs, lateMs);
    for (const [fault, atMs] of judgeUser(seen.get(user) ?? [], due, excuses, endMs, counts)) {
      if (examples.length >= maxExamples) continue;
      examples.push(`${user}, ${((atMs - beganMs) / 1_000).toFixed(1)} s after its first news: ${fault}`);
    }
  }
  return { ...counts, examples };
}

/** Who was gone before the observer came it is not told of, and of who was there already at once. */
function turnsSince(turns: readonly Turn[], beganMs: number, lateMs: number): Turn[] {
  const goneMs = turns.find(({ isHere }) => !isHere)?.fromMs ?? Number.POSITIVE_INFINITY;
  if (goneMs < beganMs) return [];
  return turns.map((turn) => ({ ...turn, byMs: Math.max(turn.byMs, beganMs + lateMs) }));
}

function* judgeUser(
  seen: readonly { isHere: boolean; atMs: number }[],
  due: readonly Turn[],
  excuses: readonly Excuse[],
  endMs: number,
  counts: Counts,
): Generator<readonly [fault: string, atMs: number]> {
  let next = 0;
  /** Taken for gone, rightly or not, while it is there: that it comes back is no fault of its own. */
  let isAstray = false;
  for (const { isHere, atMs } of seen) {
    const turn = due[next];
    if (turn !== undefined && turn.isHere === isHere && atMs >= turn.fromMs) {
      next += 1;
      counts.slowestMs = Math.max(counts.slowestMs, Math.round(atMs - turn.fromMs));
      if (atMs > turn.byMs) {
        counts.late += 1;
        yield [`${isHere ? 'joined' : 'left'} ${Math.round(atMs - turn.fromMs)} ms after it`, atMs];
      }
    } else if (isHere) {
      if (!isAstray) {
        counts.falseJoins += 1;
        yield ['joined, and had not come', atMs];
      }
      isAstray = false;
    } else {
      isAstray = true;
      if (excuses.some(({ fromMs, untilMs }) => atMs >= fromMs && atMs <= untilMs)) counts.excused += 1;
      else {
        counts.falseLeaves += 1;
        yield ['left, and had not gone', atMs];
      }
    }
  }
  for (const { isHere, byMs } of due.slice(next)) {
    // A leave that was told too early came once, and is counted already.
    if (byMs > endMs || (!isHere && isAstray)) continue;
    counts[isHere ? 'missedJoins' : 'missedLeaves'] += 1;
    yield [isHere ? 'came, and was not told' : 'went, and was not told', byMs];
  }
}

/** Somebody in a view. */
export interface Shown {
  readonly user: string;
  readonly sessions?: number | undefined;
  readonly info?: unknown;
}

/** What of a view differs from who is there, by user. `sessions` is compared where the view has it. */
export function differences(view: readonly Shown[], members: ReadonlyMap<string, Member>): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const { user, sessions, info } of view) {
    const member = members.get(user);
    if (seen.has(user)) found.push(`${user} twice`);
    seen.add(user);
    if (member === undefined) found.push(`${user} is not there`);
    else {
      if (sessions !== undefined && sessions !== member.sessions)
        found.push(`${user} has ${member.sessions} sessions, not ${sessions}`);
      if (JSON.stringify(info) !== JSON.stringify(member.info)) found.push(`${user} says something else`);
    }
  }
  for (const user of members.keys()) if (!seen.has(user)) found.push(`${user} is missing`);
  return found;
}

/** Observers whose answers differ from that of the first, by name. The order of users in an answer says nothing. */
export function disagreeing(answers: ReadonlyMap<string, readonly Shown[]>): string[] {
  const texts = [...answers].map(([name, users]) => {
    const rows = users.map(({ user, sessions, info }) => JSON.stringify([user, sessions, info]));
    return { name, text: rows.sort().join('\n') };
  });
  return texts.filter(({ text }) => text !== texts[0]?.text).map(({ name }) => name);
}

/** What a kill was. */
export interface Kill {
  readonly node: string;
  /** Sessions that it had. */
  readonly members: number;
  /** Of them: those that came back elsewhere in time, those that came back late, and those that did not. */
  readonly returned: number;
  readonly late: number;
  readonly gone: number;
}

/** What has to have happened, so that nothing seen means something. */
export interface Happened {
  readonly moves: number;
  readonly movesWanted: number;
  readonly reloads: number;
  readonly reloadsInTime: number;
  /** How users left for good, by way of it. */
  readonly leaves: Readonly<Record<string, number>>;
  readonly kills: readonly Kill[];
  /** Where the observers were each time that this was looked at. */
  readonly observersOn: readonly (readonly string[])[];
}

/** Part of the reloads, and of the returns from a dead edge, that have to be in time. */
const inTimePart = 0.5;

/** What did not happen, in words. */
export function didNotHappen(happened: Happened): string[] {
  const { moves, movesWanted, reloads, reloadsInTime, leaves, kills, observersOn } = happened;
  const missing: string[] = [];
  if (moves < movesWanted) missing.push(`${moves} moves, not ${movesWanted}`);
  if (reloads === 0 || reloadsInTime < reloads * inTimePart)
    missing.push(`${reloadsInTime} of ${reloads} reloads were within the grace`);
  for (const [how, count] of Object.entries(leaves)) if (count === 0) missing.push(`nobody left by ${how}`);
  if (kills.length === 0) missing.push('no edge was killed');
  for (const { node, members, returned, late, gone } of kills) {
    if (members === 0) missing.push(`${node} was killed and had nobody`);
    if (returned === 0 || returned < (returned + late) * inTimePart)
      missing.push(`${returned} of ${returned + late} sessions came back from ${node} in time`);
    if (gone === 0) missing.push(`everybody came back from ${node}`);
  }
  if (observersOn.length === 0) missing.push('nobody looked where the observers are');
  for (const nodes of observersOn)
    if (nodes.length < 2 || new Set(nodes).size < nodes.length)
      missing.push(`observers were on ${nodes.join(', ')}`);
  return missing;
}
