/**
 * Every failure of an operator's command. `code` is what the balancer answered (`refused`, `unknown-node`, …)
 * or one of {@link operatorErrorCodes} where there was no answer. The message says what to do next.
 */
export class OperatorError extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'OperatorError';
    this.code = code;
  }
}

/** Codes that this library gives itself. */
export const operatorErrorCodes = {
  /** RabbitMQ does not answer or refuses the connection. */
  unreachable: 'unreachable',
  /** Nothing declares `mesh.manage`: no balancer has been there. */
  noBalancer: 'no-balancer',
  /** RabbitMQ does not let this user send the command. */
  forbidden: 'forbidden',
  /** No answer in time; the command may or may not have been carried out. Repeat it with the same id. */
  timeout: 'timeout',
  /** The answer is not of the documented form. */
  badAnswer: 'bad-answer',
  /** {@link Operator.close} was called. */
  closed: 'closed',
} as const;

/** Codes after which nothing is known about the command, as opposed to its being refused. */
export const isUnreachable = (code: string): boolean =>
  code === operatorErrorCodes.unreachable ||
  code === operatorErrorCodes.noBalancer ||
  code === operatorErrorCodes.timeout;
