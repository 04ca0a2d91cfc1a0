// The management platform: by what the box is known there, how the link is doing, which commands could not be executed.
import { Card, Descriptions, Table, Tag } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { Await, EmptyState } from '../../components/States';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useLinkState, useQueueState } from '../platform/words';
import { keysOf, type Settings } from './settings';
import { SettingsForm } from './SettingsForm';

const T = texts({
  link: ['Link', '连接状态'],
  state: ['State', '状态'],
  since: ['Since', '开始于'],
  lastError: ['Last error', '最近错误'],
  nextTry: ['Next try', '下次重试'],
  queues: ['Queues', '队列'],
  waiting: ['Commands waiting', '待执行命令'],
  results: ['Results to be sent', '待发送结果'],
  none: ['none', '无'],
  dead: ['Commands that could not be executed', '无法执行的命令'],
  noDead: ['None: every command could be executed', '没有：所有命令均已执行'],
  when: ['When', '时间'],
  method: ['Command', '命令'],
  id: ['Id', '编号'],
  reason: ['Reason', '原因'],
  settings: ['Settings', '设置'],
});

interface Link {
  state: string;
  since: number;
  last_error: string;
  next_try: number;
  queues?: { name: string; state: string; last_error: string }[];
  inbox?: number | { waiting?: number };
  results_waiting?: number;
  [key: string]: unknown;
}

interface Dead {
  time: number;
  method: string;
  message_id: string;
  reason: string;
  excerpt: string;
}

const good = new Set(['listening', 'consuming']);

function LinkCard() {
  const t = useTexts(T);
  const format = useFormat();
  const linkState = useLinkState();
  const queueState = useQueueState();
  const link = useResource((signal) => api.get<{ data: Link }>('/api/platform', {}, signal), [], { every: 5000 });
  return (
    <Card title={t('link')}>
      <Await resource={link} rows={3}>
        {({ data }) => (
          <Descriptions
            column={1}
            size="small"
            items={[
              { key: 'state', label: t('state'), children: <Tag color={good.has(data.state) ? 'success' : data.state === 'off' ? undefined : 'warning'}>{linkState(data.state)}</Tag> },
              ...(data.since > 0 ? [{ key: 'since', label: t('since'), children: format.moment(data.since) }] : []),
              { key: 'error', label: t('lastError'), children: data.last_error ? <span className="bad">{data.last_error}</span> : t('none') },
              ...(data.next_try > 0 ? [{ key: 'next', label: t('nextTry'), children: format.moment(data.next_try) }] : []),
              ...(data.queues?.length
                ? [
                    {
                      key: 'queues',
                      label: t('queues'),
                      children: (
                        <ul className="plain-list">
                          {data.queues.map((queue) => (
                            <li key={queue.name}>
                              {queue.name} <Tag color={good.has(queue.state) ? 'success' : 'warning'}>{queueState(queue.state)}</Tag>
                              {queue.last_error && <span className="bad">{queue.last_error}</span>}
                            </li>
                          ))}
                        </ul>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Await>
    </Card>
  );
}

const PER_PAGE = 10;

function DeadCommands() {
  const t = useTexts(T);
  const format = useFormat();
  const [page, setPage] = useState(1);
  const dead = useResource(
    (signal) => api.get<{ data: Dead[]; pagination: { total_count: number } }>('/api/platform/dead', { page: page - 1, per_page: PER_PAGE }, signal),
    [page],
  );
  return (
    <Card title={t('dead')}>
      <Await resource={dead} empty={({ pagination }) => pagination.total_count === 0} whenEmpty={<EmptyState title={t('noDead')} />}>
        {({ data, pagination }) => (
          <Table<Dead>
            size="small"
            rowKey={(row) => `${row.time}-${row.message_id}-${row.method}`}
            dataSource={data}
            scroll={{ x: 'max-content' }}
            pagination={{ current: page, pageSize: PER_PAGE, total: pagination.total_count, showSizeChanger: false, hideOnSinglePage: true, onChange: setPage }}
            expandable={{ expandedRowRender: (row) => <code className="excerpt">{row.excerpt}</code> }}
            columns={[
              { title: t('when'), dataIndex: 'time', render: format.moment },
              { title: t('method'), dataIndex: 'method' },
              { title: t('id'), dataIndex: 'message_id' },
              { title: t('reason'), dataIndex: 'reason' },
            ]}
          />
        )}
      </Await>
    </Card>
  );
}

export default function Platform({ settings, reload }: { settings: Settings; reload: () => void }) {
  const t = useTexts(T);
  return (
    <div className="settings-cards">
      <LinkCard />
      <Card title={t('settings')}>
        <SettingsForm settings={settings} keys={keysOf(settings, 'platform')} onSaved={reload} />
      </Card>
      <DeadCommands />
    </div>
  );
}
