/** Names connections, as in `welcome`: each of this process another, with the number of its session's queue unless that is 0. `boot`: of the process. */
export function connectionIds(boot: string): (generation: number) => string {
  let connections = 0;
  return (generation) => {
    connections += 1;
    return [boot, connections, ...(generation === 0 ? [] : [generation])].join('.');
  };
}

/** The number of the session's queue when the connection was welcomed; 0 where the name does not say. */
export function generationOf(connection: string | undefined): number {
  const [, , generation = '', ...rest] = connection?.split('.') ?? [];
  return rest.length === 0 && /^[1-9]\d{0,5}$/.test(generation) ? Number(generation) : 0;
}
