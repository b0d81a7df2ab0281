import { AuthError, type Authenticate, uidOf } from './credentials.js';

/** Development mode: anyone may be any user. */
export const believeUser: Authenticate = async ({ user }) => {
  if (user === undefined)
    throw new AuthError(
      'no-credentials',
      'this gateway is in development mode: give ?user=<id>, in the SDK connect({ user })',
    );
  return { uid: uidOf(user, 'bad-user-id') };
};

/** Until it is said how clients authenticate, nobody may come in. */
export const refuseAll: Authenticate = async () => {
  throw new AuthError('no-credentials', 'this gateway lets nobody in; set EVENKEEL_AUTH to jwt (or dev)');
};
