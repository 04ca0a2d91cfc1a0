// Doing something on the box, with a busy state and a word at the end:
//
//   const save = useAct(async () => { await api.put(…); reload(); }, t('saved'));
//   <Button loading={save.busy} onClick={() => save.run()}>…</Button>
//
// A failure is shown in the box's own words; `error` keeps it for a form that wants to show it in place (`quiet`).
// run() resolves to true when it worked.
import { App } from 'antd';
import { useCallback, useEffect, useRef, useState } from 'react';

import { asApiError, isAborted, type ApiError } from '../api/client';

export interface Act<Arguments extends unknown[]> {
  run: (...args: Arguments) => Promise<boolean>;
  busy: boolean;
  error: ApiError | undefined;
  clear: () => void;
}

export function useAct<Arguments extends unknown[]>(
  action: (...args: Arguments) => Promise<unknown>,
  done?: string,
  { quiet = false }: { quiet?: boolean } = {},
): Act<Arguments> {
  const { message } = App.useApp();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const current = useRef(action);
  useEffect(() => {
    current.current = action;
  });
  const run = useCallback(
    async (...args: Arguments) => {
      setBusy(true);
      setError(undefined);
      try {
        await current.current(...args);
        if (done) void message.success(done);
        return true;
      } catch (failure) {
        if (isAborted(failure)) return false;
        const said = asApiError(failure);
        setError(said);
        if (!quiet) void message.error(said.message, 6);
        return false;
      } finally {
        setBusy(false);
      }
    },
    [done, message, quiet],
  );
  const clear = useCallback(() => setError(undefined), []);
  return { run, busy, error, clear };
}
