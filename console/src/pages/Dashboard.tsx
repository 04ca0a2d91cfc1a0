// What happens now, what happened today, how the box is.
import { Alert, Button, Card, Statistic } from 'antd';
import type { ReactNode } from 'react';

import { api } from '../api/client';
import { Await } from '../components/States';
import { useFormat } from '../lib/format';
import { Go, navigate } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useSession } from '../session';
import './dashboard/dashboard.css';
import { Feed } from './dashboard/Feed';
import { Gauges } from './dashboard/Gauges';
import { HourChart, type Hour } from './dashboard/HourChart';
import { PlatformState } from './dashboard/PlatformState';

const T = texts({
  passes: ['Passes today', '今日通行'],
  strangers: ['Strangers today', '今日陌生人'],
  alarms: ['Alarms today', '今日报警'],
  people: ['People', '人员'],
  faces: ['{n} faces', '{n} 张人脸'],
  devices: ['Devices up', '在线设备'],
  down: ['{n} down', '{n} 台离线'],
  allUp: ['all up', '全部在线'],
  latency: ['Decision time', '识别耗时'],
  latencyHint: ['half within, 99 % within {p99} ms', '中位数，99% 在 {p99} 毫秒内'],
  noLatency: ['no decision yet', '尚无识别'],
  begin: ['Nobody is enrolled yet. Four steps lead to the first person recognised.', '尚未注册人员。只需四步即可完成首次识别。'],
  steps: ['First steps', '快速开始'],
  hours: ['Today by hour', '今日分时'],
});

interface Quarter {
  start: number;
  [kind: string]: number;
}

interface Overview {
  now: number;
  people: number;
  faces: number;
  events: number;
  devices: { online: number; offline: number };
  latency: { count: number; p50_ms: number; p99_ms: number };
  quarters: Quarter[];
}

const REFRESH_MS = 10000;
const HOUR_MS = 3600000;
const others = ['stranger', 'uncertain', 'no_permission', 'blacklisted', 'liveness', 'low_quality'];

function startOfDay(): number {
  return new Date().setHours(0, 0, 0, 0);
}

const sum = (quarters: Quarter[], kinds: string[]) => quarters.reduce((all, quarter) => all + kinds.reduce((n, kind) => n + (quarter[kind] ?? 0), 0), 0);

/** The day's hours by the visitor's clock. */
function hoursOf(quarters: Quarter[], from: number): Hour[] {
  return Array.from({ length: 24 }, (_, index) => {
    const start = from + index * HOUR_MS;
    const inside = quarters.filter((quarter) => quarter.start >= start && quarter.start < start + HOUR_MS);
    return { start, passed: sum(inside, ['passed']), refused: sum(inside, others) };
  });
}

function Figure({ title, value, note, to }: { title: string; value: string; note?: ReactNode; to?: string }) {
  return (
    <Card size="small" className="figure">
      <Statistic title={to ? <Go to={to}>{title}</Go> : title} value={value} />
      <span className="quiet">{note}</span>
    </Card>
  );
}

export default function Dashboard() {
  const t = useTexts(T);
  const format = useFormat();
  const { may } = useSession();
  const overview = useResource(
    async (signal) => {
      const from = startOfDay();
      return { from, ...(await api.get<{ data: Overview }>('/api/overview', { from, to: from + 24 * HOUR_MS }, signal)) };
    },
    [],
    { every: REFRESH_MS },
  );
  return (
    <div className="dashboard">
      <div className="dashboard-main">
        <Await resource={overview} rows={2}>
          {({ data, from }) => (
            <>
              {data.people === 0 && may('admin') && (
                <Alert
                  className="dashboard-begin"
                  type="info"
                  showIcon
                  title={t('begin')}
                  action={
                    <Button size="small" type="primary" onClick={() => navigate('/welcome')}>
                      {t('steps')}
                    </Button>
                  }
                />
              )}
              <div className="figures">
                <Figure title={t('passes')} value={format.number(sum(data.quarters, ['passed']))} to="/records" />
                <Figure title={t('strangers')} value={format.number(sum(data.quarters, ['stranger', 'uncertain']))} />
                <Figure title={t('alarms')} value={format.number(sum(data.quarters, ['alarm']))} />
                <Figure title={t('people')} value={format.number(data.people)} note={t('faces', { n: format.number(data.faces) })} to="/people" />
                <Figure
                  title={t('devices')}
                  value={format.number(data.devices.online)}
                  note={data.devices.offline > 0 ? <span className="bad">{t('down', { n: data.devices.offline })}</span> : t('allUp')}
                  to="/devices"
                />
                <Figure
                  title={t('latency')}
                  value={data.latency.count > 0 ? `${Math.round(data.latency.p50_ms)} ms` : '–'}
                  note={data.latency.count > 0 ? t('latencyHint', { p99: Math.round(data.latency.p99_ms) }) : t('noLatency')}
                />
              </div>
              <Card title={t('hours')} size="small">
                <HourChart hours={hoursOf(data.quarters, from)} />
              </Card>
            </>
          )}
        </Await>
        <Feed />
      </div>
      <aside className="dashboard-side">
        <PlatformState />
        <Gauges />
      </aside>
    </div>
  );
}
