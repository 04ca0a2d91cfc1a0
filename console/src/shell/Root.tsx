// What every page stands in: language, theme, session; and which page that is.
import { App as AntApp, ConfigProvider, theme as antTheme } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { Suspense, useMemo, type ReactNode } from 'react';

import { ErrorState, Loading } from '../components/States';
import { nonce } from '../lib/nonce';
import { LanguageProvider, useLanguage } from '../lib/texts';
import { ThemeProvider, useTheme } from '../lib/theme';
import { screens } from '../pages';
import { SessionProvider, useSession } from '../session';
import { Boundary } from './Boundary';
import { Layout } from './Layout';
import { LogIn } from './LogIn';
import { SetUp } from './SetUp';

const tokens = {
  colorPrimary: '#1668dc',
  borderRadius: 8,
  fontFamily: 'system-ui, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif',
};
// Text that is told from its background by everybody: contrasts of 4.5 and more (WCAG 2.1 AA).
const lightTokens = {
  colorPrimaryHover: '#0f5bc4', // the library's is too pale under white letters
  colorLink: '#0958d9',
  colorError: '#cf1322',
  colorTextDescription: '#5b6470',
  colorTextTertiary: '#5b6470',
  colorTextPlaceholder: '#67707c',
};
const darkTokens = {
  colorLink: '#69b1ff',
  colorError: '#ff7875',
  colorTextDescription: '#a3abb5',
  colorTextTertiary: '#a3abb5',
  colorTextPlaceholder: '#98a0aa',
};
// Words stand in some switches, also while they are off.
const lightComponents = { Switch: { colorTextQuaternary: '#6b7480', colorTextTertiary: '#5b6470' }, Menu: { itemSelectedColor: '#0958d9' }, Tabs: { itemSelectedColor: '#0958d9', itemHoverColor: '#0958d9' } };
const darkComponents = { Switch: { colorTextQuaternary: '#5a626c', colorTextTertiary: '#6b7480' }, Menu: { itemSelectedColor: '#a9d1ff' }, Tabs: { itemSelectedColor: '#69b1ff', itemHoverColor: '#69b1ff' } };

function Design({ children }: { children: ReactNode }) {
  const { language } = useLanguage();
  const { dark } = useTheme();
  dayjs.locale(language === 'zh' ? 'zh-cn' : 'en');
  const config = useMemo(
    () => ({
      algorithm: dark ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
      token: { ...tokens, ...(dark ? darkTokens : lightTokens) },
      components: dark ? darkComponents : lightComponents,
    }),
    [dark],
  );
  return (
    <ConfigProvider locale={language === 'zh' ? zhCN : enUS} theme={config} csp={{ nonce }} button={{ autoInsertSpace: false }}>
      <AntApp className="app">{children}</AntApp>
    </ConfigProvider>
  );
}

function Entrance({ children }: { children: ReactNode }) {
  const { session, error, refresh } = useSession();
  if (!session)
    return (
      <main className="entrance">{error ? <ErrorState error={error} onRetry={() => void refresh()} /> : <Loading />}</main>
    );
  if (!session.set_up) return <SetUp />;
  if (session.mode === 'closed' && !session.account) return <LogIn />;
  return children;
}

export function Root() {
  const screen = screens[window.location.pathname];
  const shown = screen ? (
    <Suspense fallback={<Loading />}>
      <screen.component />
    </Suspense>
  ) : (
    <Layout />
  );
  return (
    <LanguageProvider>
      <ThemeProvider>
        <Design>
          <Boundary>
            {screen && !screen.session ? (
              shown
            ) : (
              <SessionProvider>
                <Entrance>{shown}</Entrance>
              </SessionProvider>
            )}
          </Boundary>
        </Design>
      </ThemeProvider>
    </LanguageProvider>
  );
}
