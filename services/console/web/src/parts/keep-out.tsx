import { useState } from 'preact/hooks';
import { useDesk } from '../context.js';
import { disconnected } from '../outcomes.js';
import { Confirm } from './confirm.js';

type Subject = { readonly user: string } | { readonly session: string };

const spans = [
  { name: '1 hour', ms: 3_600_000 },
  { name: '1 day', ms: 86_400_000 },
  { name: '30 days', ms: 30 * 86_400_000 - 60_000 },
] as const;

/** Ends connections of a user or a session, keeps them out for a time, or lets them in again. */
export function KeepOut({ subject, name, onDone }: { subject: Subject; name: string; onDone: () => void }) {
  const { act, canOperate } = useDesk();
  const [span, choose] = useState(0);
  const { name: spanName, ms } = spans[span] ?? spans[0];
  if (!canOperate) return null;
  return (
    <div class="buttons">
      <Confirm
        testid="disconnect"
        question={`End ${'user' in subject ? 'all sessions' : 'the session'} of ${name}? What waits for it is dropped.`}
        yes="Disconnect"
        onYes={() =>
          void act({ command: 'disconnect', ...subject }, (answer) => disconnected(name, answer)).then(onDone)
        }
      >
        Disconnect
      </Confirm>
      <Confirm
        testid="deny"
        question={`Keep ${name} out of the whole mesh for ${spanName}?`}
        yes={`Deny for ${spanName}`}
        onYes={() =>
          void act(
            { command: 'deny', ...subject, untilMs: Date.now() + ms },
            () => `${name} is denied for ${spanName}.`,
          ).then(onDone)
        }
      >
        Deny
      </Confirm>
      <select
        aria-label="For how long to deny"
        value={span}
        onChange={({ currentTarget }) => choose(Number(currentTarget.value))}
      >
        {spans.map((each, i) => (
          <option key={each.name} value={i}>
            for {each.name}
          </option>
        ))}
      </select>
      <button
        type="button"
        data-testid="allow"
        onClick={() => void act({ command: 'allow', ...subject }, () => `${name} may come in.`).then(onDone)}
      >
        Allow
      </button>
    </div>
  );
}
