// Whether the platform and its broker are reached.
import { Badge, Card } from 'antd';

import { api } from '../../api/client';
import { ErrorState, Loading } from '../../components/States';
import { Go } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';

const T = texts({
  platform: ['Platform', '平台'],
  off: ['not connected to any platform', '未接入平台'],
  logging_in: ['logging in', '登录中'],
  connecting: ['connecting to the broker', '正在连接消息服务器'],
  declaring: ['preparing the queues', '正在准备队列'],
  listening: ['connected', '已连接'],
  paused: ['connected, paused: the box is full', '已连接，暂停接收'],
  waiting: ['no connection, tries again', '未连接，等待重试'],
  commands: ['{n} commands wait', '{n} 条命令待执行'],
  settings: ['Settings', '设置'],
});

interface Link {
  state: string;
  last_error?: string;
  inbox?: { main?: { waiting: number }; waiting?: number };
}

const states = ['off', 'logging_in', 'connecting', 'declaring', 'listening', 'paused', 'waiting'] as const;

export function PlatformState() {
  const t = useTexts(T);
  const { may } = useSession();
  const link = useResource((signal) => api.get<{ data: Link }>('/api/platform', {}, signal), [], { every: 10000 });
  const data = link.data?.data;
  const state = states.find((known) => known === data?.state);
  return (
    <Card title={t('platform')} size="small" extra={may('admin') && <Go to="/settings" query={{ tab: 'platform' }}>{t('settings')}</Go>}>
      {!data && (link.error ? <ErrorState error={link.error} onRetry={link.reload} /> : <Loading rows={1} />)}
      {data && (
        <>
          <Badge status={state === 'listening' ? 'success' : state === 'off' ? 'default' : state === 'waiting' ? 'error' : 'processing'} text={state ? t(state) : data.state} />
          {data.last_error && state !== 'listening' && state !== 'off' && <p className="bad">{data.last_error}</p>}
        </>
      )}
    </Card>
  );
}
