// Light, dark, or as the device is set.
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { readStored, writeStored } from './stored';

export type ThemeChoice = 'auto' | 'light' | 'dark';

interface ThemeState {
  choice: ThemeChoice;
  dark: boolean;
  setChoice: (choice: ThemeChoice) => void;
}

const ThemeContext = createContext<ThemeState>({ choice: 'auto', dark: false, setChoice: () => undefined });

function storedChoice(): ThemeChoice {
  const stored = readStored('theme');
  return stored === 'light' || stored === 'dark' ? stored : 'auto';
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const [choice, set] = useState<ThemeChoice>(storedChoice);
  const [deviceDark, setDeviceDark] = useState(() => window.matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    const media = window.matchMedia('(prefers-color-scheme: dark)');
    const changed = () => setDeviceDark(media.matches);
    media.addEventListener('change', changed);
    return () => media.removeEventListener('change', changed);
  }, []);
  const dark = choice === 'dark' || (choice === 'auto' && deviceDark);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  }, [dark]);
  const setChoice = useCallback((next: ThemeChoice) => {
    writeStored('theme', next);
    set(next);
  }, []);
  const state = useMemo(() => ({ choice, dark, setChoice }), [choice, dark, setChoice]);
  return <ThemeContext.Provider value={state}>{children}</ThemeContext.Provider>;
}

export const useTheme = () => useContext(ThemeContext);
