// Bad input: the right code, the field named, nothing changed.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box } from './lib/box.mjs';
import { base64, blackPng, blank, crop, decode, encode, people, png, sampleBytes, turn, withOrientation } from './lib/pictures.mjs';

const USERS = '/SophonFogSys/api/users';
let box, person;

before(async () => {
  box = await Box.start();
  [person] = await people(box, 1);
});
after(() => box.stop());

const body = (photo, more = {}) => ({
  identity_id: 'someone',
  group_name: 'default_group',
  reg_photo: typeof photo === 'string' ? photo : base64(photo),
  fiqa_level: 'no',
  info: { name: 'Someone' },
  ...more,
});

async function count() {
  return (await box.get(`${USERS}?need_reg_photo=false`)).json.data.pagination.total_count;
}

/** The call must fail with `code`, name `field`, and leave nobody behind. */
async function refused(answer, code, field) {
  assert.equal(answer.json?.error?.code, code, answer.body.toString().slice(0, 300));
  if (field !== undefined) assert.match(answer.json.error.message, field);
  assert.doesNotMatch(answer.json.error.message, /SELECT|INSERT|\/src\/|\/tmp\//);
  assert.equal(await count(), 0);
}

test('pictures that are none', async () => {
  const jpegBytes = Buffer.from(person.photo);
  for (const [photo, code] of [
    ['not base64 at all!', 40003],
    ['', 40003],
    [Buffer.from('just text'), 40003],
    [Buffer.alloc(1000), 40003],
    [jpegBytes.subarray(0, jpegBytes.length / 2), 40003],
    [jpegBytes.subarray(0, 20), 40003],
    [Buffer.concat([jpegBytes.subarray(0, 600), Buffer.alloc(400, 0xff)]), 40003],
    [png(blank(20, 20)).subarray(0, 60), 40003],
    [Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1'), 40001],
    [Buffer.from('II*\0\x08\0\0\0\0\0', 'latin1'), 40001],
    [Buffer.from('%PDF-1.7\n'), 40001],
    [Buffer.from('\0\0\0\x18ftypheic\0\0\0\0heicmif1', 'latin1'), 40001],
    [png(blank(20, 20), 'animated'), 40001],
    [blackPng(8000, 8000), 40007],
    [blackPng(17000, 10), 40007],
    [Buffer.concat([jpegBytes, Buffer.alloc(5 * 1024 * 1024)]), 40007],
    [encode(blank(320, 240)), 40004],
    [encode(blank(1, 1)), 40004],
  ])
    await refused(await box.post(USERS, body(photo)), code, /reg_photo/);
});

test('a picture 0 pixels wide', async () => {
  const broken = Buffer.from(png(blank(20, 20)));
  broken.writeUInt32BE(0, 16);
  await refused(await box.post(USERS, body(broken)), 40003, /reg_photo/);
});

test('a tiny face, and a face that fails quality', async () => {
  const picture = decode(person.photo);
  const tiny = crop(picture, 0, 0, picture.width, picture.height, 44 / picture.width);
  const answer = await box.post(USERS, body(encode(tiny)));
  assert.ok([40009, 40004].includes(answer.json.error.code), answer.body.toString());
  assert.equal(await count(), 0);
  const dark = { ...picture, data: picture.data.map((v, i) => (i % 4 === 3 ? v : v * 0.2)) };
  await refused(await box.post(USERS, body(encode(dark), { fiqa_level: 'high' })), 40006, /reg_photo: .*brightness/);
});

test('kinds of pictures that are taken', async () => {
  const picture = decode(person.photo);
  const kinds = {
    'grey JPEG': encode({ ...picture, data: grey(picture.data) }),
    'PNG': png(picture),
    '16-bit PNG': png(picture, 'rgb16'),
    'grey PNG': png(picture, 'grey8'),
    'several faces': sampleBytes(3),
    'data URL': `data:image/jpeg;base64,${base64(person.photo)}`,
    'line breaks': base64(person.photo).replace(/.{76}/g, '$&\r\n'),
  };
  const upright = { 1: 0, 6: 3, 3: 2, 8: 1 }; // quarters that undo what the orientation says
  for (const [orientation, quarters] of Object.entries(upright))
    kinds[`EXIF ${orientation}`] = withOrientation(encode(turn(picture, quarters)), Number(orientation));
  for (const [kind, photo] of Object.entries(kinds)) {
    const answer = await box.post(USERS, body(photo));
    assert.equal(answer.status, 200, `${kind}: ${answer.body.toString().slice(0, 200)}`);
    const match = await box.post('/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(person.other), group_name: '' });
    assert.ok([200, 404].includes(match.status));
    await box.delete(USERS, { identity_id: 'someone' });
  }
  assert.equal(await count(), 0);
});

function grey(data) {
  return data.map((v, i, all) => {
    if (i % 4 === 3) return v;
    const at = i - (i % 4);
    return (all[at] * 299 + all[at + 1] * 587 + all[at + 2] * 114) / 1000;
  });
}

test('the other picture calls refuse the same', async () => {
  for (const [path, field] of [
    ['/SophonFace/api/FIQA', 'image_base64_str'],
    ['/SophonFace/api/detect', 'image_base64_str'],
    ['/SophonMatch/api/compare', 'face_image_base64'],
    ['/SophonMatch/api/PictureMatch', 'rgb_image_base64'],
  ]) {
    await box.post(USERS, body(person.photo));
    const more = { identity_id: 'someone', group_name: 'default_group' };
    for (const [photo, code] of [
      ['%%%', 40003],
      [base64(Buffer.alloc(100)), 40003],
      [base64(Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1')), 40001],
      [base64(blackPng(8000, 8000)), 40007],
      [[1, 2], 40091],
      [{}, 40091],
    ]) {
      const answer = await box.post(path, { ...more, [field]: photo });
      assert.equal(answer.json.error?.code, code, `${path} ${answer.body}`);
      assert.match(answer.json.error.message, new RegExp(field), path);
    }
    await box.delete(USERS, { identity_id: 'someone' });
  }
});

test('image_url: only http, and failures are told', async () => {
  for (const url of ['file:///etc/passwd', 'ftp://127.0.0.1/x.jpg', 'http://127.0.0.1:9/x.jpg', 'no url']) {
    const answer = await box.post('/SophonFace/api/detect', { image_url: url });
    assert.equal(answer.status, 400, answer.body);
    assert.match(answer.json.error.message, /image_url/);
  }
});

test('JSON that is none, or not what it should be', async () => {
  const json = (text) => box.post(USERS, text);
  const good = JSON.stringify(body(person.photo));
  for (const [text, code] of [
    ['', 40002],
    ['{', 40000],
    ['nonsense', 40000],
    ['[]', 40000],
    ['"text"', 40000],
    [good + 'x', 40000],
    [good.slice(0, -1), 40000],
    [good.replace('"fiqa_level"', '"identity_id":"twice","fiqa_level"'), 40000],
    ['{"a":'.repeat(100000) + '1' + '}'.repeat(100000), 40000],
    ['['.repeat(1000000), 40000],
    [Buffer.concat([Buffer.from('{"identity_id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]), 40000],
    ['{"identity_id":"\\ud800"}', 40000],
    ['{"identity_id":"a\\u0000b"}', 40000],
    ['{"identity_id":1e999}', 40000],
  ])
    await refused(await json(text), code);
});

test('arguments that are missing, of the wrong type, too long or out of range', async () => {
  const without = (key) => {
    const { [key]: _, ...rest } = body(person.photo);
    return rest;
  };
  for (const [value, code, field] of [
    [without('identity_id'), 40091, /identity_id/],
    [without('reg_photo'), 40091, /reg_photo/],
    [without('group_name'), 40091, /group_name/],
    [without('info'), 40091, /info/],
    [body(person.photo, { identity_id: null }), 40091, /identity_id/],
    [body(person.photo, { identity_id: '' }), 40091, /identity_id/],
    [body(person.photo, { identity_id: 'x'.repeat(65) }), 40091, /identity_id/],
    [body(person.photo, { identity_id: 1.5 }), 40091, /identity_id/],
    [body(person.photo, { identity_id: ['a'] }), 40091, /identity_id/],
    [body(person.photo, { group_name: 'no such group' }), 40491, /no such group/],
    [body(person.photo, { group_name: 'default_group,neither' }), 40491, /neither/],
    [body(person.photo, { info: 'text' }), 40091, /info/],
    [body(person.photo, { info: {} }), 40091, /info\.name/],
    [body(person.photo, { info: { name: 7 } }), 40091, /info\.name/],
    [body(person.photo, { info: { name: 'x'.repeat(257) } }), 40091, /info\.name/],
    [body(person.photo, { info: { name: 'x', type: 6 } }), 40091, /info\.type/],
    [body(person.photo, { info: { name: 'x', type: 'vip' } }), 40091, /info\.type/],
    [body(person.photo, { info: { name: 'x', permission_ids: 'lab' } }), 40091, /info\.permission_ids/],
    [body(person.photo, { info: { name: 'x', permission_ids: ['no such'] } }), 40491, /no such/],
    [body(person.photo, { info: { name: 'x', more: 'y'.repeat(70000) } }), 40091, /info/],
    [body(person.photo, { ignore_exist: 'perhaps' }), 40005, /ignore_exist/],
    [body(person.photo, { fiqa_level: 'highest' }), 40091, /fiqa_level/],
    [body(person.photo, { reg_photo: 5 }), 40091, /reg_photo/],
  ])
    await refused(await box.post(USERS, value), code, field);
  for (const query of ['limit=0', 'limit=1001', 'limit=x', 'skip_num=-1', 'limit=1.5'])
    assert.equal((await box.get(`${USERS}?${query}`)).json.error.code, 40091, query);
});

test('a failed enrolment leaves no picture behind, a failed change changes nothing', async () => {
  assert.equal((await box.post(USERS, body(person.photo))).status, 200);
  const read = async () => (await box.get(`${USERS}?identity_id=someone`)).json.data.identities_list[0];
  const before = await read();
  for (const value of [
    { identity_id: 'someone', reg_photo: base64(encode(blank(50, 50))), info: { name: 'Other' } },
    { identity_id: 'someone', reg_photo: '???', info: { name: 'Other' } },
    { identity_id: 'someone', group_name: 'no such', info: { name: 'Other' } },
    { identity_id: 'someone', info: { name: 'Other', permission_ids: ['no such'] } },
  ])
    assert.notEqual((await box.put(USERS, value)).status, 200);
  assert.deepEqual(await read(), before);
  assert.equal((await box.post(USERS, body(person.photo))).json.error.code, 40011);
  await box.delete(USERS, { identity_id: 'someone' });
});

test('HTTP: paths, methods, content types, sizes', async () => {
  assert.equal((await box.get('/no/such/path')).json.error.code, 40400);
  assert.equal((await box.get('/sophonfogsys/api/users')).json.error.code, 40400);
  const wrong = await box.request('PATCH', USERS);
  assert.equal(wrong.json.error.code, 40500);
  assert.match(wrong.headers.allow, /GET/);
  assert.equal((await box.get(`${USERS}?`)).status, 200);
  const text = await box.request('POST', USERS, { headers: { 'Content-Type': 'text/plain' }, body: 'x' });
  assert.equal(text.status, 415);
  assert.equal(text.json.error.code, 41591);
  const large = await box.request('POST', USERS, {
    headers: { 'Content-Type': 'application/json' },
    body: Buffer.alloc(17 * 1024 * 1024, 0x20),
  });
  assert.equal(large.json.error.code, 41300);
  assert.equal((await box.get('/healthz')).status, 200);
});

test('HTTP that is malformed closes the connection and harms nobody', async () => {
  const { hostname, port } = new URL(box.url);
  for (const bytes of ['GARBAGE\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'POST ' + USERS + ' HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n', '\0\0\0\0\r\n\r\n']) {
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.end(bytes);
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(5000)]);
    socket.destroy();
  }
  assert.equal((await box.get('/healthz')).status, 200);
});
