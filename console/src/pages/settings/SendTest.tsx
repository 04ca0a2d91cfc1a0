// A button that has the box send one receiver a message that says it is a test, and what came of it.
import { Button, Space } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  send: ['Send test', '发送测试'],
  sendTo: ['Send a test message to {url}', '向 {url} 发送测试消息'],
  taken: ['Taken: HTTP {status} after {ms} ms', '已接收：HTTP {status}，{ms} 毫秒'],
  failed: ['{error}, after {ms} ms', '{error}（{ms} 毫秒）'],
  answered: ['It answered:', '对方应答：'],
});

interface Trial {
  taken: boolean;
  http_status: number;
  took_ms: number;
  answer: string;
  error: string;
}

/** Kinds of receivers that take test messages; results of commands answer something, or are none. */
const kinds = new Set(['realtime', 'history', 'monitor', 'outbox', 'devices']);

export function SendTest({ kind, url }: { kind: string; url: string }) {
  const t = useTexts(T);
  const format = useFormat();
  const [last, setLast] = useState<{ at: number; trial: Trial }>();
  const send = useAct(async () => {
    setLast(undefined);
    const { data } = await api.post<{ data: Trial }>('/api/reports/test', { kind, url });
    setLast({ at: Date.now(), trial: data });
  });
  if (!kinds.has(kind)) return null;
  const ms = last ? format.number(Math.round(last.trial.took_ms)) : '';
  return (
    <Space orientation="vertical" size={2}>
      <Button size="small" loading={send.busy} aria-label={t('sendTo', { url })} onClick={() => void send.run()}>
        {t('send')}
      </Button>
      {last && (
        <span role="status" className={last.trial.taken ? 'good' : 'bad'}>
          {format.time(last.at)} {last.trial.taken ? t('taken', { status: last.trial.http_status, ms }) : t('failed', { error: last.trial.error, ms })}
        </span>
      )}
      {last && last.trial.answer !== '' && (
        <details>
          <summary>{t('answered')}</summary>
          <code className="log-text">{last.trial.answer}</code>
        </details>
      )}
    </Space>
  );
}
