// A screen at the entrance that welcomes people by name as they pass. Options stand in the address, so that a TV needs
// no more than a link:
//
//   /greeter?types=1,2,5&cameras=lobby,gate&columns=2&dwell=5&voice=1&skin=night
import { FullscreenOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useEffect, useMemo, useState } from 'react';

import { api } from '../api/client';
import type { BoxEvent, Device } from '../api/types';
import { eventPictureUrl } from '../components/FaceThumb';
import { useFormat } from '../lib/format';
import { texts, useLanguage, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useStream, useStreamState } from '../lib/useStream';
import { useSession } from '../session';
import './screens.css';

const T = texts({
  welcome: ['Welcome', '欢迎光临'],
  hello: ['Welcome, {name}', '欢迎，{name}'],
  visitor: ['Visitor', '访客'],
  vip: ['VIP', '贵宾'],
  notLive: ['The box does not answer; trying again', '主机没有响应，正在重试'],
  full: ['Full screen', '全屏'],
  pictureOf: ['Photo of {name}', '{name} 的照片'],
});

const VISITOR = 2;
const VIP = 5;
const MOST = 6; // shown at once
const skins = ['day', 'night', 'festive'] as const;
const spokenLanguages = { en: 'en-GB', zh: 'zh-CN' };

interface Options {
  types: Set<number>;
  cameras: Set<string>;
  columns: 1 | 2;
  dwellMs: number;
  voice: boolean;
  skin: (typeof skins)[number];
}

function optionsOf(search: string): Options {
  const query = new URLSearchParams(search);
  const list = (name: string) => (query.get(name) ?? '').split(',').map((item) => item.trim()).filter(Boolean);
  const dwell = Number(query.get('dwell') ?? '5');
  return {
    types: new Set(list('types').map(Number)),
    cameras: new Set(list('cameras')),
    columns: query.get('columns') === '2' ? 2 : 1,
    dwellMs: (dwell >= 1 && dwell <= 60 ? dwell : 5) * 1000,
    voice: ['1', 'true'].includes(query.get('voice') ?? ''),
    skin: skins.find((skin) => skin === query.get('skin')) ?? 'day',
  };
}

interface Guest {
  event: BoxEvent;
  /** ms, when the greeting ends */
  until: number;
  message: string;
}

/** What the person's `info` has for this screen: a text called `welcome`, there or in `ext_info`, or what the console
 * keeps as a visitor's welcome message. */
async function messageFor(identityId: string): Promise<string> {
  try {
    const { data } = await api.get<{ data: { identities_list: { info: { welcome?: unknown; ext_info?: { welcome?: unknown; message?: unknown } } }[] } }>('/SophonFogSys/api/users', {
      identity_id: identityId,
      need_reg_photo: false,
    });
    const info = data.identities_list[0]?.info;
    const message = info?.welcome ?? info?.ext_info?.welcome ?? info?.ext_info?.message;
    return typeof message === 'string' ? message : '';
  } catch {
    return ''; // a greeting without it is still one
  }
}

function useGuests(options: Options, onGreet: (event: BoxEvent) => void): Guest[] {
  const [guests, setGuests] = useState<Guest[]>([]);
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), []);
  const isWanted = (event: BoxEvent) => {
    if (event.verdict !== 'known' || event.reason !== 'passed') return false;
    if (options.types.size > 0 && !options.types.has(event.ext_data.person_type)) return false;
    if (options.cameras.size === 0) return true;
    const device = devices.data?.data.devices_list.find(({ ep_id }) => ep_id === event.ext_data.ep_id);
    return options.cameras.has(event.ext_data.ep_id) || (device !== undefined && (options.cameras.has(device.device_id) || options.cameras.has(device.device_name)));
  };
  useStream('event', (event) => {
    if (!isWanted(event)) return;
    const until = Date.now() + options.dwellMs;
    setGuests((before) => [{ event, until, message: '' }, ...before.filter((guest) => guest.event.identity_id !== event.identity_id)].slice(0, MOST));
    onGreet(event);
    void messageFor(event.identity_id).then((message) => {
      if (message) setGuests((before) => before.map((guest) => (guest.event._id === event._id ? { ...guest, message } : guest)));
    });
  });
  useEffect(() => {
    const timer = window.setInterval(() => {
      const now = Date.now();
      setGuests((before) => (before.some((guest) => guest.until <= now) ? before.filter((guest) => guest.until > now) : before));
    }, 250);
    return () => window.clearInterval(timer);
  }, []);
  return guests;
}

function Greeting({ guest }: { guest: Guest }) {
  const t = useTexts(T);
  const { event } = guest;
  const [kind, setKind] = useState<'reg' | 'face' | undefined>(event.reg_pic_id ? 'reg' : 'face');
  const type = event.ext_data.person_type;
  return (
    <li className={type === VIP ? 'guest guest-vip' : 'guest'}>
      {kind && (
        <img
          className="guest-photo"
          src={eventPictureUrl(event._id, kind)}
          alt={t('pictureOf', { name: event.identity_name })}
          onError={() => setKind(kind === 'reg' ? 'face' : undefined)}
        />
      )}
      <div>
        <p className="guest-hello">{t('hello', { name: event.identity_name })}</p>
        {(guest.message || type === VISITOR || type === VIP) && <p className="guest-message">{guest.message || t(type === VIP ? 'vip' : 'visitor')}</p>}
      </div>
    </li>
  );
}

function Clock() {
  const format = useFormat();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return <time className="greeter-clock">{format.time(now)}</time>;
}

export default function Greeter() {
  const t = useTexts(T);
  const { language } = useLanguage();
  const { session } = useSession();
  const connected = useStreamState();
  const options = useMemo(() => optionsOf(window.location.search), []);
  const guests = useGuests(options, (event) => {
    if (!options.voice || !('speechSynthesis' in window)) return;
    const spoken = new SpeechSynthesisUtterance(t('hello', { name: event.identity_name }));
    spoken.lang = spokenLanguages[language];
    window.speechSynthesis.speak(spoken);
  });
  return (
    <main className={`greeter greeter-${options.skin}`}>
      <header className="greeter-head">
        <h1>{session?.box_name || t('welcome')}</h1>
        <Clock />
        <Button type="text" icon={<FullscreenOutlined />} aria-label={t('full')} onClick={() => void document.documentElement.requestFullscreen?.()} />
      </header>
      {guests.length === 0 ? (
        <p className="greeter-idle">{connected ? t('welcome') : t('notLive')}</p>
      ) : (
        <ul className={options.columns === 2 ? 'guests guests-two' : 'guests'} aria-live="polite">
          {guests.map((guest) => (
            <Greeting key={guest.event._id} guest={guest} />
          ))}
        </ul>
      )}
    </main>
  );
}
