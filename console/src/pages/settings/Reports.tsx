// Where the box reports to by itself: real-time events, history, status; and how each receiver is doing.
import { Button, Card, Form, InputNumber, Select, Space, Switch, Table, Tag } from 'antd';
import { useEffect } from 'react';

import { api } from '../../api/client';
import { Await, EmptyState, ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';
import { SendTest } from './SendTest';

const T = texts({
  realtime: ['Real-time events', '实时事件'],
  realtimeHint: ['Sent the moment somebody is recognised, once: for doors and greeters.', '识别后立即发送一次，用于门禁和迎宾屏。'],
  history: ['History', '历史事件'],
  historyHint: ['Every event, repeated until the receiver has confirmed it: for attendance and archives.', '每个事件，重复发送直到接收方确认，用于考勤和归档。'],
  monitor: ['Status', '状态'],
  monitorHint: ['How the box and its devices are doing.', '主机及其设备的运行状态。'],
  urls: ['Addresses', '地址'],
  urlHint: ['http://… or https://…, confirmed by Enter', 'http://… 或 https://…，回车确认'],
  form: ['Format', '格式'],
  period: ['Every (s)', '周期（秒）'],
  regPicture: ['Enrolled photo', '注册照片'],
  spotPicture: ['Picture of the scene', '现场图片'],
  facePicture: ['Face', '人脸图片'],
  strangers: ['Strangers, too', '包括陌生人'],
  save: ['Save', '保存'],
  saved: ['Saved', '已保存'],
  receivers: ['Receivers', '接收方'],
  noReceivers: ['Nothing is reported to anybody', '没有配置任何上报地址'],
  kind: ['Kind', '类型'],
  url: ['Address', '地址'],
  sent: ['Sent', '已发送'],
  failures: ['Failed', '失败'],
  waiting: ['Waiting', '等待'],
  last: ['Last word', '最近情况'],
  fine: ['fine', '正常'],
  test: ['Test', '测试'],
  testHint: [
    'A test message says that it is one: an event of nobody with score 0, or the status. It is not counted.',
    '测试消息带有标记：分值为 0 的无人事件，或当前状态。不计入统计。',
  ],
});

type Block = Record<string, unknown>;

interface Kind {
  path: string;
  title: 'realtime' | 'history' | 'monitor';
  hint: 'realtimeHint' | 'historyHint' | 'monitorHint';
  url: string;
  /** One address as text instead of a list. */
  single?: boolean;
  /** The protocol knows JSON only. */
  jsonOnly?: boolean;
  period: boolean;
  switches: [field: string, label: 'regPicture' | 'spotPicture' | 'facePicture' | 'strangers'][];
}

const kinds: Kind[] = [
  {
    path: '/SophonFogSys/api/EventServerUrl',
    title: 'realtime',
    hint: 'realtimeHint',
    url: 'event_server_url',
    period: false,
    switches: [
      ['real_need_reg_pic', 'regPicture'],
      ['real_need_spot_pic', 'spotPicture'],
      ['real_need_recognize_face', 'facePicture'],
      ['real_need_send_all_person_type', 'strangers'],
    ],
  },
  {
    path: '/SophonFogSys/api/HistoryEventUrl',
    title: 'history',
    hint: 'historyHint',
    url: 'history_upload_event_url',
    period: true,
    switches: [
      ['history_need_reg_pic', 'regPicture'],
      ['history_need_spot_pic', 'spotPicture'],
      ['history_need_recognize_face', 'facePicture'],
    ],
  },
  { path: '/SophonFogSys/api/MonitorServerUrl', title: 'monitor', hint: 'monitorHint', url: 'monitor_server_url', single: true, jsonOnly: true, period: true, switches: [] },
];

function addressesOf(kind: Kind, block: Block): string[] {
  const value = block[kind.url];
  if (Array.isArray(value)) return value as string[];
  return typeof value === 'string' && value !== '' ? [value] : [];
}

function Editor({ kind, block, onSaved }: { kind: Kind; block: Block; onSaved: () => void }) {
  const t = useTexts(T);
  const { may } = useSession();
  const [form] = Form.useForm<Block & { urls: string[] }>();
  useEffect(() => form.setFieldsValue({ ...block, urls: addressesOf(kind, block) }), [form, block, kind]);
  const save = useAct(
    async ({ urls, ...rest }: Block & { urls: string[] }) => {
      await api.post(kind.path, { ...block, ...rest, [kind.url]: kind.single ? (urls[0] ?? '') : urls });
      onSaved();
    },
    t('saved'),
    { quiet: true },
  );
  const id = (field: string) => `${kind.title}-${field}`;
  return (
    <Form form={form} layout="vertical" disabled={!may('admin')} onFinish={(values) => void save.run(values)}>
      <Form.Item name="urls" htmlFor={id('urls')} label={t('urls')} extra={t('urlHint')}>
        <Select id={id('urls')} mode="tags" open={false} suffixIcon={null} maxCount={kind.single ? 1 : undefined} tokenSeparators={[' ', ',']} />
      </Form.Item>
      <Space wrap size="large" align="start" className="wide">
        {!kind.jsonOnly && (
          <Form.Item name="content-type" htmlFor={id('type')} label={t('form')}>
            <Select
              id={id('type')}
              className="setting-choice"
              options={[
                { value: 'json', label: 'JSON' },
                { value: 'form-data', label: 'form-data' },
              ]}
            />
          </Form.Item>
        )}
        {kind.period && (
          <Form.Item name="reported_peroid" htmlFor={id('period')} label={t('period')}>
            <InputNumber id={id('period')} min={1} max={86400} precision={0} />
          </Form.Item>
        )}
        {kind.switches.map(([field, label]) => (
          <Form.Item key={field} name={field} htmlFor={id(field)} label={t(label)} valuePropName="checked">
            <Switch id={id(field)} />
          </Form.Item>
        ))}
      </Space>
      {save.error && <ErrorState error={save.error} />}
      {may('admin') && (
        <Button type="primary" htmlType="submit" loading={save.busy}>
          {t('save')}
        </Button>
      )}
    </Form>
  );
}

function Target({ kind }: { kind: Kind }) {
  const t = useTexts(T);
  const block = useResource((signal) => api.get<{ data: Block }>(kind.path, {}, signal), [kind.path]);
  return (
    <Card title={t(kind.title)}>
      <p className="quiet">{t(kind.hint)}</p>
      <Await resource={block}>{({ data }) => <Editor kind={kind} block={data} onSaved={block.reload} />}</Await>
    </Card>
  );
}

interface Lane {
  url: string;
  down: boolean;
  sent: number;
  failed: number;
  waiting?: number;
  last_error: string;
}

/** Lanes by kind, and numbers beside them. */
type Lanes = Record<string, Lane[] | number>;

function Receivers() {
  const t = useTexts(T);
  const format = useFormat();
  const { may } = useSession();
  const lanes = useResource((signal) => api.get<{ data: Lanes }>('/api/reports', {}, signal), [], { every: 5000 });
  const rows = (data: Lanes) =>
    Object.entries(data).flatMap(([kind, list]) => (Array.isArray(list) ? list.map((lane, index) => ({ kind, lane, key: `${kind}-${index}` })) : []));
  return (
    <Card title={t('receivers')}>
      {may('admin') && <p className="quiet">{t('testHint')}</p>}
      <Await resource={lanes} empty={({ data }) => rows(data).length === 0} whenEmpty={<EmptyState title={t('noReceivers')} />}>
        {({ data }) => (
          <Table
            size="small"
            rowKey="key"
            dataSource={rows(data)}
            pagination={false}
            scroll={{ x: 'max-content' }}
            columns={[
              { title: t('kind'), dataIndex: 'kind', render: (kind: string) => <Tag>{kind}</Tag> },
              { title: t('url'), render: (_, { lane }) => lane.url },
              { title: t('sent'), align: 'end', render: (_, { lane }) => format.number(lane.sent) },
              { title: t('failures'), align: 'end', render: (_, { lane }) => format.number(lane.failed) },
              { title: t('waiting'), align: 'end', render: (_, { lane }) => (lane.waiting === undefined ? '–' : format.number(lane.waiting)) },
              {
                title: t('last'),
                render: (_, { lane }) => (lane.down ? <span className="bad">{lane.last_error}</span> : <span className="good">{t('fine')}</span>),
              },
              ...(may('admin') ? [{ title: t('test'), render: (_: unknown, { kind, lane }: { kind: string; lane: Lane }) => <SendTest key={lane.url} kind={kind} url={lane.url} /> }] : []),
            ]}
          />
        )}
      </Await>
    </Card>
  );
}

export default function Reports() {
  return (
    <div className="settings-cards">
      <Receivers />
      {kinds.map((kind) => (
        <Target key={kind.path} kind={kind} />
      ))}
    </div>
  );
}
