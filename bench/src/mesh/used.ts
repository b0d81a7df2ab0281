import type { Member, PrivateBroker } from '@evenkeel/local';

/** What a process has, and has used of a core since its start. */
export interface Used {
  readonly bytes: number;
  readonly cpuSeconds: number;
}

/** What a service's `/metrics` say now; NaN for a name that it does not have. */
export async function metricsOf({ opsUrl }: Member): Promise<(name: string) => number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return (name) => Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1]);
}

export async function usedBy(member: Member): Promise<Used> {
  const value = await metricsOf(member);
  return { bytes: value('process_resident_memory_bytes'), cpuSeconds: value('process_cpu_seconds_total') };
}

/** RabbitMQ counts its own: memory that the runtime has of the system, time of all its threads. */
export async function usedByBroker(broker: Pick<PrivateBroker, 'ctl'>): Promise<Used> {
  const expression = 'io:format("~w ~w ", [erlang:memory(total), element(1, erlang:statistics(runtime))]).';
  // rabbitmqctl starts a runtime of its own, which a busy machine may not do in time.
  const said = await broker.ctl(['eval', expression]).catch(() => broker.ctl(['eval', expression]));
  const [bytes, ms] = said.split(/\s+/).map(Number);
  return { bytes: bytes ?? 0, cpuSeconds: (ms ?? 0) / 1_000 };
}
