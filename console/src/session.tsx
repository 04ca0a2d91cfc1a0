// Who is logged in, and what that person may do.
//
//   const { account, may } = useSession();
//   may('operator')    true for operators and administrators
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { api, asApiError, onUnauthorized, type ApiError } from './api/client';
import type { Role, Session } from './api/types';

interface SessionState {
  /** Undefined until the box has answered. */
  session: Session | undefined;
  error: ApiError | undefined;
  account: Session['account'];
  /** Whether calls that need `role` will be let through. */
  may: (role: Role) => boolean;
  refresh: () => Promise<void>;
  logIn: (name: string, password: string) => Promise<void>;
  setUp: (token: string, name: string, password: string) => Promise<void>;
  logOut: () => Promise<void>;
}

const ranks: Record<Role, number> = { viewer: 1, operator: 2, admin: 3 };

const fetchSession = async () => (await api.get<{ data: Session }>('/api/session')).data;

const SessionContext = createContext<SessionState | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session>();
  const [error, setError] = useState<ApiError>();

  const refresh = useCallback(
    () =>
      fetchSession().then(
        (next) => {
          setSession(next);
          setError(undefined);
        },
        (failure: unknown) => setError(asApiError(failure)),
      ),
    [],
  );

  useEffect(() => {
    void refresh();
    return onUnauthorized(() => void refresh());
  }, [refresh]);

  // A box that restarts is asked again until it answers.
  useEffect(() => {
    if (!error) return undefined;
    const timer = window.setTimeout(() => void refresh(), 5000);
    return () => window.clearTimeout(timer);
  }, [error, refresh]);

  const state = useMemo<SessionState>(() => {
    const role: Role | undefined = session?.mode === 'open' ? 'admin' : session?.account?.role;
    return {
      session,
      error,
      account: session?.account ?? null,
      may: (needed) => role !== undefined && ranks[role] >= ranks[needed],
      refresh,
      logIn: async (name, password) => {
        await api.post('/api/session', { name, password });
        await refresh();
      },
      setUp: async (token, name, password) => {
        await api.post('/api/setup', { token, name, password });
        await refresh();
      },
      logOut: async () => {
        await api.delete('/api/session');
        await refresh();
      },
    };
  }, [session, error, refresh]);

  return <SessionContext.Provider value={state}>{children}</SessionContext.Provider>;
}

export function useSession(): SessionState {
  const state = useContext(SessionContext);
  if (!state) throw new Error('useSession outside of SessionProvider');
  return state;
}
