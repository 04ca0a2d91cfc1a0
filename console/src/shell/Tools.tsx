// At the top right: whether the live connection stands, language, theme, account.
import { BgColorsOutlined, GlobalOutlined, UserOutlined } from '@ant-design/icons';
import { Badge, Button, Dropdown, Tooltip } from 'antd';
import { useState } from 'react';

import { languageNames, texts, useLanguage, useTexts, type Language } from '../lib/texts';
import { useTheme, type ThemeChoice } from '../lib/theme';
import { useStreamState } from '../lib/useStream';
import { useSession } from '../session';
import { PasswordDialog } from './PasswordDialog';

const T = texts({
  live: ['Live', '实时'],
  notLive: ['Not live', '未连接'],
  language: ['Language', '语言'],
  theme: ['Appearance', '外观'],
  auto: ['As the device', '跟随系统'],
  light: ['Light', '浅色'],
  dark: ['Dark', '深色'],
  account: ['Account', '账户'],
  password: ['Change the password', '修改密码'],
  logOut: ['Log out', '退出登录'],
  admin: ['Administrator', '管理员'],
  operator: ['Operator', '操作员'],
  viewer: ['Viewer', '查看者'],
});

export function LanguageMenu() {
  const t = useTexts(T);
  const { language, setLanguage } = useLanguage();
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [language],
        items: Object.entries(languageNames).map(([key, label]) => ({ key, label })),
        onClick: ({ key }) => setLanguage(key as Language),
      }}
    >
      <Button type="text" icon={<GlobalOutlined />} aria-label={t('language')} />
    </Dropdown>
  );
}

export function ThemeMenu() {
  const t = useTexts(T);
  const { choice, setChoice } = useTheme();
  const choices: ThemeChoice[] = ['auto', 'light', 'dark'];
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        selectable: true,
        selectedKeys: [choice],
        items: choices.map((key) => ({ key, label: t(key) })),
        onClick: ({ key }) => setChoice(key as ThemeChoice),
      }}
    >
      <Button type="text" icon={<BgColorsOutlined />} aria-label={t('theme')} />
    </Dropdown>
  );
}

function AccountMenu() {
  const t = useTexts(T);
  const { session, account, logOut } = useSession();
  const [changing, setChanging] = useState(false);
  if (!account || session?.mode === 'open') return null; // nobody has logged in
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'who', label: `${account.name} · ${t(account.role)}`, disabled: true },
            { type: 'divider' },
            { key: 'password', label: t('password') },
            { key: 'out', label: t('logOut') },
          ],
          onClick: ({ key }) => (key === 'out' ? void logOut() : setChanging(true)),
        }}
      >
        <Button type="text" icon={<UserOutlined />} aria-label={t('account')} />
      </Dropdown>
      <PasswordDialog open={changing} onClose={() => setChanging(false)} />
    </>
  );
}

function LiveState() {
  const t = useTexts(T);
  const connected = useStreamState();
  if (connected === undefined) return null;
  const text = connected ? t('live') : t('notLive');
  return (
    <Tooltip title={text}>
      <span role="status" aria-label={text}>
        <Badge status={connected ? 'processing' : 'default'} />
      </span>
    </Tooltip>
  );
}

export function Tools() {
  return (
    <div className="tools">
      <LiveState />
      <LanguageMenu />
      <ThemeMenu />
      <AccountMenu />
    </div>
  );
}
