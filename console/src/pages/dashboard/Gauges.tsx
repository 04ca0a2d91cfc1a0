// How the box itself is: processor, memory, disk, temperature. The stream brings them every few seconds.
import { Card, Progress } from 'antd';
import { useState } from 'react';

import { Loading } from '../../components/States';
import { texts, useTexts } from '../../lib/texts';
import { useStream } from '../../lib/useStream';

const T = texts({
  box: ['The box', '主机状态'],
  cpu: ['Processor', '处理器'],
  memory: ['Memory', '内存'],
  disk: ['Disk', '磁盘'],
  free: ['{n} GB free', '剩余 {n} GB'],
  temperature: ['Temperature', '温度'],
  fault: ['Fault', '故障'],
});

interface Status {
  cpu_use: number;
  memory_use: number;
  memory_size: number;
  disk_use: number;
  disk_free_size: number;
  temperature: number;
  status: string;
  status_desc: string;
}

function Gauge({ label, share, note }: { label: string; share: number; note?: string }) {
  const percent = Math.round(share * 100);
  return (
    <div className="gauge">
      <span>{label}</span>
      <Progress aria-label={label} percent={percent} size="small" status={percent >= 90 ? 'exception' : 'normal'} format={() => `${percent} %`} />
      {note && <span className="quiet">{note}</span>}
    </div>
  );
}

export function Gauges() {
  const t = useTexts(T);
  const [status, setStatus] = useState<Status>();
  useStream('status', (message) => setStatus(message.gateway_ext_data as Status));
  return (
    <Card title={t('box')} size="small">
      {!status && <Loading rows={3} />}
      {status && (
        <>
          <Gauge label={t('cpu')} share={status.cpu_use / 100} />
          <Gauge label={t('memory')} share={status.memory_use} />
          <Gauge label={t('disk')} share={status.disk_use} note={t('free', { n: Math.round(status.disk_free_size) })} />
          {status.temperature > 0 && (
            <div className="gauge">
              {t('temperature')} <strong>{Math.round(status.temperature)} °C</strong>
            </div>
          )}
          {status.status_desc && (
            <p className="bad" role="alert">
              {t('fault')}: {status.status_desc}
            </p>
          )}
        </>
      )}
    </Card>
  );
}
