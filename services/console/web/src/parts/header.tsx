import { useState } from 'preact/hooks';
import { logout } from '../api.js';
import { useDesk } from '../context.js';
import { type Route, to } from '../route.js';
import { setTheme, type Theme, themeNow } from '../theme.js';

const screens = [
  { name: 'Now', address: to(), at: ['', 'node', 'plan'] },
  { name: 'Sessions', address: to('sessions'), at: ['sessions', 'user', 'session'] },
  { name: 'History', address: to('history'), at: ['history'] },
  { name: 'Broker', address: to('broker'), at: ['broker'] },
] as const;

export function Header({ route, onSignedOut }: { route: Route; onSignedOut: () => void }) {
  const { live } = useDesk();
  const { me } = live;
  const here = route.path[0] ?? '';
  return (
    <header>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <p class="brand">
        <img src="/favicon.svg" alt="" width="26" height="26" /> Evenkeel
      </p>
      <nav aria-label="Screens">
        {screens.map(({ name, address, at }) => (
          <a
            key={name}
            href={address}
            aria-current={(at as readonly string[]).includes(here) ? 'page' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <div class="me">
        <ThemeChoice />
        {me !== undefined && (
          <span>
            {me.name}
            {me.role === 'view' && <span class="note"> views only</span>}
          </span>
        )}
        {me !== undefined && !me.isOpen && (
          <button type="button" onClick={() => void logout().finally(onSignedOut)}>
            Log out
          </button>
        )}
      </div>
    </header>
  );
}

/** No link: the address behind `#` is the screen's. */
function skip(): void {
  document.getElementById('main')?.focus();
}

function ThemeChoice() {
  const [theme, set] = useState<Theme>(themeNow);
  return (
    <select
      aria-label="Colours"
      value={theme}
      onChange={({ currentTarget }) => {
        const chosen = currentTarget.value as Theme;
        setTheme(chosen);
        set(chosen);
      }}
    >
      <option value="auto">Auto</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}
