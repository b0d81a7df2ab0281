/** Light, dark, or as the system has it: kept in this browser alone. */
export type Theme = 'auto' | 'light' | 'dark';

const key = 'evenkeel-theme';
const changed = 'evenkeel-theme-changed';
const scheme = matchMedia('(prefers-color-scheme: dark)');

export function themeNow(): Theme {
  const saved = localStorage.getItem(key);
  return saved === 'light' || saved === 'dark' ? saved : 'auto';
}

export function setTheme(theme: Theme): void {
  if (theme === 'auto') localStorage.removeItem(key);
  else localStorage.setItem(key, theme);
  applyTheme();
  dispatchEvent(new Event(changed));
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = themeNow();
}

/** Calls back when what is drawn has to be drawn in other colours; returns how to end that. */
export function onTheme(recolour: () => void): () => void {
  scheme.addEventListener('change', recolour);
  addEventListener(changed, recolour);
  return () => {
    scheme.removeEventListener('change', recolour);
    removeEventListener(changed, recolour);
  };
}
