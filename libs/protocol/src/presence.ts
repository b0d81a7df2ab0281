/** What is sent on `mesh.presence`: who is in which topic, from the edge that has them, and what is asked about it. */
import { z } from 'zod';
import { maxInfoBytes } from './frames.js';
import { isSid, isTopic, isUid } from './names.js';
import { count, nodeName, shortId } from './node.js';

/** Members of a topic that are named; of more there is the number alone. */
export const maxListedMembers = 1_000;

const topic = z.string().refine(isTopic);
const uid = z.string().refine(isUid);
const sid = z.string().refine(isSid);
/** Of JSON text. */
const info = z.string().max(maxInfoBytes);

/** A session in a topic: whose, which, since when (ms since the epoch), and its `info` as JSON text. */
const presentSession = z.tuple([uid, sid, count]).or(z.tuple([uid, sid, count, info]));
export type PresentTuple = z.infer<typeof presentSession>;

const entering = z.array(z.tuple([topic, z.array(presentSession)]));
/** Sessions by topic. */
export type Entering = z.infer<typeof entering>;
const leaving = z.array(z.tuple([topic, z.array(z.tuple([uid, sid]))]));

/** A process of an edge. */
const source = { node: nodeName, boot: shortId };

/**
 * From the edge that has the members. `seq` counts the deltas of its process from 1; a beat and a snapshot have that of the last one
 * that they contain. A snapshot comes in `parts`, to the copy that has asked for it.
 */
export const presenceNews = z.discriminatedUnion('t', [
  z.object({ t: z.literal('delta'), ...source, seq: count, in: entering, out: leaving }),
  z.object({ t: z.literal('beat'), ...source, seq: count }),
  z.object({
    t: z.literal('snapshot'),
    ...source,
    seq: count,
    part: count,
    parts: z.number().int().positive().max(100_000),
    in: entering,
  }),
  /** The answer to {@link presenceAsk} `who`: sessions of one user, each with when it came, and false if its socket has just gone. */
  z.object({
    t: z.literal('sessions'),
    ...source,
    ask: shortId,
    sessions: z.array(z.tuple([sid, count])).max(10_000),
  }),
]);
export type PresenceNews = z.infer<typeof presenceNews>;
export type NewsOf<T extends PresenceNews['t']> = Extract<PresenceNews, { t: T }>;

/** To an edge, or to all: who keeps a copy wants all that it has, or the sessions of one user. Answered by `copy.<to>`. */
export const presenceAsk = z.discriminatedUnion('t', [
  z.object({ t: z.literal('snapshot'), to: shortId, boot: shortId }),
  z.object({ t: z.literal('who'), to: shortId, ask: shortId, uid }),
]);
export type PresenceAsk = z.infer<typeof presenceAsk>;

/** A user in a topic, as it is told to applications and clients. */
export interface PresentUser {
  readonly user: string;
  /** How many of the user's sessions have the topic. */
  readonly sessions: number;
  /** Since when, ms since the epoch: of the session that has it longest. */
  readonly since: number;
  /** Of that session. */
  readonly info?: unknown;
}

/** Who is in a topic. */
export interface TopicPresence {
  readonly topic: string;
  /** Users. */
  readonly count: number;
  /** Absent: there are more than {@link maxListedMembers}. */
  readonly users?: readonly PresentUser[];
}

/** Whether a user is online. */
export interface UserPresence {
  readonly user: string;
  readonly online: boolean;
  readonly sessions: readonly { readonly session: string; readonly node: string; readonly since: number }[];
  /** Of the session that is there longest, ms since the epoch; absent: offline. */
  readonly since?: number;
  /** False: an edge that is there did not answer in time, so there may be more. */
  readonly complete: boolean;
}
