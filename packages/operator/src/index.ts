export * from './answers.js';
export { isUnreachable, OperatorError, operatorErrorCodes } from './errors.js';
export { type CommandOptions, createOperator, type Operator, type OperatorOptions } from './operator.js';
