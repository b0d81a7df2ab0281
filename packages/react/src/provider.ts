import type { Client } from '@evenkeel/client';
import { createContext, createElement, type ReactNode, useContext, useInsertionEffect, useRef } from 'react';

/** A client of any map of types. */
// biome-ignore lint/suspicious/noExplicitAny: Handlers make clients invariant in their maps; what fits is said by createHooks.
export type AnyClient = Client<any, any, any, any, any>;

const Context = createContext<AnyClient | undefined>(undefined);

/**
 * What {@link EvenkeelProvider} takes.
 * @example
 * const props: EvenkeelProviderProps = { client };
 * root.render(<EvenkeelProvider {...props} />);
 */
export interface EvenkeelProviderProps {
  /** Made outside of components, so that it outlives them; the provider neither connects nor closes it. */
  readonly client: AnyClient;
  readonly children?: ReactNode;
}

/**
 * Gives the hooks below it their client.
 * @example
 * const client = connect<Mesh>({ gateway, user });
 * root.render(<EvenkeelProvider client={client}><App /></EvenkeelProvider>);
 */
export const EvenkeelProvider = ({ client, children }: EvenkeelProviderProps): ReactNode =>
  createElement(Context.Provider, { value: client }, children);

/** @throws Error outside of an {@link EvenkeelProvider}. */
export function useProvided(): AnyClient {
  const client = useContext(Context);
  if (!client) throw new Error('There is no client here: put an EvenkeelProvider around this component.');
  return client;
}

/** The value of the newest render, for handlers: a new function is no reason to subscribe anew. */
export function useNewest<Value>(value: Value): { readonly current: Value } {
  const newest = useRef(value);
  useInsertionEffect(() => {
    newest.current = value;
  });
  return newest;
}
