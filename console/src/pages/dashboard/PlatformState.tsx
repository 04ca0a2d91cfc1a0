// Whether the platform and its broker are reached.
import { Badge, Card } from 'antd';

import { api } from '../../api/client';
import { ErrorState, Loading } from '../../components/States';
import { Go } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';
import { useLinkState } from '../platform/words';

const T = texts({
  platform: ['Platform', '平台'],
  commands: ['{n} commands wait', '{n} 条命令待执行'],
  settings: ['Settings', '设置'],
});

interface Link {
  state: string;
  last_error?: string;
  inbox?: { main?: { waiting: number }; waiting?: number };
}

export function PlatformState() {
  const t = useTexts(T);
  const nameOf = useLinkState();
  const { may } = useSession();
  const link = useResource((signal) => api.get<{ data: Link }>('/api/platform', {}, signal), [], { every: 10000 });
  const data = link.data?.data;
  const state = data?.state;
  return (
    <Card title={t('platform')} size="small" extra={may('admin') && <Go to="/settings" query={{ tab: 'platform' }}>{t('settings')}</Go>}>
      {!data && (link.error ? <ErrorState error={link.error} onRetry={link.reload} /> : <Loading rows={1} />)}
      {data && (
        <>
          <Badge status={state === 'listening' ? 'success' : state === 'off' ? 'default' : state === 'waiting' ? 'error' : 'processing'} text={nameOf(data.state)} />
          {data.last_error && state !== 'listening' && state !== 'off' && <p className="bad">{data.last_error}</p>}
        </>
      )}
    </Card>
  );
}
