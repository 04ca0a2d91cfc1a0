// Bulk import and export: archives of photos, tables, jobs that survive, doors that go first.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { base64, blank, encode, people } from './lib/pictures.mjs';
import { until } from './lib/until.mjs';
import { unzip, zip } from './lib/zip.mjs';

const USERS = '/SophonFogSys/api/users';
const GROUPS = '/SophonFogSys/api/groups';
const MATCH = '/SophonMatch/api/PictureMatch';

let box, folk, data;

before(async () => {
  data = temporaryFolder();
  box = await Box.start({ data });
  folk = await people(box, 6);
});
after(async () => {
  await box.stop();
  rmSync(data, { recursive: true, force: true });
});

function upload(archive, query = '', type = 'application/zip') {
  return box.request('POST', `/api/import?fiqa_level=no${query}`, { headers: { 'Content-Type': type }, body: archive });
}

async function job(id, query = '') {
  const answer = await box.get(`/api/jobs/${id}${query}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json.data;
}

async function ended(id) {
  return until(async () => {
    const state = await job(id, '?limit=1000');
    return !['queued', 'running'].includes(state.state) && state;
  }, 'the end of an import');
}

/** Imports to the end: the job with all results by file. */
async function imported(archive, query) {
  const answer = await upload(archive, query);
  assert.equal(answer.status, 200, answer.body.toString());
  const state = await ended(answer.json.data.job_id);
  state.by = Object.fromEntries(state.results.map((result) => [result.file, result]));
  return state;
}

/** The same without telling the size: all that comes back. */
function chunked(archive) {
  const url = new URL(box.url);
  return new Promise((resolve) => {
    const socket = net.connect(url.port, url.hostname);
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write('POST /api/import HTTP/1.1\r\nHost: box\r\nConnection: close\r\nContent-Type: application/zip\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let at = 0; at < archive.length; at += 50000) {
      const piece = archive.subarray(at, at + 50000);
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
  });
}

async function person(id) {
  const answer = await box.get(`${USERS}?identity_id=${encodeURIComponent(id)}`);
  return answer.status === 200 ? answer.json.data.identities_list[0] : undefined;
}

async function everybody(query = 'need_reg_photo=false') {
  return (await box.get(`${USERS}?limit=1000&${query}`)).json.data.identities_list;
}

async function wipe() {
  const answer = await box.post('/SophonFogSys/api/WipeData', { wipe_options: { users: true, events: true } });
  assert.equal(answer.status, 200, answer.body.toString());
}

describe('an archive of photos', () => {
  after(wipe);

  test('names say who is on them; each file has its result', async () => {
    const state = await imported(
      zip({
        '小赵-10086-研发-5-A17-second floor.jpg': folk[0].photo,
        'team/Ann Lee-7.jpg': folk[1].photo,
        'team/nobody-8-lab.jpg': encode(blank(200, 200)),
        'broken-9.jpg': 'not a picture',
        'a--b.jpg': folk[2].photo,
        'type-10-lab-9.jpg': folk[2].photo,
        'large-11.jpg': Buffer.alloc(6 << 20),
        'empty-12.jpg': '',
        'readme.txt': 'hello',
        '__MACOSX/._Ann Lee-7.jpg': 'resource fork',
      }),
    );
    assert.equal(state.state, 'done');
    assert.deepEqual(state.progress, { total: 8, done: 2, failed: 6, ignored: 2 });
    assert.equal(state.by['小赵-10086-研发-5-A17-second floor.jpg'].outcome, 'created');
    const codes = { 'team/nobody-8-lab.jpg': 40004, 'broken-9.jpg': 40003, 'a--b.jpg': 40091, 'type-10-lab-9.jpg': 40091, 'large-11.jpg': 40007, 'empty-12.jpg': 40003 };
    for (const [file, code] of Object.entries(codes)) {
      assert.equal(state.by[file].outcome, 'failed', file);
      assert.equal(state.by[file].code, code, JSON.stringify(state.by[file]));
      assert.ok(state.by[file].message.length > 0);
    }
    const { info, group_name } = await person('10086');
    assert.equal(info.name, '小赵');
    assert.equal(info.type, 5);
    assert.deepEqual(info.ext_info, { department: '研发', visit_card_number: 'A17', descriptor: 'second floor' });
    assert.deepEqual(group_name, ['default_group']);
    assert.equal((await person('7')).info.name, 'Ann Lee');
    assert.equal((await person('7')).reg_photo, base64(folk[1].photo));
    assert.equal((await everybody()).length, 2);
    const match = await box.post(MATCH, { rgb_image_base64: base64(folk[0].other), group_name: 'default_group' });
    assert.equal(match.json.identity_id, '10086', match.body.toString());
  });

  test('names of old Windows programs, in GBK', async () => {
    const name = Buffer.concat([Buffer.from('d0a1d5d4', 'hex'), Buffer.from('-gbk-'), Buffer.from('d1d0b7a2', 'hex'), Buffer.from('.jpg')]);
    const state = await imported(zip([[name, folk[0].photo]]));
    assert.deepEqual(Object.keys(state.by), ['小赵-gbk-研发.jpg']);
    assert.equal((await person('gbk')).info.ext_info.department, '研发');
  });

  test('people who are there: brought up to date, or refused', async () => {
    await box.put(USERS, { identity_id: '7', info: { ext_info: { mobile: '123', department: 'old' }, more: 1 } });
    let state = await imported(zip({ 'Other-7-new.jpg': folk[1].other }), '&ignore_exist=false');
    assert.equal(state.by['Other-7-new.jpg'].code, 40011);
    assert.equal((await person('7')).info.name, 'Ann Lee');
    state = await imported(zip({ 'Ann-7-new.jpg': folk[1].other, 'Ann-7-new-#2.jpg': folk[1].photo }));
    assert.equal(state.by['Ann-7-new.jpg'].outcome, 'updated');
    assert.equal(state.by['Ann-7-new-#2.jpg'].outcome, 'unchanged', 'the person has that photo');
    const { info } = await person('7');
    assert.equal(info.name, 'Ann');
    assert.deepEqual(info.ext_info, { mobile: '123', department: 'new' });
    assert.equal(info.more, 1);
    assert.equal(info.image_ids.length, 2);
  });

  test('several photos of one person in one archive: at most five faces stay', async () => {
    const photos = Object.fromEntries(folk.map(({ photo }, i) => [`Many-20-#${i + 1}.jpg`, photo]));
    const state = await imported(zip(photos), '&ignore_exist=false');
    assert.deepEqual(state.progress, { total: 6, done: 6, failed: 0, ignored: 0 });
    const { info, reg_photo } = await person('20');
    assert.equal(info.image_ids.length, 5);
    assert.equal(reg_photo, base64(folk[5].photo), 'the last one is the newest');
  });

  test('groups: named, made, unknown', async () => {
    await box.post(GROUPS, { group_name: 'staff', description: '' });
    await imported(zip({ 'G-30.jpg': folk[0].photo }), '&group_name=staff,default_group');
    assert.deepEqual((await person('30')).group_name.sort(), ['default_group', 'staff']);
    const refused = await upload(zip({ 'G-31.jpg': folk[0].photo }), '&group_name=nowhere');
    assert.equal(refused.json.error.code, 40491);
    await imported(zip({ 'G-31.jpg': folk[0].photo }), '&group_name=nowhere&create_groups=true');
    assert.deepEqual((await person('31')).group_name, ['nowhere']);
  });

  test('as a part of a form', async () => {
    const answer = await box.form('POST', '/api/import?fiqa_level=no', {
      note: 'before',
      file: { filename: 'photos.zip', type: 'application/zip', bytes: zip({ 'Form-40.jpg': folk[0].photo }) },
      more: 'behind',
    });
    assert.equal(answer.status, 200, answer.body.toString());
    assert.deepEqual((await ended(answer.json.data.job_id)).progress, { total: 1, done: 1, failed: 0, ignored: 0 });
    assert.equal((await person('40')).info.name, 'Form');
  });

  test('quality is asked for unless told otherwise', async () => {
    const answer = await box.request('POST', '/api/import', { headers: { 'Content-Type': 'application/zip' }, body: zip({ 'Q-50.jpg': folk[0].photo }) });
    const strict = await ended(answer.json.data.job_id);
    const judged = await box.post('/SophonFace/api/FIQA', { image_base64_str: base64(folk[0].photo), fiqa_level: 'high' });
    assert.equal(strict.results[0].outcome, judged.json.data[0].fiqa_result ? 'created' : 'failed');
    if (!judged.json.data[0].fiqa_result) assert.equal(strict.results[0].code, 40006);
  });

  test('nothing of an upload stays when nothing can be tried again', async () => {
    const state = await imported(zip({ 'Gone-60.jpg': folk[0].photo }));
    assert.equal(state.can_retry, false);
    assert.equal(existsSync(path.join(data, 'jobs', state.job_id, 'upload')), false);
    assert.deepEqual(readdirSync(path.join(data, 'uploads')), []);
  });
});

describe('a table with photos', () => {
  after(wipe);

  test('CSV as spreadsheets write it', async () => {
    const csv =
      '\ufeffidentity_id;name;type;department;group_name;permission_ids;mobile;photo\r\n' +
      '1;"Zhao ""W"" Wei";2;lab;"staff,visitors";door;0123;photos/a.jpg\r\n' +
      '2;Li;;;;;;b1.jpg,photos/b2.jpg\r\n' +
      '3;No photo;1;;;;;\r\n' +
      '4;Missing;1;;;;;c.jpg\r\n' +
      ';Nobody;1;;;;;\r\n';
    const archive = zip({ 'people.csv': csv, 'photos/a.jpg': folk[0].photo, 'photos/b1.jpg': folk[1].photo, 'photos/b2.jpg': folk[1].other, 'photos/unnamed.jpg': folk[2].photo });
    let state = await imported(archive);
    assert.deepEqual(state.progress, { total: 6, done: 3, failed: 3, ignored: 1 });
    assert.equal(state.by['photos/a.jpg'].code, 40491);
    assert.equal(state.by['c.jpg'].code, 40091);
    assert.equal(state.by['people.csv:6'].code, 40091);
    assert.equal((await person('2')).info.image_ids.length, 2);
    assert.equal((await person('3')).info.image_ids.length, 0);
    assert.equal(await person('1'), undefined);

    // What was in the way is cleared away: those that failed, and only those, are tried again.
    for (const name of ['staff', 'visitors']) await box.post(GROUPS, { group_name: name, description: '' });
    await box.post('/SophonFogSys/api/permissions', { permission_name: 'door', description: '' });
    const again = await box.post(`/api/jobs/${state.job_id}/retry`, '');
    assert.equal(again.status, 200, again.body.toString());
    state = await ended(state.job_id);
    assert.deepEqual(state.progress, { total: 6, done: 4, failed: 2, ignored: 1 });
    const { info, group_name } = await person('1');
    assert.equal(info.name, 'Zhao "W" Wei');
    assert.equal(info.type, 2);
    assert.deepEqual(info.ext_info, { department: 'lab', mobile: '0123' });
    assert.deepEqual(group_name.sort(), ['staff', 'visitors']);
    assert.deepEqual(info.permission_names, ['door']);
    assert.equal((await person('2')).info.image_ids.length, 2);

    const failed = await job(state.job_id, '?only=failed&limit=1&skip_num=1');
    assert.equal(failed.results.length, 1);
    assert.equal(failed.pagination.total_count, 2);
    assert.equal((await box.post(`/api/jobs/${state.job_id}/retry`, '')).status, 200);
    await ended(state.job_id);
    assert.equal((await box.delete(`/api/jobs/${state.job_id}`)).status, 200);
    assert.equal((await box.get(`/api/jobs/${state.job_id}`)).json.error.code, 40491);
    assert.equal(existsSync(path.join(data, 'jobs', state.job_id)), false);
  });

  test('unknown permission groups are made on demand', async () => {
    const state = await imported(zip({ 'people.csv': 'id,name,permission_ids\n5,A,1046\n' }), '&create_no_exit_permission=true');
    assert.equal(state.progress.done, 1, JSON.stringify(state.results));
    assert.deepEqual((await person('5')).info.permission_ids, ['1046']);
  });

  test('a table that can not be read fails as a whole', async () => {
    const state = await imported(zip({ 'people.csv': 'name\nAnn\n' }));
    assert.equal(state.state, 'failed');
    assert.equal(state.error.code, 40091);
    assert.match(state.error.message, /people\.csv.*identity_id/);
    assert.equal(state.can_retry, false);
    assert.equal((await box.post(`/api/jobs/${state.job_id}/retry`, '')).json.error.code, 40091);
  });
});

describe('what is refused', () => {
  const good = () => zip({ 'A-1.jpg': folk[0].photo });

  test('bodies that are no archive, or a dangerous one', async () => {
    for (const [body, code, message, type] of [
      ['', 40002, /file/],
      ['nonsense', 40091, /file: .*ZIP/],
      [good().subarray(0, -30), 40091, /file: /],
      [zip({ '../a-1.jpg': 'x' }), 40091, /absolute paths/],
      [zip({ '/a-1.jpg': 'x' }), 40091, /absolute paths/],
      [zip([['a-1.jpg', 'xxxxxxxxxxxxxxxxxxxxx', { flags: 1 }]]), 40091, /encrypted/],
      [good(), 41591, /application\/zip/, 'application/json'],
      [good(), 41591, /application\/zip/, 'image/jpeg'],
    ]) {
      const answer = await upload(Buffer.from(body), '', type);
      assert.equal(answer.json.error?.code, code, `${message} ${answer.body}`);
      assert.match(answer.json.error.message, message);
      assert.doesNotMatch(answer.json.error.message, new RegExp(data));
    }
    const form = await box.form('POST', '/api/import', { other: { filename: 'a.zip', type: 'application/zip', bytes: good() } });
    assert.equal(form.json.error.code, 40091, form.body);
    assert.match(form.json.error.message, /file/);
    assert.deepEqual(readdirSync(path.join(data, 'uploads')), []);
    assert.equal((await everybody()).length, 0);
  });

  test('arguments', async () => {
    for (const [query, code] of [['&ignore_exist=perhaps', 40005], ['&fiqa_level=best', 40091], ['&create_groups=7', 40005]])
      assert.equal((await upload(good(), query)).json.error.code, code, query);
    assert.equal((await box.get('/api/jobs/unknown')).json.error.code, 40491);
    assert.equal((await box.delete('/api/jobs/unknown')).json.error.code, 40491);
    assert.equal((await box.post('/api/jobs/unknown/retry', '')).json.error.code, 40491);
    assert.equal((await box.get('/api/jobs/unknown?limit=0')).json.error.code, 40091);
    assert.equal((await box.get('/api/export?group_name=unknown')).json.error.code, 40491);
  });

  test('too large: said beforehand and said by counting', async () => {
    assert.equal((await box.put('/api/settings', { 'import.max_mib': 1 })).status, 200);
    const large = zip({ 'A-1.jpg': Buffer.alloc(3 << 20) });
    assert.equal((await upload(large)).json.error.code, 41300);
    assert.match(await chunked(large), /^HTTP\/1.1 413 .*41300/s);
    assert.equal((await box.put('/api/settings', { 'import.max_mib': 4096 })).status, 200);
    assert.match(await chunked(large), /^HTTP\/1.1 200 .*job_id/s);
    // Larger than any other body may be.
    const state = await imported(zip(Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`A-${i}.jpg`, Buffer.alloc(4 << 20)]))));
    assert.deepEqual(state.progress, { total: 10, done: 0, failed: 10, ignored: 0 });
    assert.deepEqual(readdirSync(path.join(data, 'uploads')), []);
  });

  test('an upload that breaks off leaves nothing behind', async () => {
    const url = new URL(box.url);
    await new Promise((resolve) => {
      const request = http.request({ host: url.hostname, port: url.port, method: 'POST', path: '/api/import', headers: { 'Content-Type': 'application/zip', 'Content-Length': 8 << 20 } });
      request.on('close', resolve);
      request.on('error', () => {});
      request.write(Buffer.alloc(3 << 20), () => setTimeout(() => request.destroy(new Error('leaving')), 100));
    });
    for (let i = 0; i < 100 && readdirSync(path.join(data, 'uploads')).length > 0; i++) await sleep(50);
    assert.deepEqual(readdirSync(path.join(data, 'uploads')), []);
  });
});

describe('jobs', () => {
  after(wipe);

  const many = (n, from = 0) => zip(Object.fromEntries(Array.from({ length: n }, (_, i) => [`Person ${i}-m${from + i}.jpg`, folk[i % 3].photo])));

  test('people at doors go first, and everything else goes on', async () => {
    await box.post(GROUPS, { group_name: 'door', description: '' });
    await box.post(USERS, { identity_id: 'keeper', group_name: 'door', reg_photo: base64(folk[4].photo), fiqa_level: 'no', info: { name: 'Keeper' } });
    const answer = await upload(many(200));
    const id = answer.json.data.job_id;
    const took = [];
    let state;
    do {
      const start = performance.now();
      const match = await box.post(MATCH, { rgb_image_base64: base64(folk[4].other), group_name: 'door', need_register_photo: false });
      took.push(performance.now() - start);
      assert.equal(match.status, 200, match.body.toString());
      assert.equal(match.json.identity_id, 'keeper');
      state = await job(id, '?limit=1');
    } while (['queued', 'running'].includes(state.state));
    assert.deepEqual(state.progress, { total: 200, done: 200, failed: 0, ignored: 0 });
    assert.ok(took.length > 5, `${took.length} people passed meanwhile`);
    took.sort((a, b) => a - b);
    console.log(`doors during an import of 200: ${took.length} calls, median ${took[took.length >> 1].toFixed(0)} ms, longest ${took.at(-1).toFixed(0)} ms`);
  });

  test('one at a time, the others wait; what waits or runs can be cancelled', async () => {
    const ids = [];
    for (const from of [1000, 2000, 3000]) ids.push((await upload(many(60, from))).json.data.job_id);
    const list = (await box.get('/api/jobs')).json.data.jobs_list.slice(0, 3);
    assert.deepEqual(list.map((one) => one.job_id), [...ids].reverse());
    assert.ok(list.filter((one) => one.state === 'running').length <= 1);
    const waiting = await box.delete(`/api/jobs/${ids[1]}`);
    assert.equal(waiting.json.data.state, 'cancelled');
    await until(async () => (await job(ids[0])).progress.done >= 3);
    const running = (await box.delete(`/api/jobs/${ids[0]}`)).json.data;
    assert.equal(running.state, 'cancelled');
    assert.ok(running.progress.done >= 3 && running.progress.done < 60, JSON.stringify(running.progress));
    assert.equal((await job(ids[0])).progress.done, running.progress.done);
    assert.equal(existsSync(path.join(data, 'jobs', ids[0], 'upload')), false);
    assert.equal((await box.post(`/api/jobs/${ids[0]}/retry`, '')).json.error.code, 40091);
    assert.equal((await ended(ids[2])).progress.done, 60);
    const there = (await everybody()).map((one) => one.identity_id);
    assert.equal(there.filter((id) => /^m1\d\d\d$/.test(id)).length, running.progress.done);
    assert.equal(there.filter((id) => /^m2\d\d\d$/.test(id)).length, 0);
  });

  test('after a power cut it goes on, and nobody is done twice', async () => {
    const id = (await upload(many(60, 5000), '&ignore_exist=false')).json.data.job_id;
    await until(async () => (await job(id)).progress.done >= 10);
    await box.kill('SIGKILL');
    box = await Box.start({ data });
    const state = await ended(id);
    assert.deepEqual(state.progress, { total: 60, done: 60, failed: 0, ignored: 0 });
    const there = (await everybody()).filter((one) => /^m50\d\d$/.test(one.identity_id));
    assert.equal(there.length, 60);
    for (const one of there) assert.equal(one.info.image_ids.length, 1, one.identity_id);
  });

  test('an orderly stop in between loses nothing either', async () => {
    const id = (await upload(many(60, 6000))).json.data.job_id;
    await until(async () => (await job(id)).progress.done >= 5);
    await box.stop();
    box = await Box.start({ data });
    assert.deepEqual((await ended(id)).progress, { total: 60, done: 60, failed: 0, ignored: 0 });
  });

  test('a wipe of the people takes the imports along', async () => {
    const id = (await upload(many(100, 7000))).json.data.job_id;
    await until(async () => (await job(id)).progress.done >= 2);
    await wipe();
    assert.deepEqual((await box.get('/api/jobs')).json.data.jobs_list, []);
    assert.deepEqual(readdirSync(path.join(data, 'jobs')), []);
    await sleep(300);
    assert.equal((await everybody()).length, 0);
  });
});

describe('export', () => {
  after(wipe);

  const enrol = (id, photo, more = {}) => box.post(USERS, { identity_id: id, group_name: '', reg_photo: base64(photo), fiqa_level: 'no', ignore_exist: true, info: { name: `name of ${id}` }, ...more });

  /** All that is to survive. */
  async function portrait() {
    const list = await everybody('need_reg_photo=true');
    return Promise.all(
      list.map(async ({ identity_id, reg_photo, group_name, info }) => {
        const { user_id, face_ids, image_id, image_ids, ...kept } = info;
        const photos = await Promise.all(image_ids.map(async (id) => (await box.get(`/SophonFace/api/images/${id}`)).body.toString('base64')));
        return { identity_id, reg_photo, group_name: group_name.sort(), info: kept, photos };
      }),
    );
  }

  test('there and back', async () => {
    for (const name of ['staff', '访客;1']) await box.post(GROUPS, { group_name: name, description: `about ${name}`, info: { floor: 3 } });
    await box.post('/SophonFogSys/api/permissions', { permission_name: 'gate', description: 'the gate' });
    await enrol('1', folk[0].photo, { group_name: 'staff,访客;1', info: { name: 'Ada, "the" first', type: 5, permission_ids: ['gate'], ext_info: { department: '研发', mobile: '1', n: 0.1 }, list: [1, null] } });
    await enrol('1', folk[0].other, { info: {} });
    await enrol('-2/..', folk[1].photo);
    await box.post(USERS, { identity_id: 'no photo', group_name: '', need_bring_pic: false, info: { name: ' blanks ' } });
    const before = await portrait();
    assert.equal(before.length, 3);

    const answer = await box.get('/api/export');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/zip');
    assert.match(answer.headers['content-disposition'], /attachment; filename="people-.*\.zip"/);
    const files = unzip(answer.body);
    assert.equal(files.size, 5);
    assert.ok(files.has('people.csv') && files.has('labels.json'));
    assert.deepEqual(
      [...files.values()].filter((bytes) => bytes.equals(Buffer.from(folk[0].photo)) || bytes.equals(Buffer.from(folk[0].other))).length,
      2,
    );

    await wipe();
    assert.equal((await everybody()).length, 0);
    const state = await imported(answer.body, '&create_groups=true&create_no_exit_permission=true');
    assert.deepEqual(state.progress, { total: 4, done: 4, failed: 0, ignored: 0 }, JSON.stringify(state.results));
    assert.deepEqual(await portrait(), before);
    const groups = (await box.get(GROUPS)).json.data.groups_list;
    assert.equal(groups.find(({ name }) => name === '访客;1').description, 'about 访客;1');
    assert.equal((await box.get('/SophonFogSys/api/permissions?permission_name=gate')).json.data.permissions_list[0].description, 'the gate');

    // Once more changes nothing.
    const again = await imported(answer.body);
    assert.equal(again.progress.failed, 0);
    assert.deepEqual(await portrait(), before);
  });

  test('the members of a group only; HEAD; nobody at all', async () => {
    const files = unzip((await box.get(`/api/export?group_name=staff`)).body);
    assert.deepEqual([...files.keys()].filter((name) => name.endsWith('.jpg')).length, 2);
    assert.equal((await box.request('HEAD', '/api/export')).status, 200);
    await box.post(GROUPS, { group_name: 'empty', description: '' });
    assert.equal(unzip((await box.get('/api/export?group_name=empty')).body).get('people.csv').toString().split('\n').length, 2);
  });

  test('clients that leave in the middle, many at a time, harm nobody', async () => {
    await imported(zip(Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`E-e${i}.jpg`, folk[i % 6].photo]))));
    const url = new URL(box.url);
    const leave = () =>
      new Promise((resolve) => {
        const request = http.get({ host: url.hostname, port: url.port, path: '/api/export' }, (response) => {
          response.once('data', () => request.destroy());
          response.on('error', () => {});
        });
        request.on('error', () => {});
        request.on('close', resolve);
      });
    await Promise.all(Array.from({ length: 6 }, leave));
    const answers = await Promise.all(Array.from({ length: 4 }, () => box.get('/api/export')));
    for (const answer of answers) if (answer.status === 200) assert.equal(unzip(answer.body).size, 62 + 3);
    assert.ok(answers.some((answer) => answer.status === 200));
    assert.equal((await box.get('/healthz')).status, 200);
  });

  test('a box that stops while it sends does so in order', async () => {
    const url = new URL(box.url);
    const stuck = await new Promise((resolve, reject) => {
      const request = http.get({ host: url.hostname, port: url.port, path: '/api/export' }, (response) => {
        response.on('error', () => {});
        response.pause();
        resolve(request);
      });
      request.on('error', reject);
    });
    const start = performance.now();
    await box.stop();
    assert.ok(performance.now() - start < 10000);
    stuck.destroy();
    box = await Box.start({ data });
  });
});
