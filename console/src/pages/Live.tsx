// The video cameras, live: one, four or sixteen at a time, with who is seen.
import { PauseOutlined, PlayCircleOutlined } from '@ant-design/icons';
import { Button, Segmented, Select } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { Device } from '../api/types';
import { Await, EmptyState } from '../components/States';
import { Go, replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { isVideo } from './devices/words';
import { Camera } from './live/Camera';
import './live/live.css';

const T = texts({
  cameras: ['Cameras', '摄像机'],
  grid: ['At a time', '画面数'],
  pause: ['Pause', '暂停'],
  play: ['Go on', '继续'],
  none: ['No video camera yet', '暂无网络摄像机'],
  add: ['Add one', '添加'],
});

const sizes = [1, 4, 16];

export default function Live() {
  const t = useTexts(T);
  const { query } = useRoute();
  const [paused, setPaused] = useState(false);
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), []);
  const size = sizes.find((one) => one === Number(query.get('grid'))) ?? 4;
  const chosen = query.get('cameras')?.split(',').filter(Boolean);
  return (
    <Await resource={devices} empty={({ data }) => !data.devices_list.some(({ ep_type }) => isVideo(ep_type))} whenEmpty={<EmptyState title={t('none')} action={<Go to="/devices" query={{ add: '3' }}>{t('add')}</Go>} />}>
      {({ data }) => {
        const cameras = data.devices_list.filter(({ ep_type }) => isVideo(ep_type));
        const shown = (chosen ? cameras.filter(({ device_id }) => chosen.includes(device_id)) : cameras).slice(0, size);
        return (
          <>
            <div className="toolbar">
              <Segmented aria-label={t('grid')} value={size} options={sizes} onChange={(value) => replaceQuery({ grid: value })} />
              <Select
                mode="multiple"
                aria-label={t('cameras')}
                className="live-cameras"
                placeholder={t('cameras')}
                maxTagCount={3}
                allowClear
                value={chosen ?? []}
                options={cameras.map(({ device_id: value, device_name: label }) => ({ value, label }))}
                onChange={(ids) => replaceQuery({ cameras: ids.join(',') })}
              />
              <Button icon={paused ? <PlayCircleOutlined /> : <PauseOutlined />} onClick={() => setPaused(!paused)}>
                {t(paused ? 'play' : 'pause')}
              </Button>
            </div>
            <div className={`live live-${size}`}>
              {shown.map((device) => (
                <Camera key={device.device_id} device={device} paused={paused} still={size > 4} />
              ))}
            </div>
          </>
        );
      }}
    </Await>
  );
}
