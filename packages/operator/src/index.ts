export type { ConnectionFigures } from '@evenkeel/broker';
export type {
  DenialAnswer,
  DenialsAnswer,
  DoneAnswer,
  EventsAnswer,
  ForgetAnswer,
  HistoryAnswer,
  ManageCommand,
  MeshEvent,
  NodeAnswer,
  NodeSettingView,
  NodeStatus,
  PlanAnswer,
  PlanStep,
  PlanView,
  SessionAnswer,
  SessionsAnswer,
  SessionView,
  SetAnswer,
  SettingsAnswer,
  SettingValue,
  SettingView,
  StatusAnswer,
} from '@evenkeel/protocol';
export { NameError } from '@evenkeel/protocol/wire';
export { isUnreachable, OperatorError, operatorErrorCodes } from './errors.js';
export type { CommandOptions } from './manage-calls.js';
export { createOperator, type Operator, type OperatorOptions } from './operator.js';
