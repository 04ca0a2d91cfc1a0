// Where the visitor is, kept behind the "#" of the address, so that the box serves one page and links can be shared:
// "#/people?group=staff".
//
//   const { path, query } = useRoute();     query: URLSearchParams
//   navigate('/records', { identity_id: '10086' });
//   replaceQuery({ page: '2' });            keeps the place, changes what follows the "?"
//   <Go to="/people">…</Go>
import { useSyncExternalStore, type ReactNode } from 'react';

export interface Route {
  path: string;
  query: URLSearchParams;
}

type Query = Record<string, string | number | undefined | null>;

function read(): string {
  const hash = window.location.hash.slice(1);
  return hash.startsWith('/') ? hash : '/';
}

function subscribe(changed: () => void): () => void {
  window.addEventListener('hashchange', changed);
  return () => window.removeEventListener('hashchange', changed);
}

function parse(hash: string): Route {
  const mark = hash.indexOf('?');
  return mark < 0
    ? { path: hash, query: new URLSearchParams() }
    : { path: hash.slice(0, mark), query: new URLSearchParams(hash.slice(mark + 1)) };
}

let parsed = { hash: read(), route: parse(read()) };

/** The same object as long as nothing changed, as React wants it. */
function current(): Route {
  const hash = read();
  if (hash !== parsed.hash) parsed = { hash, route: parse(hash) };
  return parsed.route;
}

export const useRoute = () => useSyncExternalStore(subscribe, current);

export function href(path: string, query: Query = {}): string {
  const parts = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(parts.map(([name, value]) => [name, String(value)])).toString();
  return `#${path}${text ? `?${text}` : ''}`;
}

export function navigate(path: string, query: Query = {}): void {
  window.location.hash = href(path, query);
}

/** Changes single values of the query ('' removes one) without a step in the browser's history. */
export function replaceQuery(changes: Query): void {
  const { path, query } = current();
  const all: Query = { ...Object.fromEntries(query.entries()), ...changes };
  window.history.replaceState(null, '', href(path, all));
  window.dispatchEvent(new HashChangeEvent('hashchange'));
}

export function Go({ to, query, children, className }: { to: string; query?: Query; children: ReactNode; className?: string }) {
  return (
    <a href={href(to, query)} className={className}>
      {children}
    </a>
  );
}
