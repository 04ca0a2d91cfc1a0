// Two languages, side by side: each file defines the texts it shows as pairs [English, Chinese], so that none can be
// forgotten and each part of the console carries only its own.
//
//   const T = texts({ many: ['{n} people', '{n} 人'] });
//   const t = useTexts(T);
//   t('many', { n: 3 })
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { readStored, writeStored } from './stored';

export type Language = 'en' | 'zh';
export type Texts<Key extends string> = Record<Key, readonly [en: string, zh: string]>;
export type Values = Record<string, string | number>;
export type Translate<Key extends string> = (key: Key, values?: Values) => string;

export const languageNames: Record<Language, string> = { en: 'English', zh: '简体中文' };

/** What the visitor chose, else the browser's first language that there is. */
function firstLanguage(): Language {
  const stored = readStored('language');
  if (stored === 'en' || stored === 'zh') return stored;
  for (const language of navigator.languages ?? [navigator.language]) {
    if (/^zh\b/i.test(language)) return 'zh';
    if (/^en\b/i.test(language)) return 'en';
  }
  return 'en';
}

interface LanguageState {
  language: Language;
  setLanguage: (language: Language) => void;
}

const LanguageContext = createContext<LanguageState>({ language: 'en', setLanguage: () => undefined });

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, set] = useState<Language>(firstLanguage);
  const setLanguage = useCallback((next: Language) => {
    writeStored('language', next);
    set(next);
  }, []);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const state = useMemo(() => ({ language, setLanguage }), [language, setLanguage]);
  return <LanguageContext.Provider value={state}>{children}</LanguageContext.Provider>;
}

export const useLanguage = () => useContext(LanguageContext);

/** Checks the pairs and keeps their names. */
export function texts<Key extends string>(pairs: Texts<Key>): Texts<Key> {
  return pairs;
}

export function translate<Key extends string>(pairs: Texts<Key>, language: Language, key: Key, values?: Values): string {
  const text = pairs[key][language === 'zh' ? 1 : 0];
  return values ? text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole)) : text;
}

export function useTexts<Key extends string>(pairs: Texts<Key>): Translate<Key> {
  const { language } = useLanguage();
  return useCallback((key, values) => translate(pairs, language, key, values), [pairs, language]);
}
