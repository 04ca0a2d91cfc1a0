// How the box recognises: what the threshold promises, and what it would promise with what is being typed.
import { Alert, Card } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { Await } from '../../components/States';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource, useSettled } from '../../lib/useResource';
import { keysOf, type Setting, type Settings } from './settings';
import { SettingsForm } from './SettingsForm';
import './recognition.css';
import { ThresholdChart, type Scores } from './ThresholdChart';

const T = texts({
  title: ['Threshold', '识别阈值'],
  accept: [
    'Of {of} strangers who pass, about {n} are taken for somebody enrolled ({people} people; with 95 % certainty {low} to {high}).',
    '每 {of} 名经过的陌生人中，约有 {n} 人会被误认为库内人员（共 {people} 人；95% 置信区间 {low} 至 {high}）。',
  ],
  reject: ['Of 100 looks at an enrolled person about {n} are not enough to name them.', '对库内人员的每 100 次比对中，约有 {n} 次不足以确认身份。'],
  next: ['With these values the threshold would be {score}.', '使用这些值时，阈值将为 {score}。'],
  limited: ['The target can’t be met: a higher threshold would miss too many of the right people.', '无法达到该目标：更高的阈值会漏认过多库内人员。'],
  gallery: ['Chosen from {n} comparisons between the people of this box.', '依据主机库内人员之间的 {n} 次比对自动选择。'],
  model_set: ['Chosen by the table of the model set; from 500 people on the box’s own people count.', '依据模型自带的数据表自动选择；达到 500 人后改用主机的人员。'],
  setting: ['Set by hand.', '手动设定。'],
});

interface Threshold {
  threshold: number;
  source: 'gallery' | 'model_set' | 'setting';
  limited: boolean;
  people: number;
  expected_false_accept: number;
  expected_false_accept_low: number;
  expected_false_accept_high: number;
  expected_false_reject: number;
  histogram: { from: number; to: number; pairs: number; counts: number[] } | null;
  model_set_scores: { from: number; to: number; different: number[]; same: number[] };
}

const THRESHOLD = 'recognition.threshold';
const TARGET = 'recognition.false_accept_target';
const LIMIT = 'recognition.max_auto_threshold';

/** The box's own scores between strangers, where it has counted them. */
function scoresOf({ histogram, model_set_scores: table }: Threshold): Scores {
  const own = histogram?.counts.map((count) => count / histogram.pairs);
  return { from: table.from, to: table.to, strangers: own ?? table.different, genuine: table.same };
}

function Words({ threshold }: { threshold: Threshold }) {
  const t = useTexts(T);
  const format = useFormat();
  // As many strangers as make a number that can be imagined.
  const of = [100, 1000, 10000, 100000].find((n) => threshold.expected_false_accept * n >= 0.95) ?? 1000000;
  const some = (share: number) => format.number(Number((share * of).toPrecision(2)));
  return (
    <p>
      {t('accept', {
        of: format.number(of),
        n: some(threshold.expected_false_accept),
        low: some(threshold.expected_false_accept_low),
        high: some(threshold.expected_false_accept_high),
        people: format.number(threshold.people),
      })}{' '}
      {t('reject', { n: format.number(Number((threshold.expected_false_reject * 100).toPrecision(2))) })}
    </p>
  );
}

/** What the changes that are not saved yet ask for; nothing when they don't touch the threshold. */
function queryOf(settings: Settings, changes: Record<string, Setting['value']>) {
  if (![THRESHOLD, TARGET, LIMIT].some((key) => key in changes)) return undefined;
  const value = (key: string) => changes[key] ?? settings[key]?.value;
  const threshold = value(THRESHOLD);
  return threshold === 'auto' ? { false_accept_target: Number(value(TARGET)), max_auto_threshold: String(value(LIMIT)) } : { threshold: Number(threshold) };
}

function Promises({ settings, changes }: { settings: Settings; changes: Record<string, Setting['value']> }) {
  const t = useTexts(T);
  const format = useFormat();
  const query = useSettled(JSON.stringify(queryOf(settings, changes) ?? null));
  const inForce = [settings[THRESHOLD]?.value, settings[TARGET]?.value, settings[LIMIT]?.value];
  const now = useResource((signal) => api.get<{ data: Threshold }>('/api/recognition/threshold', {}, signal), [inForce]);
  const preview = useResource(
    async (signal) => (query === 'null' ? undefined : (await api.get<{ data: Threshold }>('/api/recognition/threshold', JSON.parse(query) as Record<string, string | number>, signal)).data),
    [query, inForce],
  );
  const next = query === 'null' ? undefined : preview.data;
  return (
    <Card title={t('title')} className="threshold-card">
      <Await resource={now}>
        {({ data }) => (
          <>
            <ThresholdChart scores={scoresOf(data)} threshold={data.threshold} next={next?.threshold} />
            <Words threshold={data} />
            <p className="quiet">{t(data.source, { n: format.number(data.histogram?.pairs ?? 0) })}</p>
            {data.limited && !next && <Alert type="warning" showIcon title={t('limited')} />}
            <div role="status">
              {preview.error && query !== 'null' && <Alert type="error" showIcon title={preview.error.message} />}
              {next && <Alert type={next.limited ? 'warning' : 'info'} showIcon title={`${t('next', { score: next.threshold.toFixed(3) })} ${next.limited ? t('limited') : ''}`} description={<Words threshold={next} />} />}
            </div>
          </>
        )}
      </Await>
    </Card>
  );
}

export default function Recognition({ settings, reload }: { settings: Settings; reload: () => void }) {
  const [changes, setChanges] = useState<Record<string, Setting['value']>>({});
  return (
    <>
      <Promises settings={settings} changes={changes} />
      <Card>
        <SettingsForm settings={settings} keys={keysOf(settings, 'recognition')} onSaved={reload} onChanges={setChanges} />
      </Card>
    </>
  );
}
