import { type Choice, fronts } from '@evenkeel/local';
import { haproxySource, nginxIpHash, type Server } from './hash.js';
import type { StoryFront } from './result.js';

export const choiceOf = (front: StoryFront): Choice => (front === 'direct' ? 'named' : fronts[front].choice);

/** The index of the server that a front which goes by the address chooses for it, as counted here; -1: none. */
export function serverOf(front: StoryFront, address: string, servers: readonly Server[]): number {
  return (front === 'haproxy-source' ? haproxySource : nginxIpHash)(address, servers) ?? -1;
}
