// Getting into a box with closed access: the set-up link, sessions, keys.
import assert from 'node:assert/strict';

export const password = 'correct horse battery';

/** The token of the set-up link that the box printed. */
export function setupToken(box) {
  const link = /set up the box at (\S+)\/#\/setup\?token=(\S+)/.exec(box.stdout);
  assert.ok(link, box.stdout);
  assert.equal(link[1], box.url);
  return link[2];
}

/** The Cookie header that an answer's Set-Cookie asks for. */
export function cookieOf(answer) {
  assert.equal(answer.headers['set-cookie']?.length, 1, JSON.stringify(answer.headers));
  return answer.headers['set-cookie'][0].split(';')[0];
}

/** A caller with headers of his own: get, post, put, delete as a Box has them. */
export function caller(box, headers) {
  const send = (method, target, value) =>
    box.request(method, target, {
      headers: value === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: value === undefined ? undefined : JSON.stringify(value),
    });
  return {
    headers,
    get: (target) => send('GET', target),
    post: (target, value) => send('POST', target, value),
    put: (target, value) => send('PUT', target, value),
    delete: (target, value) => send('DELETE', target, value),
  };
}

/** Makes the first administrator; a caller with his session. */
export async function setUp(box) {
  const answer = await box.post('/api/setup', { token: setupToken(box), password });
  assert.equal(answer.status, 200, answer.body.toString());
  return caller(box, { Cookie: cookieOf(answer) });
}

export async function logIn(box, name, secret = password) {
  const answer = await box.post('/api/session', { name, password: secret });
  assert.equal(answer.status, 200, answer.body.toString());
  return caller(box, { Cookie: cookieOf(answer) });
}

/** A caller with a new API key. */
export async function keyOf(admin, box, name, role, expires_at = 0) {
  const answer = await admin.post('/api/keys', { name, role, expires_at });
  assert.equal(answer.status, 200, answer.body.toString());
  return caller(box, { Authorization: `Bearer ${answer.json.data.key}` });
}
