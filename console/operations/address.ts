/** Where one is: the console's addresses, which a CRM may open too (screen pop). An address names ids, never a number or a name. */
import { useEffect, useState } from 'react';

export type Place =
  | {
      readonly kind:
        | 'home'
        | 'runbook'
        | 'customers'
        | 'approvals'
        | 'recoveries'
        | 'audit'
        | 'works-now';
    }
  | { readonly kind: 'customer' | 'call'; readonly customerId: string }
  | { readonly kind: 'recovery'; readonly recoveryId: string };

const CUSTOMER = /^\/customers\/(cus_[0-9a-f]{32})(\/call)?$/;
const RECOVERY = /^\/recoveries\/(cer_[0-9a-f]{32})$/;

/** Undefined for an address that is none of ours. */
export function placeOf(path: string): Place | undefined {
  if (path === '/') return { kind: 'home' };
  if (path === '/runbook') return { kind: 'runbook' };
  if (path === '/customers') return { kind: 'customers' };
  if (path === '/approvals') return { kind: 'approvals' };
  if (path === '/recoveries') return { kind: 'recoveries' };
  if (path === '/audit') return { kind: 'audit' };
  if (path === '/works-now') return { kind: 'works-now' };
  const [, recoveryId] = RECOVERY.exec(path) ?? [];
  if (recoveryId !== undefined) return { kind: 'recovery', recoveryId };
  const [, customerId, call] = CUSTOMER.exec(path) ?? [];
  if (customerId === undefined) return undefined;
  return { kind: call === undefined ? 'customer' : 'call', customerId };
}

export const customerAddress = (customerId: string): string => `/customers/${customerId}`;
export const recoveryAddress = (recoveryId: string): string => `/recoveries/${recoveryId}`;
export const callAddress = (customerId: string): string => `/customers/${customerId}/call`;

/** Goes there without loading the page anew. */
export function goTo(path: string): void {
  if (path === window.location.pathname) return;
  window.history.pushState(null, '', path);
  window.dispatchEvent(new PopStateEvent('popstate'));
}

export function usePath(): string {
  const [path, setPath] = useState(() => window.location.pathname);
  useEffect(() => {
    const follow = () => {
      setPath(window.location.pathname);
    };
    window.addEventListener('popstate', follow);
    return () => {
      window.removeEventListener('popstate', follow);
    };
  }, []);
  return path;
}

/** The query of the address, for filters that stay: changed in place, so that going back leaves the page and not the filter. */
export function useSearch(): readonly [URLSearchParams, (next: URLSearchParams) => void] {
  const [search, setSearch] = useState(() => window.location.search);
  const change = (next: URLSearchParams) => {
    const text = next.toString();
    window.history.replaceState(
      null,
      '',
      window.location.pathname + (text === '' ? '' : `?${text}`),
    );
    setSearch(text);
  };
  return [new URLSearchParams(search), change];
}
