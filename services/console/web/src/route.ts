import { useEffect, useState } from 'preact/hooks';

/** Where the page is, from the address behind `#`: `#/node/edge-1` is `['node', 'edge-1']`. */
export interface Route {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** The opposite: `to('node', 'edge-1')` is `#/node/edge-1`. */
export const to = (...path: readonly string[]): string => `#/${path.map(encodeURIComponent).join('/')}`;

export const go = (address: string): void => {
  location.hash = address;
};

export function useRoute(): Route {
  const [hash, set] = useState(location.hash);
  useEffect(() => {
    const follow = () => set(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return parseRoute(hash);
}

/** An address that somebody has typed may be no code of anything. */
function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}
