/** A crowded topic has at least so many clients. */
const leastCrowd = 10;

/**
 * How topics are spread over the clients of a fleet: the first half of them are crowded (fewer where that would be fewer
 * than ten clients each), the clients share them evenly; of the others each has one client, so that moving that client
 * takes the topic from one edge and gives it to another.
 */
export function topicsOfClients(clients: number, topics: number): number[][] {
  const ofClient: number[][] = Array.from({ length: clients }, () => []);
  const crowded = Math.min(Math.ceil(topics / 2), Math.max(1, Math.floor(clients / leastCrowd)));
  if (topics > 0) for (const [n, own] of ofClient.entries()) own.push(n % crowded);
  for (let topic = crowded; topic < topics; topic++) {
    const n = Math.floor(((topic - crowded) * clients) / (topics - crowded));
    ofClient[n]?.push(topic);
  }
  return ofClient;
}

const prefix = 'bench.topic-';

export const topicName = (number: number): string => `${prefix}${number}`;

export const topicNumber = (name: string): number => Number(name.slice(prefix.length));
