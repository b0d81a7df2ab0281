import type { Mesh } from '@evenkeel/mesh';
import { wallNow } from '@evenkeel/pace';
import type { Log } from '@evenkeel/runtime';
import type { EdgeConfig } from '../../config.js';
import type { EdgeNode } from '../../node.js';
import { EdgePresence, type EdgePresenceOptions } from './presence.js';
import { PresenceQuestions } from './questions.js';

export interface PresenceParts extends Pick<EdgePresenceOptions, 'kept' | 'publish' | 'now'> {
  mesh: Mesh;
  node: EdgeNode;
  config: EdgeConfig;
  log: Log;
}

/** Who is in which topic, and the answers to applications about it. */
export function presenceOf({ mesh, node, config, ...rest }: PresenceParts): {
  presence: EdgePresence;
  presenceQuestions: PresenceQuestions;
} {
  const { consuming, publisher, user } = mesh;
  const presence = new EdgePresence({
    mesh: {
      user,
      publisher: mesh.publisherBeside(),
      // Where the balancer is of an earlier version, its exchange comes with the next one.
      ownQueue: (options) => mesh.ownQueue({ ...options, isOptional: true }),
    },
    node: node.name,
    boot: node.boot,
    graceMs: config.presenceGraceMs,
    maxMembers: config.maxPresent,
    maxEventBytes: config.maxEventBytes,
    wallNow,
    ...rest,
  });
  const presenceQuestions = new PresenceQuestions({
    connection: consuming,
    consumers: consuming.consumers({ channels: 1 }),
    publisher,
    presence,
    user,
    log: rest.log,
    random: Math.random,
  });
  return { presence, presenceQuestions };
}
