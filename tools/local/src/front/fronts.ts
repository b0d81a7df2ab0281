/** What stands between clients and edges, under one public name. */
export type Program = 'nginx' | 'haproxy' | 'nft';

/** How a front chooses an edge. */
export type Choice =
  /** It reaches the edge that a ticket names. */
  | 'named'
  /** An address always goes to the same edge. */
  | 'hashed'
  /** Anew for each connection. */
  | 'any';

export interface FrontKind {
  readonly program: Program;
  /** Its configuration, below the repository's root. */
  readonly file: string;
  readonly choice: Choice;
  /** Of the URL that clients dial. */
  readonly path: string;
  /** Whether `GET /gateway` comes through it too. */
  readonly hasGateway: boolean;
  /** It asks edges how much room they have. */
  readonly asksAgents?: boolean;
  /** Clients dial it with TLS. */
  readonly hasTls?: boolean;
}

const kind = (
  program: Program,
  file: string,
  choice: Choice,
  path = '/ws',
  hasGateway = true,
): FrontKind => ({ program, file: `infra/${file}`, choice, path, hasGateway });

const perEdge = '/e/{node}/ws';

export const fronts = {
  'nginx-path': kind('nginx', 'nginx/path.conf', 'named', perEdge),
  'nginx-tls': { ...kind('nginx', 'nginx/tls.conf', 'named', perEdge), hasTls: true },
  'nginx-iphash': kind('nginx', 'nginx/ip-hash.conf', 'hashed'),
  'nginx-leastconn': kind('nginx', 'nginx/least-conn.conf', 'any'),
  'haproxy-path': kind('haproxy', 'haproxy/path.cfg', 'named', perEdge),
  'haproxy-ticket': kind('haproxy', 'haproxy/ticket.cfg', 'named'),
  'haproxy-source': kind('haproxy', 'haproxy/source.cfg', 'hashed'),
  'haproxy-agent': { ...kind('haproxy', 'haproxy/agent.cfg', 'named'), asksAgents: true },
  l4: kind('nft', 'l4/evenkeel.nft', 'any', '/ws', false),
} as const satisfies Readonly<Record<string, FrontKind>>;
export type FrontName = keyof typeof fronts;

export const frontNames = Object.keys(fronts) as FrontName[];
