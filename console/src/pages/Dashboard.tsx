// What happens now: the live feed.
import { Card, Tag } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { BoxEvent } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { ScoreBar } from '../components/ScoreBar';
import { Await, EmptyState } from '../components/States';
import { useFormat } from '../lib/format';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useStream } from '../lib/useStream';

const T = texts({
  feed: ['Now', '实时动态'],
  unknown: ['unknown', '陌生人'],
  uncertain: ['uncertain', '不确定'],
  enrolled: ['enrolled photo of {name}', '{name} 的注册照片'],
  live: ['live picture of {name}', '{name} 的抓拍'],
  empty: ['Nobody has passed yet', '暂无通行记录'],
  emptyHint: ['As soon as a camera or a door terminal sees a face, it appears here.', '摄像机或门禁终端识别到人脸后会显示在这里。'],
});

const SHOWN = 30;

function Passage({ event }: { event: BoxEvent }) {
  const t = useTexts(T);
  const format = useFormat();
  const known = event.verdict === 'known';
  const name = known ? event.identity_name || event.identity_id : t(event.verdict === 'uncertain' ? 'uncertain' : 'unknown');
  return (
    <li className="passage">
      <FaceThumb eventId={known ? event._id : undefined} kind="reg" name={t('enrolled', { name })} />
      <FaceThumb eventId={event._id} kind="face" name={t('live', { name })} />
      <div className="passage-words">
        {known ? <strong>{name}</strong> : <Tag color="error">{name}</Tag>}
        <span className="quiet">
          {event.ext_data.device_ip} · {format.moment(event.timestamp)}
        </span>
      </div>
      <ScoreBar score={event.score} threshold={event.threshold} />
    </li>
  );
}

export default function Dashboard() {
  const t = useTexts(T);
  const [live, setLive] = useState<BoxEvent[]>([]);
  const past = useResource((signal) => api.get<{ data: BoxEvent[] }>('/SophonFace/api/events', { per_page: SHOWN }, signal), []);
  useStream('event', (event) => setLive((before) => [event, ...before].slice(0, SHOWN)));
  useStream('missed', past.reload);
  return (
    <Card title={t('feed')}>
      <Await resource={past} empty={({ data }) => data.length + live.length === 0} whenEmpty={<EmptyState title={t('empty')} hint={t('emptyHint')} />}>
        {({ data }) => {
          const fresh = new Set(live.map((event) => event._id));
          const shown = [...live, ...data.filter((event) => !fresh.has(event._id))].slice(0, SHOWN);
          return (
            <ul className="passages">
              {shown.map((event) => (
                <Passage key={event._id} event={event} />
              ))}
            </ul>
          );
        }}
      </Await>
    </Card>
  );
}
