import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

interface Props {
  readonly children: ComponentChildren;
  /** What is asked before it happens. */
  readonly question: string;
  readonly yes: string;
  readonly onYes: () => void;
  readonly testid?: string;
}

/** A button that asks once more, where a slip would hurt. The question takes the focus; Escape takes it back. */
export function Confirm({ children, question, yes, onYes, testid }: Props) {
  const [isAsking, ask] = useState(false);
  const yesButton = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  useEffect(() => {
    if (isAsking) yesButton.current?.focus();
    else if (wasAsking.current) first.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button type="button" ref={first} data-testid={testid} onClick={() => ask(true)}>
        {children}
      </button>
    );
  }
  return (
    <fieldset class="confirm" onKeyDown={({ key }) => key === 'Escape' && ask(false)}>
      <legend>{question}</legend>
      <button
        type="button"
        class="danger"
        ref={yesButton}
        data-testid={testid === undefined ? undefined : `${testid}-yes`}
        onClick={() => {
          ask(false);
          onYes();
        }}
      >
        {yes}
      </button>
      <button type="button" onClick={() => ask(false)}>
        Cancel
      </button>
    </fieldset>
  );
}
