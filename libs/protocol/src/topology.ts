import { exchanges } from './names.js';

/** One exchange that every part of the mesh declares alike. */
export interface MeshExchange {
  name: string;
  type: 'topic' | 'fanout' | 'direct';
  durable: boolean;
  alternateExchange?: string;
}

/**
 * The exchanges of the mesh, as data. Every process that publishes or binds declares exactly these: RabbitMQ
 * refuses (406) a second declaration with other arguments. `mesh.unrouted` comes before `mesh.events`, whose
 * alternate exchange it is.
 */
export const meshTopology: { exchanges: MeshExchange[] } = {
  exchanges: [
    { name: exchanges.unrouted, type: 'fanout', durable: true },
    { name: exchanges.events, type: 'topic', durable: true, alternateExchange: exchanges.unrouted },
    { name: exchanges.inbound, type: 'topic', durable: true },
    { name: exchanges.replies, type: 'direct', durable: true },
    { name: exchanges.dropped, type: 'fanout', durable: true },
    { name: exchanges.undelivered, type: 'topic', durable: true },
    { name: exchanges.sessions, type: 'topic', durable: true },
    { name: exchanges.stats, type: 'topic', durable: true },
    { name: exchanges.control, type: 'topic', durable: true },
    { name: exchanges.manage, type: 'topic', durable: true },
    { name: exchanges.audit, type: 'topic', durable: true },
  ],
};
