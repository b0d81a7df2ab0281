/** Where something listens: `host:port`. */
export interface Place {
  readonly name: string;
  readonly address: string;
  /** Where it answers HAProxy's agent-check; undefined: it does not. */
  readonly agentPort?: number | undefined;
}

export interface Places {
  /** What the front listens on: `host:port`. */
  readonly listen: string;
  readonly gateways: readonly Place[];
  readonly edges: readonly Place[];
}

/**
 * A configuration of `infra/` for other places than those it is written with. Lines that name `edge-1` or `gateway-1`, one after the
 * other, are what is repeated for each; those that name others go.
 */
export function configFor(text: string, { listen, gateways, edges }: Places): string {
  const listening = text
    .replace(/^(\s*listen )\d+/m, `$1${listen}`)
    .replace(/^(\s*bind ):\d+/m, `$1${listen}`)
    .replace(/(ip daddr )[\d.]+( tcp dport )\d+/, `$1${listen.replace(':', '$2')}`)
    .replace(/( mod )\d+/, `$1${edges.length}`);
  return repeated(repeated(listening, 'edge', edges), 'gateway', gateways);
}

function repeated(text: string, kind: 'edge' | 'gateway', places: readonly Place[]): string {
  const named = new RegExp(`\\b${kind}-\\d+\\b`);
  const first = new RegExp(`\\b${kind}-1\\b`, 'g');
  const out: string[] = [];
  let block: string[] = [];
  for (const line of [...text.split('\n'), undefined]) {
    if (line?.match(first)) {
      block.push(line);
      continue;
    }
    for (const [index, place] of block.length === 0 ? [] : [...places.entries()])
      out.push(...block.map((each) => placed(each, first, index, place)));
    block = [];
    if (line !== undefined && (!named.test(line) || line.startsWith('#'))) out.push(line);
  }
  return out.join('\n');
}

function placed(line: string, name: RegExp, index: number, place: Place): string {
  const [host = '', port = ''] = place.address.split(':');
  return line
    .replace(/10\.0\.0\.\d+:\d+/, place.address)
    .replace(/^(\s*)\d+ : 10\.0\.0\.\d+ \. \d+/, `$1${index} : ${host} . ${port}`)
    .replace(/agent-port \d+/, `agent-port ${place.agentPort ?? port}`)
    .replace(name, place.name);
}
