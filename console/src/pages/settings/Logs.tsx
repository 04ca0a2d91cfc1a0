// What the box wrote into its log since it started: its last lines, as far as they are kept.
import { DownloadOutlined } from '@ant-design/icons';
import { Button, Card, Input, Select, Space, Switch, Table, Tag } from 'antd';
import { useState } from 'react';

import { api, withQuery } from '../../api/client';
import { Await, EmptyState } from '../../components/States';
import { TimeRange, type Range } from '../../components/TimeRange';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource, useSettled } from '../../lib/useResource';

const T = texts({
  title: ['Log', '日志'],
  hint: [
    'The last 2,000 lines since the box started, newest first. How much is written: the setting “Log level”.',
    '主机启动以来最近的 2000 行日志，最新的在前。记录级别由“日志级别”设置决定。',
  ],
  level: ['Level', '级别'],
  debug: ['Everything', '全部'],
  info: ['Info and above', '信息及以上'],
  warn: ['Warnings and errors', '警告和错误'],
  error: ['Errors', '错误'],
  room: ['Part', '模块'],
  anyRoom: ['Any part', '全部模块'],
  text: ['With the text', '包含文字'],
  follow: ['Follow', '自动刷新'],
  download: ['Download', '下载'],
  older: ['Show older lines', '显示更早的日志'],
  none: ['No such line', '没有匹配的日志'],
  when: ['When', '时间'],
  message: ['Message', '内容'],
  shown: ['{n} of {total} lines', '{n} / {total} 行'],
});

const levels = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof levels)[number];
const colours: Record<Level, string | undefined> = { debug: undefined, info: 'blue', warn: 'warning', error: 'error' };

interface Line {
  id: number;
  time: number;
  level: Level;
  room: string;
  text: string;
}

interface Answer {
  data: { lines: Line[]; total_count: number; rooms: string[] };
}

const PAGE = 200;
const MOST = 2000;

export default function Logs() {
  const t = useTexts(T);
  const format = useFormat();
  const [level, setLevel] = useState<Level>('debug');
  const [room, setRoom] = useState('');
  const [typed, setTyped] = useState('');
  const [range, setRange] = useState<Range>({});
  const [follow, setFollow] = useState(true);
  const [limit, setLimit] = useState(PAGE);
  const filter = { level, room, text: useSettled(typed), ...range };
  const logs = useResource((signal) => api.get<Answer>('/api/logs', { ...filter, limit }, signal), [filter, limit], { every: follow ? 5000 : undefined });
  const rooms = logs.data?.data.rooms ?? [];
  return (
    <Card
      title={t('title')}
      extra={
        <Button icon={<DownloadOutlined />} href={withQuery('/api/logs/download', filter)} download>
          {t('download')}
        </Button>
      }
    >
      <p className="quiet">{t('hint')}</p>
      <Space wrap className="wide">
        <Select className="setting-choice" aria-label={t('level')} value={level} onChange={setLevel} options={levels.map((value) => ({ value, label: t(value) }))} />
        <Select
          className="setting-choice"
          aria-label={t('room')}
          value={room}
          onChange={setRoom}
          options={[{ value: '', label: t('anyRoom') }, ...[...new Set(room ? [...rooms, room] : rooms)].map((value) => ({ value, label: value }))]}
        />
        <Input.Search allowClear maxLength={80} placeholder={t('text')} aria-label={t('text')} value={typed} onChange={(event) => setTyped(event.target.value)} />
        <TimeRange value={range} onChange={setRange} />
        <label>
          <Switch size="small" checked={follow} onChange={setFollow} /> {t('follow')}
        </label>
      </Space>
      <Await resource={logs} empty={({ data }) => data.lines.length === 0} whenEmpty={<EmptyState title={t('none')} />}>
        {({ data }) => (
          <>
            <Table<Line>
              size="small"
              className="log-lines"
              rowKey="id"
              dataSource={data.lines}
              pagination={false}
              scroll={{ x: 'max-content' }}
              columns={[
                { title: t('when'), dataIndex: 'time', render: format.moment },
                { title: t('level'), dataIndex: 'level', render: (value: Level) => <Tag color={colours[value]}>{value}</Tag> },
                { title: t('room'), dataIndex: 'room' },
                { title: t('message'), dataIndex: 'text', render: (text: string) => <code className="log-text">{text}</code> },
              ]}
            />
            <Space className="form-end">
              <span className="quiet">{t('shown', { n: data.lines.length, total: data.total_count })}</span>
              {data.lines.length < data.total_count && limit < MOST && <Button onClick={() => setLimit(Math.min(MOST, limit + PAGE))}>{t('older')}</Button>}
            </Space>
          </>
        )}
      </Await>
    </Card>
  );
}
