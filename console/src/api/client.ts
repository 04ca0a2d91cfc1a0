// Calls to the box. An answer that is no success becomes an ApiError with the box's own words.
//
//   const { data } = await api.get<{ data: Person[] }>('/api/people', { q: 'ada' });
//   await api.post('/SophonFogSys/api/groups', { group_name: 'staff', description: '' });
//   await api.upload('/api/import', file, { group_name: 'staff' }, (share) => …);
export type QueryValue = string | number | boolean | undefined | null;

/** What the box, or the way to it, said instead of a result. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** The code of the protocol, 40091; 0 when the box was not reached. */
    readonly code: number,
    /** HTTP status; 0 when the box was not reached. */
    readonly http: number,
    /** Seconds to wait, where the box said so. */
    readonly retryAfter?: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Nobody answered: the box is off, restarting, or the network is down. */
  get unreachable(): boolean {
    return this.http === 0;
  }
}

export const isAborted = (error: unknown) => error instanceof DOMException && error.name === 'AbortError';

/** Whatever was thrown, as an ApiError. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(error instanceof Error ? error.message : String(error), 0, 0);
}

type Listener = () => void;
const unauthorizedListeners = new Set<Listener>();

/** Tells when the box asks for a log-in, so that the session can be looked at again. */
export function onUnauthorized(listener: Listener): () => void {
  unauthorizedListeners.add(listener);
  return () => unauthorizedListeners.delete(listener);
}

export function withQuery(path: string, query: Record<string, QueryValue> = {}): string {
  const parts = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(parts.map(([name, value]) => [name, String(value)])).toString();
  return text ? `${path}?${text}` : path;
}

function errorOf(status: number, text: string, retryAfter: string | null): ApiError {
  let message = `HTTP ${status}`;
  let code = 0;
  try {
    const { error } = JSON.parse(text) as { error?: { code?: number; message?: string } };
    if (error?.message) message = error.message;
    code = error?.code ?? 0;
  } catch {
    // not the box's own words: the status has to do
  }
  if (status === 401) unauthorizedListeners.forEach((listener) => listener());
  const seconds = retryAfter === null ? NaN : Number(retryAfter);
  return new ApiError(message, code, status, Number.isFinite(seconds) ? seconds : undefined);
}

interface Options {
  query?: Record<string, QueryValue>;
  /** Sent as JSON; FormData as it is. */
  body?: unknown;
  signal?: AbortSignal;
}

async function fetchAnswer(method: string, path: string, { query, body, signal }: Options): Promise<Response> {
  const isForm = body instanceof FormData;
  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: body === undefined || isForm ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new ApiError('the box does not answer', 0, 0);
  }
  if (!response.ok) throw errorOf(response.status, await response.text(), response.headers.get('Retry-After'));
  return response;
}

async function call<T>(method: string, path: string, options: Options): Promise<T> {
  const response = await fetchAnswer(method, path, options);
  return (await response.json()) as T;
}

/** Sends a file as the body and says how far it is, which fetch() can't. */
function upload<T>(
  path: string,
  file: Blob,
  query: Record<string, QueryValue>,
  onProgress: (share: number) => void,
  signal?: AbortSignal,
  type = 'application/zip',
) {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', withQuery(path, query));
    request.setRequestHeader('Content-Type', type);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText) as T);
      else reject(errorOf(request.status, request.responseText, request.getResponseHeader('Retry-After')));
    };
    request.onerror = () => reject(new ApiError('the box does not answer', 0, 0));
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    signal?.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}

export const api = {
  get: <T>(path: string, query?: Record<string, QueryValue>, signal?: AbortSignal) => call<T>('GET', path, { query, signal }),
  post: <T>(path: string, body: unknown = {}, signal?: AbortSignal) => call<T>('POST', path, { body, signal }),
  put: <T>(path: string, body: unknown = {}, signal?: AbortSignal) => call<T>('PUT', path, { body, signal }),
  delete: <T>(path: string, body?: unknown, signal?: AbortSignal) => call<T>('DELETE', path, { body, signal }),
  blob: async (path: string, query?: Record<string, QueryValue>, signal?: AbortSignal) =>
    (await fetchAnswer('GET', path, { query, signal })).blob(),
  /** POST whose answer is a picture. */
  postForBlob: async (path: string, body: unknown, signal?: AbortSignal) => (await fetchAnswer('POST', path, { body, signal })).blob(),
  upload,
};
