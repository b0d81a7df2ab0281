/** Names connections, as in `welcome`: each of this process another. `boot`: of the process. */
export function connectionIds(boot: string): () => string {
  let connections = 0;
  return () => {
    connections += 1;
    return `${boot}.${connections}`;
  };
}
