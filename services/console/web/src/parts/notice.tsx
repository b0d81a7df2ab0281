import { useEffect } from 'preact/hooks';

export interface Said {
  readonly text: string;
  readonly tone: 'good' | 'bad';
  readonly at: number;
}

/** What has gone well disappears; what has not stays until it is put away. */
const shownMs = 8_000;

/** How the last command went. */
export function Notice({ said, onDone }: { said: Said | undefined; onDone: () => void }) {
  useEffect(() => {
    if (said?.tone !== 'good') return;
    const timer = setTimeout(onDone, shownMs);
    return () => clearTimeout(timer);
  }, [said, onDone]);
  return (
    <div class="notice" role={said?.tone === 'bad' ? 'alert' : 'status'} data-testid="notice">
      {said !== undefined && (
        <p data-tone={said.tone}>
          <span>{said.text}</span>
          <button type="button" aria-label="Put this message away" onClick={onDone}>
            ×
          </button>
        </p>
      )}
    </div>
  );
}
