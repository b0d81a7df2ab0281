/** Every code of an answer that is not 2xx, with the title of its problem. */
export const problems = {
  'bad-url': 'The address cannot be read',
  'bad-json': 'The body is not JSON',
  'bad-request': 'The request is not as the contract has it',
  'bad-name': 'A name or an id cannot be carried',
  'bad-idempotency-key': 'The Idempotency-Key cannot be used',
  'idempotency-conflict': 'The Idempotency-Key was used for another request',
  'no-key': 'No key was sent',
  'bad-key': 'The key is not known',
  forbidden: 'The key may not do that',
  'not-found': 'There is no such path',
  'method-not-allowed': 'The path takes another method',
  'too-large': 'The body is too long',
  'bad-type': 'The body is of another type',
  'rate-limited': 'Too many requests',
  'too-many-open': 'Too many requests at the same time',
  internal: 'The service failed',
  'no-history': 'The namespace keeps no history',
  'no-presence': 'The namespace keeps no presence',
  'no-session': 'The user has no session that could be asked',
  'no-answer': 'No client has answered in time',
  'history-lost': 'Part of the history is gone',
  unavailable: 'RabbitMQ, or who has the answer, does not answer',
  unconfirmed: 'RabbitMQ has not confirmed in time',
} as const;

/** Before the code in a problem's `type`. */
export const problemTypes = 'urn:evenkeel:problem:';
