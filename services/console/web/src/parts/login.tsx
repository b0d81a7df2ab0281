import { useState } from 'preact/hooks';
import { login } from '../api.js';

/** Asks for an operator's token. */
export function Login({ onDone }: { onDone: () => void }) {
  const [token, set] = useState('');
  const [error, fail] = useState<string>();
  const [isBusy, wait] = useState(false);
  return (
    <main class="login">
      <form
        class="card"
        onSubmit={async (event) => {
          event.preventDefault();
          wait(true);
          try {
            await login(token.trim());
            onDone();
          } catch (reason) {
            fail(reason instanceof Error ? reason.message : String(reason));
          } finally {
            wait(false);
          }
        }}
      >
        <h1 class="brand">
          <img src="/favicon.svg" alt="" width="32" height="32" /> Evenkeel console
        </h1>
        <label for="token">Your token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          required
          data-testid="token"
          value={token}
          aria-describedby={error === undefined ? 'token-note' : 'token-error token-note'}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
        {error !== undefined && (
          <p id="token-error" class="trouble" role="alert">
            {error}
          </p>
        )}
        <button type="submit" class="primary" data-testid="login" disabled={isBusy}>
          Log in
        </button>
        <p id="token-note" class="note">
          <code>npx evenkeel console-token NAME --role operate</code> makes one.
        </p>
      </form>
    </main>
  );
}
