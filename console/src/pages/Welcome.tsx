// The first minutes with a box, step by step: its name, the first camera or this browser's, the first person, and seeing
// that person recognised. Each step may be left out, and be done later on its own page.
import { Alert, Button, Card, Form, Input, Result, Space, Steps } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { Device, PeopleAnswer } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { PictureInput } from '../components/PictureInput';
import { FaceBoxes, QualityVerdict, useQuality } from '../components/QualityVerdict';
import { ScoreBar } from '../components/ScoreBar';
import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { webcamIsPossible } from '../components/Webcam';
import { releasePicture, toBase64, type Picture } from '../lib/picture';
import { navigate, replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useSession } from '../session';
import { DeviceEditor } from './devices/DeviceEditor';
import './devices/devices.css';
import { FtpAccount } from './devices/FtpAccount';
import './people/people.css';
import { PersonEditor } from './people/PersonEditor';

const T = texts({
  name: ['Name of the box', '主机名称'],
  nameHint: ['Shown here and told to platforms, e.g. where it stands.', '显示于控制台并上报平台，例如安装位置。'],
  camera: ['First camera', '首个摄像机'],
  cameraHint: ['A camera that uploads by FTP, a video camera, or a door terminal. To try things out, this browser’s camera is enough.', 'FTP 抓拍摄像机、网络摄像机或门禁终端。试用时可直接使用浏览器摄像头。'],
  addCamera: ['Add a camera', '添加摄像机'],
  addTerminal: ['Add a door terminal', '添加门禁终端'],
  webcam: ['Use this browser’s camera', '使用浏览器摄像头'],
  insecure: ['This browser’s camera can be used over HTTPS or on the box’s own computer only; a photo file does as well.', '浏览器摄像头仅可在 HTTPS 或主机使用，也可使用照片文件。'],
  person: ['First person', '首位人员'],
  personHint: ['Somebody with a photo, yourself for instance.', '添加一位带照片的人员，例如您自己。'],
  addPerson: ['Add a person', '新增人员'],
  there: ['{n} people are enrolled', '已注册 {n} 人'],
  see: ['See it work', '查看效果'],
  seeHint: ['Another photo of the same person: who is it?', '使用同一人的另一张照片进行识别。'],
  photo: ['Photo to recognise', '待识别照片'],
  ask: ['Who is this?', '这是谁？'],
  known: ['That is {name}', '这是 {name}'],
  unknown: ['The box knows nobody who looks like this', '主机中没有相似的人员'],
  uncertain: ['The box is not sure: {name}?', '主机不确定：{name}？'],
  next: ['Go on', '下一步'],
  skip: ['Skip', '跳过'],
  back: ['Back', '上一步'],
  save: ['Save and go on', '保存并继续'],
  finish: ['To the dashboard', '进入概览'],
});

function NameStep({ onDone }: { onDone: () => void }) {
  const t = useTexts(T);
  const { session, refresh } = useSession();
  const save = useAct(
    async ({ name }: { name: string }) => {
      await api.put('/api/settings', { 'box.name': name.trim() });
      await refresh();
      onDone();
    },
    undefined,
    { quiet: true },
  );
  return (
    <Form layout="vertical" initialValues={{ name: session?.box_name }} onFinish={(values: { name: string }) => void save.run(values)}>
      <Form.Item name="name" label={t('name')} extra={t('nameHint')}>
        <Input maxLength={64} />
      </Form.Item>
      {save.error && <ErrorState error={save.error} />}
      <Button type="primary" htmlType="submit" loading={save.busy}>
        {t('save')}
      </Button>
    </Form>
  );
}

function CameraStep({ onDone }: { onDone: () => void }) {
  const t = useTexts(T);
  const [adding, setAdding] = useState<'1' | '4'>();
  const [account, setAccount] = useState<Device>();
  const closed = (saved: Device | undefined) => {
    setAdding(undefined);
    if (saved?.ftp) setAccount(saved);
    else if (saved) onDone();
  };
  return (
    <Space orientation="vertical" size="middle">
      <span>{t('cameraHint')}</span>
      <Space wrap>
        <Button type="primary" onClick={() => setAdding('1')}>
          {t('addCamera')}
        </Button>
        <Button onClick={() => setAdding('4')}>{t('addTerminal')}</Button>
        <Button onClick={onDone}>{t('webcam')}</Button>
      </Space>
      {!webcamIsPossible() && <Alert type="info" title={t('insecure')} />}
      <DeviceEditor open={adding !== undefined} type={adding} onClose={closed} />
      <FtpAccount
        device={account}
        onClose={() => {
          setAccount(undefined);
          onDone();
        }}
      />
    </Space>
  );
}

function PersonStep({ onDone }: { onDone: () => void }) {
  const t = useTexts(T);
  const [adding, setAdding] = useState(false);
  const people = useResource((signal) => api.get<PeopleAnswer>('/api/people', { limit: 1 }, signal), []);
  const n = people.data?.data.pagination.total_count ?? 0;
  return (
    <Space orientation="vertical" size="middle">
      <span>{t('personHint')}</span>
      {n > 0 && <Alert type="success" showIcon title={t('there', { n })} />}
      <Space wrap>
        <Button type={n > 0 ? 'default' : 'primary'} onClick={() => setAdding(true)}>
          {t('addPerson')}
        </Button>
        <Button type={n > 0 ? 'primary' : 'default'} onClick={onDone}>
          {t('next')}
        </Button>
      </Space>
      <PersonEditor
        open={adding}
        onClose={(changed) => {
          setAdding(false);
          if (changed) people.reload();
        }}
      />
    </Space>
  );
}

interface Match {
  verdict: 'known' | 'uncertain' | 'unknown';
  name: string;
  identity_id: string;
  event_id: string;
  score: number;
  threshold: number;
  best: { identity_id: string; score: number };
}

function SeeStep() {
  const t = useTexts(T);
  const [picture, setPicture] = useState<Picture>();
  const [match, setMatch] = useState<Match>();
  const quality = useQuality(picture, 'no');
  const change = (next: Picture | undefined) => {
    if (picture) releasePicture(picture);
    setPicture(next);
    setMatch(undefined);
  };
  const ask = useAct(
    async () => {
      if (!picture) return;
      const body = { rgb_image_base64: await toBase64(picture.blob), group_name: 'default_group', need_register_photo: false };
      setMatch((await api.post<{ data: Match }>('/SophonMatch/api/PictureMatch', body)).data);
    },
    undefined,
    { quiet: true },
  );
  return (
    <Space orientation="vertical" size="middle" className="wide">
      <span>{t('seeHint')}</span>
      <PictureInput value={picture} onChange={change} label={t('photo')}>
        {picture && <FaceBoxes picture={picture} faces={quality.faces} />}
      </PictureInput>
      {picture && <QualityVerdict quality={quality} />}
      {picture && (
        <Button type="primary" loading={ask.busy} onClick={() => void ask.run()}>
          {t('ask')}
        </Button>
      )}
      {ask.error && <ErrorState error={ask.error} />}
      {match && (
        <Result
          status={match.verdict === 'known' ? 'success' : 'info'}
          icon={match.verdict === 'known' ? <FaceThumb eventId={match.event_id} kind="reg" name={match.name} size={96} /> : undefined}
          title={match.verdict === 'known' ? t('known', { name: match.name }) : match.verdict === 'uncertain' ? t('uncertain', { name: match.best.identity_id }) : t('unknown')}
          subTitle={<ScoreBar score={match.score} threshold={match.threshold} />}
        />
      )}
      <Button type={match ? 'primary' : 'default'} onClick={() => navigate('/')}>
        {t('finish')}
      </Button>
    </Space>
  );
}

export default function Welcome() {
  const t = useTexts(T);
  const { query } = useRoute();
  const step = Math.min(3, Math.max(0, Number(query.get('step')) || 0));
  const go = (next: number) => replaceQuery({ step: next });
  return (
    <Card className="welcome">
      <Steps current={step} onChange={go} size="small" items={(['name', 'camera', 'person', 'see'] as const).map((key) => ({ title: t(key) }))} />
      <div className="welcome-step">
        {step === 0 && <NameStep onDone={() => go(1)} />}
        {step === 1 && <CameraStep onDone={() => go(2)} />}
        {step === 2 && <PersonStep onDone={() => go(3)} />}
        {step === 3 && <SeeStep />}
      </div>
      <Space>
        {step > 0 && <Button onClick={() => go(step - 1)}>{t('back')}</Button>}
        {step < 3 && (
          <Button type="text" onClick={() => go(step + 1)}>
            {t('skip')}
          </Button>
        )}
      </Space>
    </Card>
  );
}
