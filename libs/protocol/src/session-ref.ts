/** How a session is referred to: `<uid>.<sid>`, or a `<sid>` alone: the session of that id, whoever's it is. */
import { z } from 'zod';
import { isSid, isUid } from './names.js';

/** Whose a session is, where that is known, and its id. */
export interface SessionRef {
  readonly uid: string | undefined;
  readonly sid: string;
}

/** What a reference says. Nothing is checked: see {@link isSessionRef}. */
export function splitSessionRef(reference: string): SessionRef {
  const dot = reference.lastIndexOf('.');
  const sid = reference.slice(dot + 1);
  return { uid: dot < 0 ? undefined : reference.slice(0, dot), sid };
}

/** Whether `text` may refer to a session. */
export function isSessionRef(text: string): boolean {
  const { uid, sid } = splitSessionRef(text);
  return isSid(sid) && (uid === undefined || isUid(uid));
}

/** What tells whether a session is the one that is meant; cheap, since many may be looked at. */
export function isMeantBy(
  reference: string,
): (who: { readonly uid: string; readonly sid: string }) => boolean {
  const { uid, sid } = splitSessionRef(reference);
  return (who) => who.sid === sid && (uid === undefined || who.uid === uid);
}

/** `<uid>.<sid>`, or a `<sid>` alone. */
export const sessionRef = z.string().max(256).refine(isSessionRef, 'a session is named <uid>.<sid> or <sid>');

/** `<uid>.<sid>` */
export const sessionKey = sessionRef.refine(
  (text) => splitSessionRef(text).uid !== undefined,
  'a session is named <uid>.<sid>',
);
