import { cpus } from 'node:os';

function spent(): { busy: number; all: number } {
  let busy = 0;
  let all = 0;
  for (const { times } of cpus()) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    all += sum;
    busy += sum - times.idle;
  }
  return { busy, all };
}

/** Watches the machine's processors from now on; answers the part of their time that was used so far, 0 to 1. */
export function watchProcessors(): () => number {
  const begin = spent();
  return () => {
    const end = spent();
    return end.all === begin.all ? 0 : (end.busy - begin.busy) / (end.all - begin.all);
  };
}
