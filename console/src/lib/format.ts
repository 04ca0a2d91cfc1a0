// Times, numbers and sizes as the reader's language writes them.
import { useMemo } from 'react';

import { useLanguage, type Language } from './texts';

const locales: Record<Language, string> = { en: 'en-GB', zh: 'zh-CN' };

export function useFormat() {
  const { language } = useLanguage();
  return useMemo(() => {
    const locale = locales[language];
    const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    const day = new Intl.DateTimeFormat(locale, { year: 'numeric', month: '2-digit', day: '2-digit' });
    const number = new Intl.NumberFormat(locale);
    const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
    const today = () => day.format(Date.now());
    return {
      /** 14:03:59 */
      time: (ms: number) => time.format(ms),
      /** 22/11/2026, 14:03:59 */
      dateTime: (ms: number) => `${day.format(ms)} ${time.format(ms)}`,
      /** The time alone when it was today. */
      moment: (ms: number) => (day.format(ms) === today() ? time.format(ms) : `${day.format(ms)} ${time.format(ms)}`),
      number: (value: number) => number.format(value),
      /** 0.93 */
      score: (value: number) => value.toFixed(2),
      percent: (share: number) => `${Math.round(share * 100)} %`,
      bytes: (value: number) => {
        const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
        let unit = 0;
        let left = value;
        for (; left >= 1024 && unit < units.length - 1; unit++) left /= 1024;
        return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.round(left)} ${units[unit]}`;
      },
      /** "5 minutes ago" */
      ago: (ms: number) => {
        const seconds = Math.round((ms - Date.now()) / 1000);
        if (Math.abs(seconds) < 60) return relative.format(seconds, 'second');
        if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), 'minute');
        if (Math.abs(seconds) < 86400) return relative.format(Math.round(seconds / 3600), 'hour');
        return relative.format(Math.round(seconds / 86400), 'day');
      },
    };
  }, [language]);
}
