// Who was here before, of those whom nobody knows: the strangers whom the box remembers.
import { PictureOutlined } from '@ant-design/icons';
import { Alert, Button, Modal, Popconfirm, Select, Space, Table } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../api/client';
import type { Device, Pagination, Stranger } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { PictureInput } from '../components/PictureInput';
import { ScoreBar } from '../components/ScoreBar';
import { Await, EmptyState, ErrorState, Loading } from '../components/States';
import { useAct } from '../components/useAct';
import { useFormat } from '../lib/format';
import { releasePicture, toBase64, type Picture } from '../lib/picture';
import { Go, navigate, replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useSession } from '../session';

const T = texts({
  off: ['Strangers are not remembered', '未启用陌生人记忆'],
  offHint: [
    'Switched on, the box tells whether a stranger was here before. It keeps biometric data of people who were not asked: see the handbook first.',
    '启用后可判断陌生人是否来过。此功能会保存未经同意者的生物特征数据，启用前请先阅读手册。',
  ],
  settings: ['Settings', '设置'],
  none: ['No stranger is remembered', '暂无陌生人'],
  noneHint: ['Faces of strangers appear here when somebody unknown comes by.', '有陌生人经过时会显示在这里。'],
  often: ['Seen', '到访次数'],
  all: ['everybody', '全部'],
  again: ['twice or more', '两次及以上'],
  regular: ['five times or more', '五次及以上'],
  ask: ['Was this face here before?', '此人来过吗？'],
  yes: ['Yes: {n} remembered strangers look like this', '来过：{n} 名陌生人相似'],
  no: ['No remembered stranger looks like this', '没有相似的陌生人'],
  photo: ['Picture of a face', '人脸图片'],
  face: ['Face', '人脸'],
  number: ['Number', '编号'],
  stranger: ['Stranger {id}', '陌生人 {id}'],
  times: ['Times', '次数'],
  first: ['First seen', '首次出现'],
  last: ['Last seen', '最近出现'],
  device: ['Last at', '最近位置'],
  expires: ['Forgotten', '遗忘时间'],
  total: ['{n} strangers', '共 {n} 名陌生人'],
  records: ['Records', '通行记录'],
  enrol: ['Enrol', '注册'],
  forget: ['Forget', '遗忘'],
  forgetAsk: ['Forget this stranger? The records stay.', '遗忘此陌生人？通行记录会保留。'],
  forgetAll: ['Forget all', '全部遗忘'],
  forgetAllAsk: ['Forget all strangers? The records stay. This cannot be undone.', '遗忘全部陌生人？通行记录会保留，此操作无法撤销。'],
  forgotten: ['Forgotten', '已遗忘'],
  cancel: ['Cancel', '取消'],
});

const PER_PAGE = 20;

interface Answer {
  data: { enabled: boolean; threshold: number; strangers_list: Stranger[]; pagination: Pagination };
}

function Found({ picture }: { picture: Picture }) {
  const t = useTexts(T);
  const format = useFormat();
  const search = useResource(
    async (signal) => api.post<Answer>('/api/strangers/search', { image_base64_str: await toBase64(picture.blob), limit: 20 }, signal),
    [picture.url],
  );
  if (search.error) return <ErrorState error={search.error} onRetry={search.reload} />;
  if (!search.data) return <Loading rows={2} />;
  const { strangers_list: found } = search.data.data;
  if (found.length === 0) return <EmptyState title={t('no')} />;
  return (
    <>
      <Alert type="success" title={t('yes', { n: found.length })} />
      <ul className="found-faces">
        {found.map((stranger) => (
          <li key={stranger.stranger_id}>
            <FaceThumb
              eventId={stranger.event_id}
              name={t('stranger', { id: stranger.stranger_id })}
              size={88}
              onClick={() => navigate('/records', { stranger: stranger.stranger_id })}
            />
            <span>{`${stranger.seen_count} ×`}</span>
            <span className="quiet">{format.moment(stranger.last_seen)}</span>
            {stranger.score !== undefined && <ScoreBar score={stranger.score} />}
          </li>
        ))}
      </ul>
    </>
  );
}

function Ask({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(T);
  const [picture, setPicture] = useState<Picture>();
  useEffect(() => () => picture && releasePicture(picture), [picture]);
  return (
    <Modal open={open} width={680} title={t('ask')} footer={null} onCancel={onClose} destroyOnHidden>
      <Space orientation="vertical" className="wide">
        <PictureInput value={picture} onChange={setPicture} label={t('photo')} />
        {picture && <Found picture={picture} />}
      </Space>
    </Modal>
  );
}

function Actions({ stranger, onForgotten }: { stranger: Stranger; onForgotten: () => void }) {
  const t = useTexts(T);
  const { may } = useSession();
  const forget = useAct(async () => {
    await api.delete(`/api/strangers/${stranger.stranger_id}`, {});
    onForgotten();
  }, t('forgotten'));
  return (
    <Space wrap>
      <Go to="/records" query={{ stranger: stranger.stranger_id }}>
        {t('records')}
      </Go>
      {may('operator') && stranger.event_id && (
        <Go to="/people" query={{ add: 1, event: stranger.event_id }}>
          {t('enrol')}
        </Go>
      )}
      {may('operator') && (
        <Popconfirm title={t('forgetAsk')} okText={t('forget')} cancelText={t('cancel')} okButtonProps={{ danger: true }} onConfirm={() => forget.run()}>
          <Button size="small" danger loading={forget.busy}>
            {t('forget')}
          </Button>
        </Popconfirm>
      )}
    </Space>
  );
}

export default function Strangers() {
  const t = useTexts(T);
  const format = useFormat();
  const { may } = useSession();
  const { query } = useRoute();
  const [asking, setAsking] = useState(false);
  const page = Math.max(1, Number(query.get('page')) || 1);
  const least = query.get('seen') ?? '1';
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), []);
  const strangers = useResource(
    (signal) => api.get<Answer>('/api/strangers', { seen_min: Number(least) || 1, skip_num: (page - 1) * PER_PAGE, limit: PER_PAGE }, signal),
    [least, page],
  );
  const forgetAll = useAct(async () => {
    await api.delete('/api/strangers', { confirm: true });
    strangers.reload();
  }, t('forgotten'));
  const deviceName = (id: string) => devices.data?.data.devices_list.find(({ device_id }) => device_id === id)?.device_name || id;
  const off = (
    <EmptyState title={t('off')} hint={t('offHint')} action={may('admin') && <Go to="/settings">{t('settings')}</Go>} />
  );
  return (
    <Await resource={strangers} empty={({ data }) => !data.enabled} whenEmpty={off}>
      {({ data }) => (
        <>
          <div className="toolbar">
            <Select
              aria-label={t('often')}
              className="filter-choice"
              value={least}
              onChange={(seen: string) => replaceQuery({ seen: seen === '1' ? '' : seen, page: '' })}
              options={[
                { value: '1', label: t('all') },
                { value: '2', label: t('again') },
                { value: '5', label: t('regular') },
              ]}
            />
            <Space wrap className="toolbar-rest">
              <Button icon={<PictureOutlined />} onClick={() => setAsking(true)}>
                {t('ask')}
              </Button>
              {may('operator') && data.pagination.total_count > 0 && (
                <Popconfirm title={t('forgetAllAsk')} okText={t('forgetAll')} cancelText={t('cancel')} okButtonProps={{ danger: true }} onConfirm={() => forgetAll.run()}>
                  <Button danger loading={forgetAll.busy}>
                    {t('forgetAll')}
                  </Button>
                </Popconfirm>
              )}
            </Space>
          </div>
          {data.pagination.total_count === 0 ? (
            <EmptyState title={t('none')} hint={t('noneHint')} />
          ) : (
            <Table<Stranger>
              rowKey="stranger_id"
              size="middle"
              scroll={{ x: 'max-content' }}
              dataSource={data.strangers_list}
              pagination={{
                current: page,
                pageSize: PER_PAGE,
                total: data.pagination.total_count,
                showSizeChanger: false,
                showTotal: (n) => t('total', { n: format.number(n) }),
                onChange: (next) => replaceQuery({ page: next }),
              }}
              columns={[
                {
                  title: t('face'),
                  key: 'face',
                  width: 76,
                  render: (_, stranger) => <FaceThumb eventId={stranger.event_id || undefined} name={t('stranger', { id: stranger.stranger_id })} size={48} />,
                },
                { title: t('number'), dataIndex: 'stranger_id' },
                { title: t('times'), dataIndex: 'seen_count', align: 'end' },
                { title: t('first'), key: 'first', render: (_, { first_seen }) => format.dateTime(first_seen) },
                { title: t('last'), key: 'last', render: (_, { last_seen }) => format.dateTime(last_seen) },
                { title: t('device'), key: 'device', render: (_, { device_id }) => deviceName(device_id) },
                { title: t('expires'), key: 'expires', render: (_, { expires }) => format.ago(expires) },
                { title: '', key: 'actions', render: (_, stranger) => <Actions stranger={stranger} onForgotten={strangers.reload} /> },
              ]}
            />
          )}
          <Ask open={asking} onClose={() => setAsking(false)} />
        </>
      )}
    </Await>
  );
}
