import type { closeCodes, Placement } from '@evenkeel/protocol/wire';

const wrongEdge: (typeof closeCodes)['wrongEdge']['code'] = 4010;

/** Why an edge could not be dialled, as far as a client can know: browsers hide the answer to a refused upgrade. */
export function whyFailed(
  { node, url }: Pick<Placement, 'node' | 'url'>,
  code: number,
  reason: string,
): { code: number | string; reason: string } {
  const at = `${node} at ${url}`;
  if (code === wrongEdge) {
    const where = reason.includes('://') ? `; it is at ${reason}` : '';
    return { code, reason: `what answers for ${at} is another edge${where}` };
  }
  if (code !== 1006) return { code, reason: reason || `${at} closed before welcome` };
  const status = /response: (\d{3})$/.exec(reason)?.[1];
  if (status !== undefined) return { code: `http-${status}`, reason: `${at} answered ${status}` };
  return { code, reason: `${at}: ${reason || 'refused, or not reached'}` };
}
