import { manageErrors, NameError, toUid } from '@evenkeel/protocol';
import { ManageError } from './answers.js';

/** The carried form of a user id. @throws ManageError `bad-user` */
export function carried(user: string): string {
  try {
    return toUid(user);
  } catch (error) {
    if (error instanceof NameError) throw new ManageError(manageErrors.badUser, error.message);
    throw error;
  }
}
