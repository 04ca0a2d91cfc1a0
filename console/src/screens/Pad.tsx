// A tablet as a gate or door terminal: it looks for somebody in front of its camera, asks the box who that is, shows and
// says the answer; the box moves the door. Which device it is it learns once, by a code from the console.
import { FullscreenOutlined, SettingOutlined } from '@ant-design/icons';
import { Alert, Button, Card, Form, Input, Popconfirm, Space, Switch } from 'antd';
import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

import { ApiError, asApiError } from '../api/client';
import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { useWebcam } from '../components/Webcam';
import { toBase64 } from '../lib/picture';
import { readStored, writeStored } from '../lib/stored';
import { texts, useLanguage, useTexts } from '../lib/texts';
import { LanguageMenu } from '../shell/Tools';
import { callAs, shrink, watchMotion, type Paired, type PadAnswer } from './pad';
import './screens.css';

const T = texts({
  title: ['Terminal', '门禁终端'],
  pair: ['Make this tablet a terminal', '将此平板设为终端'],
  pairHint: ['In the console: Devices, the card of the terminal, “Pair a tablet”. Type the code in here.', '在控制台的“设备”中选择该终端，点击“配对平板”，将代码输入此处。'],
  code: ['Code of eight digits', '八位数字代码'],
  go: ['Go on', '继续'],
  insecure: ['A browser lets a page use the camera only over HTTPS, or on the box’s own computer.', '浏览器仅允许在 HTTPS 或主机上使用摄像头。'],
  refused: ['The browser was not allowed to use the camera.', '浏览器未获准使用摄像头。'],
  none: ['There is no camera, or another program uses it.', '没有摄像头，或被其他程序占用。'],
  come: ['Please look into the camera', '请正对摄像头'],
  welcome: ['Welcome, {name}', '欢迎，{name}'],
  stranger: ['Not recognised', '未识别'],
  uncertain: ['Not sure: please look straight into the camera', '无法确定，请正对摄像头'],
  no_permission: ['No permission to pass here', '没有通行权限'],
  blacklisted: ['Please wait for the staff', '请等待工作人员'],
  liveness: ['Please show your face, not a picture', '请出示真人面孔，而非照片'],
  low_quality: ['Please come closer and hold still', '请靠近并保持不动'],
  offline: ['The box does not answer', '主机没有响应'],
  gone: ['This terminal was ended by the box; pair it again', '该终端已被主机解除，请重新配对'],
  full: ['Full screen', '全屏'],
  settings: ['Settings', '设置'],
  voice: ['Say it, too', '语音播报'],
  end: ['End this terminal', '解除终端'],
  endAsk: ['This tablet has to be paired again afterwards.', '之后需要重新配对。'],
  cancel: ['Cancel', '取消'],
});
type Key = keyof typeof T;

const STORED = 'terminal';
const TRY_MS = 450; // between two pictures while somebody is there
const SHOWN_MS = 3500;

function storedPaired(): Paired | undefined {
  try {
    const stored = JSON.parse(readStored(STORED) ?? 'null') as Paired | null;
    return stored?.token ? stored : undefined;
  } catch {
    return undefined;
  }
}

function Pairing({ note, onPaired }: { note: string | undefined; onPaired: (paired: Paired) => void }) {
  const t = useTexts(T);
  const pair = useAct(
    async ({ code }: { code: string }) => onPaired(await callAs<Paired>(undefined, '/api/pad/pair', { code: code.replace(/\D/g, '') })),
    undefined,
    { quiet: true },
  );
  return (
    <main className="entrance">
      <Card className="entrance-card" title={t('pair')} extra={<LanguageMenu />}>
        {note && <Alert type="warning" showIcon title={note} className="settings-note" />}
        <p className="quiet">{t('pairHint')}</p>
        <Form layout="vertical" onFinish={(values: { code: string }) => void pair.run(values)}>
          <Form.Item name="code" label={t('code')} rules={[{ required: true, pattern: /^\s*(\d\s*){8}$/, message: t('code') }]}>
            <Input inputMode="numeric" autoComplete="one-time-code" size="large" maxLength={12} />
          </Form.Item>
          {pair.error && <ErrorState error={pair.error} />}
          <Button className="entrance-button" type="primary" size="large" block htmlType="submit" loading={pair.busy}>
            {t('go')}
          </Button>
        </Form>
      </Card>
    </main>
  );
}

interface Shown {
  good: boolean;
  words: string;
  photo?: string;
}

const spokenLanguages = { en: 'en-GB', zh: 'zh-CN' };

/** Asks the box again and again while something moves, and keeps what it said for a while. */
function useAnswers(video: RefObject<HTMLVideoElement | null>, running: boolean, paired: Paired, onAnswer: (answer: PadAnswer) => void, onFailure: (error: ApiError) => void) {
  const handlers = useRef({ onAnswer, onFailure });
  useEffect(() => {
    handlers.current = { onAnswer, onFailure };
  });
  useEffect(() => {
    if (!running) return undefined;
    const abort = new AbortController();
    const motion = watchMotion(video);
    let timer = 0;
    let resting = 0;
    const look = async () => {
      try {
        const frame = motion.moved() && Date.now() >= resting && video.current ? await shrink(video.current) : undefined;
        if (frame) {
          const body = { rgb_image_base64: await toBase64(frame), need_register_photo: true };
          const answer = await callAs<PadAnswer>(paired.token, '/SophonMatch/api/PictureMatch', body, abort.signal);
          if (answer.reason !== 'no_face') {
            resting = Date.now() + (answer.reason === 'low_quality' || answer.reason === 'uncertain' ? TRY_MS : SHOWN_MS);
            handlers.current.onAnswer(answer);
          }
        }
      } catch (error) {
        if (!abort.signal.aborted) handlers.current.onFailure(asApiError(error));
      }
      if (!abort.signal.aborted) timer = window.setTimeout(() => void look(), TRY_MS);
    };
    void look();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [video, running, paired]);
}

function Terminal({ paired, onEnd }: { paired: Paired; onEnd: (note?: string) => void }) {
  const t = useTexts(T);
  const { language } = useLanguage();
  const { video, state } = useWebcam(true);
  const [shown, setShown] = useState<Shown>();
  const [offline, setOffline] = useState(false);
  const [voice, setVoice] = useState(readStored('terminal.voice') !== 'off');
  const [settings, setSettings] = useState(false);
  const say = useCallback(
    (words: string) => {
      if (!voice || !('speechSynthesis' in window)) return;
      window.speechSynthesis.cancel();
      const spoken = new SpeechSynthesisUtterance(words);
      spoken.lang = spokenLanguages[language];
      window.speechSynthesis.speak(spoken);
    },
    [voice, language],
  );
  const wordsOf = (answer: PadAnswer) =>
    answer.reason === 'passed' ? t('welcome', { name: answer.name }) : t(answer.reason in T ? (answer.reason as Key) : 'stranger');
  useAnswers(
    video,
    state === 'running',
    paired,
    (answer) => {
      const good = answer.retcode === '1';
      const words = wordsOf(answer);
      setOffline(false);
      setShown({ good, words, photo: good && answer.reg_pic ? `data:image/jpeg;base64,${answer.reg_pic}` : undefined });
      say(words);
    },
    (error) => {
      if (error.http === 401 || error.http === 404) onEnd(t('gone'));
      else setOffline(true);
    },
  );
  useEffect(() => {
    if (!shown) return undefined;
    const timer = window.setTimeout(() => setShown(undefined), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [shown]);
  return (
    <main className="pad">
      {/* The camera's own picture, without sound. */}
      <video ref={video} className="pad-video" muted playsInline aria-label={t('come')} />
      <header className="pad-head">
        <strong>{paired.device_name || t('title')}</strong>
        <Space>
          <Button shape="circle" icon={<FullscreenOutlined />} aria-label={t('full')} onClick={() => void document.documentElement.requestFullscreen?.()} />
          <Button shape="circle" icon={<SettingOutlined />} aria-label={t('settings')} aria-expanded={settings} onClick={() => setSettings(!settings)} />
        </Space>
      </header>
      {settings && (
        <Card className="pad-settings" size="small">
          <Space orientation="vertical">
            <Space>
              <Switch
                id="pad-voice"
                checked={voice}
                onChange={(on) => {
                  setVoice(on);
                  writeStored('terminal.voice', on ? 'on' : 'off');
                }}
              />
              <label htmlFor="pad-voice">{t('voice')}</label>
              <LanguageMenu />
            </Space>
            <Popconfirm title={t('endAsk')} okText={t('end')} cancelText={t('cancel')} onConfirm={() => onEnd()}>
              <Button danger>{t('end')}</Button>
            </Popconfirm>
          </Space>
        </Card>
      )}
      <div role="status" aria-live="assertive" className={shown ? (shown.good ? 'pad-word pad-good' : 'pad-word pad-bad') : 'pad-word'}>
        {shown?.photo && <img className="pad-photo" src={shown.photo} alt="" />}
        <span>{shown?.words ?? (offline ? t('offline') : state === 'running' ? t('come') : state === 'starting' ? '' : t(state))}</span>
      </div>
    </main>
  );
}

export default function Pad() {
  const [paired, setPaired] = useState(storedPaired);
  const [note, setNote] = useState<string>();
  if (!paired)
    return (
      <Pairing
        note={note}
        onPaired={(next) => {
          writeStored(STORED, JSON.stringify(next));
          setNote(undefined);
          setPaired(next);
        }}
      />
    );
  return (
    <Terminal
      paired={paired}
      onEnd={(why) => {
        writeStored(STORED, 'null');
        setNote(why);
        setPaired(undefined);
      }}
    />
  );
}
