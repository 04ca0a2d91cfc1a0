// Who passes, as it happens: the enrolled photo beside the live one.
import { Card, Tag } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import type { BoxEvent, Device } from '../../api/types';
import { FaceThumb } from '../../components/FaceThumb';
import { ScoreBar } from '../../components/ScoreBar';
import { Await, EmptyState } from '../../components/States';
import { useFormat } from '../../lib/format';
import { Go } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useStream } from '../../lib/useStream';

const T = texts({
  feed: ['Now', '实时动态'],
  unknown: ['unknown', '陌生人'],
  uncertain: ['uncertain', '不确定'],
  enrolled: ['enrolled photo of {name}', '{name} 的注册照片'],
  live: ['live picture of {name}', '{name} 的抓拍'],
  no_permission: ['may not pass here', '无权通行'],
  blacklisted: ['blacklist', '黑名单'],
  liveness: ['not alive', '非活体'],
  low_quality: ['poor picture', '图像质量低'],
  passed: ['passed', '通过'],
  stranger: ['stranger', '陌生人'],
  alarm: ['alarm', '报警'],
  empty: ['Nobody has passed yet', '暂无通行记录'],
  emptyHint: ['As soon as a camera or a door terminal sees a face, it appears here.', '摄像机或门禁终端识别到人脸后会显示在这里。'],
  all: ['All records', '全部记录'],
});

const SHOWN = 30;
const reasons = ['no_permission', 'blacklisted', 'liveness', 'low_quality'] as const;

function Passage({ event, camera }: { event: BoxEvent; camera: string }) {
  const t = useTexts(T);
  const format = useFormat();
  const known = event.verdict === 'known';
  const name = known ? event.identity_name || event.identity_id : t(event.verdict === 'uncertain' ? 'uncertain' : 'unknown');
  const reason = reasons.find((one) => one === event.reason);
  return (
    <li className="passage">
      {known && <FaceThumb eventId={event._id} kind="reg" name={t('enrolled', { name })} />}
      {!known && <span className="face-thumb passage-nobody" aria-hidden />}
      <FaceThumb eventId={event._id} kind="face" name={t('live', { name })} />
      <div className="passage-words">
        <span>
          {known ? <Go to={`/people/${encodeURIComponent(event.identity_id)}`}>{name}</Go> : <strong className="bad">{name}</strong>}{' '}
          {reason && <Tag color="warning">{t(reason)}</Tag>}
          {event.action === 'alarm' && <Tag color="error">{t('alarm')}</Tag>}
        </span>
        <span className="quiet">{[camera, format.moment(event.timestamp)].filter(Boolean).join(' · ')}</span>
      </div>
      <ScoreBar score={event.score} threshold={event.threshold} />
    </li>
  );
}

export function Feed() {
  const t = useTexts(T);
  const [live, setLive] = useState<BoxEvent[]>([]);
  const past = useResource((signal) => api.get<{ data: BoxEvent[] }>('/SophonFace/api/events', { per_page: SHOWN }, signal), []);
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), []);
  useStream('event', (event) => setLive((before) => [event, ...before].slice(0, SHOWN)));
  useStream('missed', past.reload);
  useStream('device', devices.reload);
  const names = new Map(devices.data?.data.devices_list.map((device) => [device.ep_id, device.device_name]));
  return (
    <Card title={t('feed')} size="small" extra={<Go to="/records">{t('all')}</Go>}>
      <Await resource={past} empty={({ data }) => data.length + live.length === 0} whenEmpty={<EmptyState title={t('empty')} hint={t('emptyHint')} />}>
        {({ data }) => {
          const fresh = new Set(live.map((event) => event._id));
          // A better look takes the place of the one before.
          const replaced = new Set([...live, ...data].map((event) => event.ext_data.supersedes));
          const shown = [...live, ...data.filter((event) => !fresh.has(event._id))].filter((event) => !replaced.has(event._id)).slice(0, SHOWN);
          return (
            <ul className="passages">
              {shown.map((event) => (
                <Passage key={event._id} event={event} camera={names.get(event.ext_data.ep_id) ?? event.ext_data.device_ip} />
              ))}
            </ul>
          );
        }}
      </Await>
    </Card>
  );
}
