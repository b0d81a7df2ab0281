import { connect, type Placement } from '@evenkeel/client';
import WebSocket from 'ws';

/** What it says to its parent: the edge that it would dial, or what its client tells. */
export interface Said {
  readonly edge?: string;
  readonly status?: string;
}

/** A client in a process of its own, which can be stopped: GATEWAY, USER, and the way that it takes to every edge. */
const [gateway, user = '', way = ''] = process.argv.slice(2);
const say = (said: Said): unknown => process.send?.(said);

const client = connect({
  WebSocket,
  storage: false,
  placement: async ({ session }) => {
    const query = new URLSearchParams({ user, ...(session !== undefined && { session }) });
    const answer = await fetch(`${gateway}/gateway?${query}`);
    const place = (await answer.json()) as Placement;
    say({ edge: place.url });
    return { ...place, url: way };
  },
});
client.onStatus((status) => say({ status: status.type === 'gap' ? `gap ${status.reason}` : status.type }));
client.on('n', ({ data }) => say({ status: `event ${data}` }));
