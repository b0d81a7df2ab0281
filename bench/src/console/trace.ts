/** What of a performance trace (the format of chrome://tracing) tells for how long a page could not answer its user. */

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** µs */
  readonly dur?: number;
  /** µs of the processor's time */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The tasks of a page's main thread. */
export interface Tasks {
  readonly count: number;
  /** By the clock, with what other processes took from it meanwhile. */
  readonly longestMs: number;
  /** By the processor's time alone. */
  readonly longestCpuMs: number;
  /** Over 50 ms by the clock. */
  readonly long: number;
}

const longMs = 50;
const taskNames = new Set(['RunTask', 'ThreadControllerImpl::RunTask']);

/** The main thread that has done most: a spare renderer has one too. */
export function tasksOf(json: string): Tasks {
  const { traceEvents } = JSON.parse(json) as { traceEvents: readonly TraceEvent[] };
  const key = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const mains = new Map<string, TraceEvent[]>();
  for (const event of traceEvents) {
    if (event.name === 'thread_name' && event.args?.name === 'CrRendererMain') mains.set(key(event), []);
  }
  for (const event of traceEvents) {
    if (event.ph === 'X' && taskNames.has(event.name)) mains.get(key(event))?.push(event);
  }
  const sumOf = (events: readonly TraceEvent[]): number => events.reduce((sum, { dur = 0 }) => sum + dur, 0);
  const [busiest = []] = [...mains.values()].sort((a, b) => sumOf(b) - sumOf(a));
  if (busiest.length === 0) throw new Error('The trace has no task of a page.');
  const longest = (of: (event: TraceEvent) => number): number => Math.max(...busiest.map(of)) / 1_000;
  return {
    count: busiest.length,
    longestMs: longest(({ dur = 0 }) => dur),
    longestCpuMs: longest(({ tdur = 0 }) => tdur),
    long: busiest.filter(({ dur = 0 }) => dur > longMs * 1_000).length,
  };
}
