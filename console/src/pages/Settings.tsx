// Everything that can be set, by subject; behind the last tab every setting there is.
import { Card, Input, Tabs } from 'antd';
import { lazy, Suspense, useState, type ReactNode } from 'react';

import { api } from '../api/client';
import { Await, Loading } from '../components/States';
import { replaceQuery, useRoute } from '../lib/router';
import { texts, useLanguage, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useSession } from '../session';
import { keysOf, settingHelp, settingLabel, type Section, type Settings as AllSettings } from './settings/settings';
import { SettingsForm } from './settings/SettingsForm';

const Recognition = lazy(() => import('./settings/Recognition'));
const Reports = lazy(() => import('./settings/Reports'));
const Platform = lazy(() => import('./settings/Platform'));
const Storage = lazy(() => import('./settings/Storage'));
const Backup = lazy(() => import('./settings/Backup'));
const Accounts = lazy(() => import('./settings/Accounts'));
const Logs = lazy(() => import('./settings/Logs'));
const ModelSets = lazy(() => import('./settings/ModelSets'));
const Network = lazy(() => import('./settings/Network'));

const T = texts({
  recognition: ['Recognition', '识别'],
  doors: ['Doors', '门禁'],
  reports: ['Reports', '上报'],
  platform: ['Platform', '平台'],
  storage: ['Storage', '存储'],
  access: ['Accounts', '账户'],
  backup: ['Backup', '备份'],
  box: ['Box', '主机'],
  network: ['Network', '网络'],
  logs: ['Logs', '日志'],
  all: ['All settings', '全部设置'],
  search: ['Find a setting', '查找设置'],
});

function Plain({ section, settings, reload }: { section: Section; settings: AllSettings; reload: () => void }) {
  return (
    <Card>
      <SettingsForm settings={settings} keys={keysOf(settings, section)} onSaved={reload} />
    </Card>
  );
}

function All({ settings, reload }: { settings: AllSettings; reload: () => void }) {
  const t = useTexts(T);
  const { language } = useLanguage();
  const [wanted, setWanted] = useState('');
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const keys = Object.entries(settings)
    .filter(([key, setting]) => {
      const text = `${key} ${settingLabel(key, language)} ${settingHelp(key, setting, language)}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map(([key]) => key);
  return (
    <Card>
      <Input.Search className="settings-search" allowClear placeholder={t('search')} aria-label={t('search')} value={wanted} onChange={(event) => setWanted(event.target.value)} />
      <SettingsForm settings={settings} keys={keys} onSaved={reload} />
    </Card>
  );
}

export default function Settings() {
  const t = useTexts(T);
  const { query } = useRoute();
  const { may } = useSession();
  const settings = useResource((signal) => api.get<{ data: AllSettings }>('/api/settings', {}, signal), []);
  const withSettings = (show: (settings: AllSettings) => ReactNode) => (
    <Await resource={settings}>{({ data }) => <Suspense fallback={<Loading />}>{show(data)}</Suspense>}</Await>
  );
  const alone = (shown: ReactNode) => <Suspense fallback={<Loading />}>{shown}</Suspense>;
  const { reload } = settings;
  const items = [
    {
      key: 'recognition',
      label: t('recognition'),
      children: withSettings((data) => (
        <div className="settings-cards">
          <Recognition settings={data} reload={reload} />
          <ModelSets />
        </div>
      )),
    },
    { key: 'doors', label: t('doors'), children: withSettings((data) => <Plain section="doors" settings={data} reload={reload} />) },
    { key: 'reports', label: t('reports'), children: alone(<Reports />) },
    { key: 'platform', label: t('platform'), children: withSettings((data) => <Platform settings={data} reload={reload} />) },
    { key: 'storage', label: t('storage'), children: withSettings((data) => <Storage settings={data} reload={reload} />) },
    ...(may('admin')
      ? [
          { key: 'access', label: t('access'), children: alone(<Accounts />) },
          { key: 'backup', label: t('backup'), children: alone(<Backup />) },
        ]
      : []),
    { key: 'box', label: t('box'), children: withSettings((data) => <Plain section="box" settings={data} reload={reload} />) },
    ...(may('admin')
      ? [
          { key: 'network', label: t('network'), children: alone(<Network />) },
          { key: 'logs', label: t('logs'), children: alone(<Logs />) },
        ]
      : []),
    { key: 'all', label: t('all'), children: withSettings((data) => <All settings={data} reload={reload} />) },
  ];
  const tab = items.find(({ key }) => key === query.get('tab'))?.key ?? 'recognition';
  return <Tabs activeKey={tab} destroyOnHidden onChange={(key) => replaceQuery({ tab: key })} items={items} />;
}
