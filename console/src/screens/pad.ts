// What a terminal does besides showing: calls with its own token, motion in front of the camera, small pictures.
import type { RefObject } from 'react';

import { ApiError, isAborted } from '../api/client';

export interface Paired {
  token: string;
  device_id: string;
  device_name: string;
}

/** The answer of PictureMatch, as far as a terminal shows it. */
export interface PadAnswer {
  retcode: '0' | '1';
  reason: string;
  name: string;
  reg_pic: string;
}

/** A POST with the terminal's token, or without any credential; what is in `data`. */
export async function callAs<T>(token: string | undefined, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      signal,
      cache: 'no-store',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify(body),
    });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError('the box does not answer', 0, 0);
  }
  const answer = (await response.json()) as { data?: T; error?: { code: number; message: string } };
  if (!response.ok || answer.data === undefined) throw new ApiError(answer.error?.message ?? `HTTP ${response.status}`, answer.error?.code ?? 0, response.status);
  return answer.data;
}

const WIDTH = 640; // px; a face at arm's length fills a third of it
const QUALITY = 0.88;

/** The frame that a video shows now, as small as recognising needs it. */
export function shrink(video: HTMLVideoElement): Promise<Blob | undefined> {
  const { videoWidth, videoHeight } = video;
  if (videoWidth === 0) return Promise.resolve(undefined);
  const canvas = document.createElement('canvas');
  canvas.width = Math.min(WIDTH, videoWidth);
  canvas.height = Math.round((canvas.width * videoHeight) / videoWidth);
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), 'image/jpeg', QUALITY));
}

const GRID = [32, 24] as const;
const CHANGED = 12; // levels of 255 by which a cell has to differ from the last look
const CELLS = 12; // that have to differ
const AWAKE_MS = 6000; // goes on looking for so long after the last motion

/**
 * Whether somebody is likely to be in front of the camera: something moved within the last seconds. The first look
 * counts as motion.
 */
export function watchMotion(video: RefObject<HTMLVideoElement | null>): { moved: () => boolean } {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = GRID;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  let before: Uint8ClampedArray | undefined;
  let awakeUntil = 0;
  return {
    moved: () => {
      if (!context || !video.current || video.current.videoWidth === 0) return false;
      context.drawImage(video.current, 0, 0, ...GRID);
      const now = context.getImageData(0, 0, ...GRID).data;
      let changed = 0;
      for (let at = 0; before && at < now.length; at += 4) {
        const difference = Math.abs((now[at] ?? 0) - (before[at] ?? 0)) + Math.abs((now[at + 1] ?? 0) - (before[at + 1] ?? 0)) + Math.abs((now[at + 2] ?? 0) - (before[at + 2] ?? 0));
        if (difference > 3 * CHANGED) changed++;
      }
      if (!before || changed >= CELLS) awakeUntil = Date.now() + AWAKE_MS;
      before = now;
      return Date.now() < awakeUntil;
    },
  };
}
