// What a page shows, fetched when it is needed and again when asked, with loading and error states:
//
//   const people = useResource((signal) => api.get<Answer>('/api/people', { q }, signal), [q]);
//   people.data, people.error, people.loading, people.reload()
//
// While something newer is fetched, the old stays (`loading` tells). `every` fetches again after so many ms, 5,000 at
// least, while the page can be seen.
import { useCallback, useEffect, useRef, useState } from 'react';

import { asApiError, isAborted, type ApiError } from '../api/client';

export interface Resource<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload: () => void;
}

const SHORTEST_MS = 5000;

export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
  { every }: { every?: number } = {},
): Resource<T> {
  const [state, setState] = useState<{ data?: T; error?: ApiError; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);
  const loader = useRef(load);
  useEffect(() => {
    loader.current = load;
  });

  const key = JSON.stringify(dependencies);
  useEffect(() => {
    const abort = new AbortController();
    const start = async () => {
      setState((before) => (before.loading ? before : { ...before, loading: true }));
      try {
        const data = await loader.current(abort.signal);
        if (!abort.signal.aborted) setState({ data, loading: false });
      } catch (failure) {
        if (!abort.signal.aborted && !isAborted(failure))
          setState((before) => ({ data: before.data, error: asApiError(failure), loading: false }));
      }
    };
    void start();
    return () => abort.abort();
  }, [key, round]);

  const reload = useCallback(() => setRound((before) => before + 1), []);

  useEffect(() => {
    if (every === undefined) return undefined;
    const timer = window.setInterval(() => {
      if (!document.hidden) reload();
    }, Math.max(every, SHORTEST_MS));
    return () => window.clearInterval(timer);
  }, [every, reload]);

  return { data: state.data, error: state.error, loading: state.loading, reload };
}

/** `value`, once it has stayed the same for `ms`: for search fields. */
export function useSettled<T>(value: T, ms = 300): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), ms);
    return () => window.clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
