// What happens on the box, as it happens: GET /api/stream. One connection serves the whole tab; it is opened with the
// first listener, comes back by itself, and is told where it was.
//
//   useStream('event', (event: BoxEvent) => …);
//   const connected = useStreamState();
import { useEffect, useRef, useSyncExternalStore } from 'react';

import type { BoxEvent, Job } from '../api/types';

export interface StreamMessages {
  event: BoxEvent;
  device: Record<string, unknown>;
  status: Record<string, unknown>;
  command: Record<string, unknown>;
  job: Job;
  /** Events that could not be told any more: what is shown has to be fetched afresh. */
  missed: { events: number };
}
export type StreamKind = keyof StreamMessages;

const kinds: StreamKind[] = ['event', 'device', 'status', 'command', 'job', 'missed'];
type Listener = (message: never) => void;

const listeners = new Map<StreamKind, Set<Listener>>(kinds.map((kind) => [kind, new Set<Listener>()]));
const stateListeners = new Set<() => void>();
let source: EventSource | undefined;
let connected = false;
let retry: number | undefined;
let lastId = '';

const tellState = () => stateListeners.forEach((listener) => listener());

function setConnected(next: boolean): void {
  connected = next;
  tellState();
}

const count = () => kinds.reduce((sum, kind) => sum + (listeners.get(kind)?.size ?? 0), 0);

function open(): void {
  window.clearTimeout(retry);
  const opened = new EventSource(lastId ? `/api/stream?last_event_id=${encodeURIComponent(lastId)}` : '/api/stream');
  source = opened;
  opened.onopen = () => setConnected(true);
  opened.onerror = () => {
    setConnected(false);
    // A refusal ends the browser's own attempts.
    if (opened.readyState === EventSource.CLOSED && source === opened) {
      source = undefined;
      retry = window.setTimeout(() => count() > 0 && open(), 5000);
    }
  };
  for (const kind of kinds) {
    opened.addEventListener(kind, (message) => {
      if (message.lastEventId) lastId = message.lastEventId;
      const data = JSON.parse(message.data as string) as never;
      listeners.get(kind)?.forEach((listener) => listener(data));
    });
  }
}

function closeWhenUnused(): void {
  if (count() > 0) return;
  window.clearTimeout(retry);
  source?.close();
  source = undefined;
  setConnected(false);
}

export function useStream<Kind extends StreamKind>(kind: Kind, onMessage: (message: StreamMessages[Kind]) => void): void {
  const handler = useRef(onMessage);
  useEffect(() => {
    handler.current = onMessage;
  });
  useEffect(() => {
    const listener = ((message: StreamMessages[Kind]) => handler.current(message)) as Listener;
    listeners.get(kind)?.add(listener);
    if (!source) open();
    tellState();
    return () => {
      listeners.get(kind)?.delete(listener);
      // Pages change hands without a new connection.
      window.setTimeout(closeWhenUnused, 1000);
    };
  }, [kind]);
}

/** Whether the live connection stands; undefined: nothing that is shown needs one. */
export function useStreamState(): boolean | undefined {
  return useSyncExternalStore(
    (changed) => {
      stateListeners.add(changed);
      return () => stateListeners.delete(changed);
    },
    () => (source ? connected : undefined),
  );
}
