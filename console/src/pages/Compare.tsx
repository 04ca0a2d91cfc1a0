// Two photos against each other, or a photo against an enrolled person, or against everybody.
import { Alert, Button, Card, Segmented, Select, Space, Statistic } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../api/client';
import type { Label, Verdict } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { PersonPicker } from '../components/PersonPicker';
import { PictureInput } from '../components/PictureInput';
import { FaceBoxes, QualityVerdict, useQuality } from '../components/QualityVerdict';
import { ScoreBar } from '../components/ScoreBar';
import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { useFormat } from '../lib/format';
import { releasePicture, toBase64, type Picture } from '../lib/picture';
import { Go } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';

const T = texts({
  photos: ['Two photos', '两张照片'],
  person: ['Photo and person', '照片与人员'],
  everybody: ['Photo and everybody', '照片与底库'],
  mode: ['What is compared', '比对方式'],
  first: ['First photo', '第一张照片'],
  second: ['Second photo', '第二张照片'],
  photo: ['Photo', '照片'],
  strictness: ['Strictness', '严格程度'],
  high: ['high: 1 of 100,000 strangers passes', '高：十万分之一误识'],
  middle: ['middle: 1 of 10,000 strangers passes', '中：万分之一误识'],
  low: ['low: 1 of 1,000 strangers passes', '低：千分之一误识'],
  group: ['Among the people of', '在分组中查找'],
  compare: ['Compare', '比对'],
  same: ['The same person', '同一人'],
  different: ['Different people', '不是同一人'],
  masked: ['A face wears a mask: the threshold is that for masked faces', '有人脸佩戴口罩：使用口罩专用阈值'],
  bothMasked: ['Both wear masks: what is left of the faces says too little', '双方均佩戴口罩：可见部分不足以比对'],
  known: ['This is {name}', '识别为 {name}'],
  uncertain: ['Perhaps {name}: too close to call', '可能是 {name}：无法确定'],
  unknown: ['Nobody who is enrolled', '库中无此人'],
  similarity: ['Similarity', '相似度'],
  nearest: ['The nearest is {name}', '最接近的是 {name}'],
  noFace: ['No face was found in the photo', '照片中未检测到人脸'],
  leavesRecord: ['This leaves a record, as at a door.', '该比对会像在门口一样留下记录。'],
  refused: ['At a door this person would not pass: {reason}', '在门口该人员不会通行：{reason}'],
});

type Mode = 'photos' | 'person' | 'everybody';
type Strictness = 'high' | 'middle' | 'low';

interface Pair {
  retcode: '0' | '1';
  score: number;
  threshold: number;
  masked: boolean;
  both_masked: boolean;
  identity_id: string;
  name: string;
}

interface Match {
  retcode: '0' | '1';
  reason: string;
  verdict: Verdict;
  score: number;
  threshold: number;
  masked: boolean;
  identity_id: string;
  name: string;
  best: { identity_id: string; score: number };
  event_id: string;
}

type Result = { kind: 'pair'; pair: Pair } | { kind: 'match'; match: Match };

function usePicture() {
  const [picture, setPicture] = useState<Picture>();
  useEffect(() => () => picture && releasePicture(picture), [picture]);
  return [picture, setPicture] as const;
}

function Photo({ label, picture, onPicture }: { label: string; picture: Picture | undefined; onPicture: (picture: Picture | undefined) => void }) {
  const quality = useQuality(picture, 'low');
  return (
    <Card title={label} className="compare-side">
      <PictureInput value={picture} onChange={onPicture} label={label}>
        {picture && <FaceBoxes picture={picture} faces={quality.faces} />}
      </PictureInput>
      {picture && <QualityVerdict quality={quality} />}
    </Card>
  );
}

function PairResult({ pair }: { pair: Pair }) {
  const t = useTexts(T);
  const format = useFormat();
  const same = pair.retcode === '1';
  return (
    <Card>
      <Alert
        type={pair.both_masked ? 'warning' : same ? 'success' : 'error'}
        showIcon
        title={t(pair.both_masked ? 'bothMasked' : same ? 'same' : 'different')}
        description={pair.masked && !pair.both_masked ? t('masked') : undefined}
      />
      <Space size="large" wrap className="compare-figures">
        <Statistic title={t('similarity')} value={format.score(pair.score)} />
        <ScoreBar score={pair.score} threshold={pair.threshold} />
      </Space>
    </Card>
  );
}

function MatchResult({ match }: { match: Match }) {
  const t = useTexts(T);
  const format = useFormat();
  if (match.reason === 'no_face') return <Alert type="warning" showIcon title={t('noFace')} />;
  const known = match.verdict === 'known';
  const nearest = match.best.identity_id;
  const score = known ? match.score : match.best.score;
  return (
    <Card>
      <Alert
        type={known ? 'success' : match.verdict === 'uncertain' ? 'warning' : 'error'}
        showIcon
        title={known ? t('known', { name: match.name }) : match.verdict === 'uncertain' ? t('uncertain', { name: nearest }) : t('unknown')}
        description={known && match.retcode === '0' ? t('refused', { reason: match.reason }) : match.masked ? t('masked') : undefined}
      />
      <Space size="large" wrap className="compare-figures">
        {known && <FaceThumb eventId={match.event_id} kind="reg" size={112} name={match.name} />}
        <Statistic title={t('similarity')} value={format.score(score)} />
        <ScoreBar score={score} threshold={match.threshold} />
        {nearest && (
          <Go to={`/people/${encodeURIComponent(known ? match.identity_id : nearest)}`}>
            {known ? `${match.name} (${match.identity_id})` : t('nearest', { name: nearest })}
          </Go>
        )}
      </Space>
    </Card>
  );
}

export default function Compare() {
  const t = useTexts(T);
  const [mode, setMode] = useState<Mode>('photos');
  const [first, setFirst] = usePicture();
  const [second, setSecond] = usePicture();
  const [person, setPerson] = useState<string>();
  const [strictness, setStrictness] = useState<Strictness>('middle');
  const [group, setGroup] = useState('default_group');
  const [result, setResult] = useState<Result>();
  const groups = useResource((signal) => api.get<{ data: { groups_list: Label[] } }>('/SophonFogSys/api/groups', { limit: 1000 }, signal), []);
  const ready = first !== undefined && (mode === 'photos' ? second !== undefined : mode === 'person' ? person !== undefined : true);
  const compare = useAct(
    async () => {
      if (!first) return;
      const picture = await toBase64(first.blob);
      if (mode === 'everybody') {
        setResult({ kind: 'match', match: await api.post<Match>('/SophonMatch/api/PictureMatch', { rgb_image_base64: picture, group_name: group, need_register_photo: false }) });
      } else {
        const other = mode === 'photos' && second ? { card_image_base64: await toBase64(second.blob) } : { identity_id: person };
        setResult({ kind: 'pair', pair: await api.post<Pair>('/SophonMatch/api/compare', { face_image_base64: picture, ...other, threshold: strictness }) });
      }
    },
    undefined,
    { quiet: true },
  );
  /** A result belongs to what it was made of. */
  const forget = () => {
    setResult(undefined);
    compare.clear();
  };
  const strictnesses: Strictness[] = ['high', 'middle', 'low'];
  return (
    <>
      <div className="toolbar">
        <Segmented<Mode>
          aria-label={t('mode')}
          value={mode}
          options={[
            { value: 'photos', label: t('photos') },
            { value: 'person', label: t('person') },
            { value: 'everybody', label: t('everybody') },
          ]}
          onChange={(next) => {
            setMode(next);
            forget();
          }}
        />
        {mode === 'everybody' ? (
          <Select
            className="setting-choice"
            aria-label={t('group')}
            value={group}
            options={(groups.data?.data.groups_list ?? [{ name: group }]).map(({ name }) => ({ value: name, label: `${t('group')} ${name}` }))}
            onChange={(next) => {
              setGroup(next);
              forget();
            }}
          />
        ) : (
          <Select
            className="compare-strictness"
            aria-label={t('strictness')}
            value={strictness}
            options={strictnesses.map((value) => ({ value, label: t(value) }))}
            onChange={(next) => {
              setStrictness(next);
              forget();
            }}
          />
        )}
        <Button className="toolbar-rest" type="primary" disabled={!ready} loading={compare.busy} onClick={() => void compare.run()}>
          {t('compare')}
        </Button>
      </div>
      {mode === 'everybody' && <p className="quiet">{t('leavesRecord')}</p>}
      {compare.error && <ErrorState error={compare.error} />}
      {result?.kind === 'pair' && <PairResult pair={result.pair} />}
      {result?.kind === 'match' && <MatchResult match={result.match} />}
      <div className="compare">
        <Photo
          label={mode === 'photos' ? t('first') : t('photo')}
          picture={first}
          onPicture={(next) => {
            setFirst(next);
            forget();
          }}
        />
        {mode === 'photos' && (
          <Photo
            label={t('second')}
            picture={second}
            onPicture={(next) => {
              setSecond(next);
              forget();
            }}
          />
        )}
        {mode === 'person' && (
          <Card className="compare-side">
            <PersonPicker
              value={person}
              onChange={(next) => {
                setPerson(next);
                forget();
              }}
            />
          </Card>
        )}
      </div>
    </>
  );
}
