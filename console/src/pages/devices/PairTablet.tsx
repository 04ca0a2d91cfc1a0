// A code by which a tablet becomes this terminal, and an end for those that are.
import { TabletOutlined } from '@ant-design/icons';
import { Button, Modal, Popconfirm, Space, Statistic } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import type { Device } from '../../api/types';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  pair: ['Pair a tablet with {name}', '将平板配对为 {name}'],
  steps: ['Open {address} in the tablet’s browser and type in the code. It is good for {minutes} minutes and once.', '在平板浏览器中打开 {address} 并输入代码。代码 {minutes} 分钟内有效，仅可使用一次。'],
  secure: ['Browsers let a page use the camera only over HTTPS.', '浏览器仅允许 HTTPS 页面使用摄像头。'],
  code: ['Code', '代码'],
  paired: ['Tablets paired so far: {n}', '已配对平板：{n}'],
  end: ['End them all', '全部解除'],
  endAsk: ['These tablets have to be paired again.', '这些平板需要重新配对。'],
  ended: ['Ended', '已解除'],
  cancel: ['Cancel', '取消'],
});

interface Code {
  code: string;
  valid_seconds: number;
  terminals: number;
}

export function PairTablet({ device }: { device: Device }) {
  const t = useTexts(T);
  const [code, setCode] = useState<Code>();
  const path = `/api/devices/${encodeURIComponent(device.device_id)}`;
  const make = useAct(async () => setCode((await api.post<{ data: Code }>(`${path}/pad_code`)).data));
  const end = useAct(async () => {
    await api.delete(`${path}/terminals`, {});
    setCode(undefined);
  }, t('ended'));
  const title = t('pair', { name: device.device_name });
  return (
    <>
      <Button type="text" icon={<TabletOutlined />} loading={make.busy} aria-label={title} title={title} onClick={() => void make.run()} />
      <Modal open={code !== undefined} title={title} footer={null} onCancel={() => setCode(undefined)}>
        {code && (
          <Space orientation="vertical" className="wide">
            <p>{t('steps', { address: `${window.location.origin}/pad`, minutes: Math.round(code.valid_seconds / 60) })}</p>
            {window.location.protocol === 'http:' && <p className="quiet">{t('secure')}</p>}
            <Statistic title={t('code')} value={`${code.code.slice(0, 4)} ${code.code.slice(4)}`} />
            {code.terminals > 0 && (
              <Space wrap>
                {t('paired', { n: code.terminals })}
                <Popconfirm title={t('endAsk')} okText={t('end')} cancelText={t('cancel')} onConfirm={() => end.run()}>
                  <Button danger size="small" loading={end.busy}>
                    {t('end')}
                  </Button>
                </Popconfirm>
              </Space>
            )}
          </Space>
        )}
      </Modal>
    </>
  );
}
