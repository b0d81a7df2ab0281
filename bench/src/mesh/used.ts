import type { Member, Mesh, PrivateBroker } from '@evenkeel/local';
import { clock } from '../fleet/clock.js';

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

/** What all edges of a mesh together, and its broker, have and have used. */
export interface MeshUsed {
  readonly atMs: number;
  readonly edges: Used;
  readonly broker: Used;
}

export async function usedByMesh({ edges }: Pick<Mesh, 'edges'>, broker: PrivateBroker): Promise<MeshUsed> {
  const ofBroker = await usedByBroker(broker);
  const atMs = clock();
  const all = await Promise.all(edges.map(usedBy));
  const sum = (name: keyof Used) => all.reduce((total, used) => total + used[name], 0);
  return { atMs, edges: { bytes: sum('bytes'), cpuSeconds: sum('cpuSeconds') }, broker: ofBroker };
}

/** Cores that were busy between the two, on average, to the thousandth. */
export function coresBetween(from: MeshUsed, to: MeshUsed): { edgeCores: number; brokerCores: number } {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const cores = (of: 'edges' | 'broker') =>
    Math.round(((to[of].cpuSeconds - from[of].cpuSeconds) * 1_000) / seconds) / 1_000;
  return { edgeCores: cores('edges'), brokerCores: cores('broker') };
}
