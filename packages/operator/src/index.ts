export type {
  DenialAnswer,
  DenialsAnswer,
  DoneAnswer,
  ForgetAnswer,
  ManageCommand,
  NodeStatus,
  PlanAnswer,
  PlanStep,
  PlanView,
  SessionsAnswer,
  StatusAnswer,
} from '@evenkeel/protocol';
export { NameError } from '@evenkeel/protocol/wire';
export { isUnreachable, OperatorError, operatorErrorCodes } from './errors.js';
export { type CommandOptions, createOperator, type Operator, type OperatorOptions } from './operator.js';
