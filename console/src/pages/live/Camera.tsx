// One camera: its video, or a new frame now and then where many are shown (a browser opens six connections to the box,
// no more), with boxes and names of who is seen.
import { Button } from 'antd';
import { useCallback, useEffect, useState } from 'react';

import { api, asApiError, isAborted, withQuery } from '../../api/client';
import type { Device, Verdict } from '../../api/types';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  picture: ['Live picture of {name}', '{name} 的实时画面'],
  silent: ['No picture comes from this camera', '该摄像机没有画面'],
  again: ['Try again', '重试'],
  unknown: ['unknown', '陌生人'],
});

interface Track {
  track_id: number;
  bbox: [number, number, number, number];
  decided: boolean;
  verdict: Verdict | '';
  name: string;
}

interface Tracks {
  connected: boolean;
  width: number;
  height: number;
  tracks: Track[];
}

const FRAME_MS = 5000;
const TRACKS_MS = 500; // boxes are to follow faces; the call is answered from memory

const nothing: Tracks = { connected: false, width: 0, height: 0, tracks: [] };

/** Who is seen, asked again when the last answer is there, while `active` and the page can be seen. */
function useTracks(deviceId: string, active: boolean): Tracks | undefined {
  const [tracks, setTracks] = useState<Tracks>();
  useEffect(() => {
    if (!active) return undefined;
    const abort = new AbortController();
    let timer: number | undefined;
    const next = (wait: number) => {
      timer = window.setTimeout(() => void ask(), wait);
    };
    const ask = async () => {
      if (document.hidden) return next(FRAME_MS);
      try {
        setTracks((await api.get<{ data: Tracks }>(`/api/devices/${encodeURIComponent(deviceId)}/tracks`, {}, abort.signal)).data);
        next(TRACKS_MS);
      } catch (error) {
        if (isAborted(error)) return;
        const isGone = asApiError(error).http === 404;
        setTracks(isGone ? nothing : undefined);
        next(isGone ? FRAME_MS : 2 * FRAME_MS);
      }
    };
    next(0);
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [deviceId, active]);
  return active ? tracks : undefined;
}

/** A number that grows every FRAME_MS while `active`. */
function useRound(active: boolean): number {
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (!active) return undefined;
    const timer = window.setInterval(() => !document.hidden && setRound((before) => before + 1), FRAME_MS);
    return () => window.clearInterval(timer);
  }, [active]);
  return round;
}

function Boxes({ tracks }: { tracks: Tracks }) {
  const t = useTexts(T);
  const { width, height } = tracks;
  const size = Math.max(14, width / 50);
  return (
    <svg className="live-boxes" viewBox={`0 0 ${width} ${height}`}>
      {tracks.tracks.map(({ track_id, bbox: [left, top, right, bottom], decided, verdict, name }) => (
        <g key={track_id} className={!decided ? 'live-box' : verdict === 'known' ? 'live-box live-known' : 'live-box live-unknown'}>
          <rect x={left} y={top} width={right - left} height={bottom - top} vectorEffect="non-scaling-stroke" />
          {decided && (
            <text x={left} y={top - size / 3} fontSize={size}>
              {verdict === 'known' ? name : t('unknown')}
            </text>
          )}
        </g>
      ))}
    </svg>
  );
}

export function Camera({ device, paused, still }: { device: Device; paused: boolean; still: boolean }) {
  const t = useTexts(T);
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  const active = !paused && !failed;
  const round = useRound(active && still);
  const tracks = useTracks(device.device_id, active && !still);
  // A picture whose stream has ended stays as it was, and nothing tells the page.
  const silent = tracks !== undefined && !tracks.connected;
  const path = `/api/devices/${encodeURIComponent(device.device_id)}`;
  const url = still || paused ? withQuery(`${path}/frame`, { width: 1280, round, tries }) : withQuery(`${path}/live`, { tries });
  const again = useCallback(() => {
    setTries((before) => before + 1);
    setFailed(false);
  }, []);
  return (
    <figure className="live-camera">
      {failed || silent ? (
        <div className="live-silent">
          <span>{t('silent')}</span>
          {failed && (
            <Button size="small" onClick={again}>
              {t('again')}
            </Button>
          )}
        </div>
      ) : (
        <div className="live-picture">
          <img src={url} alt={t('picture', { name: device.device_name })} onError={() => setFailed(true)} />
          {tracks && tracks.width > 0 && <Boxes tracks={tracks} />}
        </div>
      )}
      <figcaption>{device.device_name}</figcaption>
    </figure>
  );
}
