// Permission groups, groups, people, report addresses and the platform's settings: the same life in every encoding of a body.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Box } from './lib/box.mjs';
import { codes } from './lib/contract.mjs';
import { encodeBody, urlencode } from './lib/openapi.mjs';
import { base64, people } from './lib/pictures.mjs';

const FOG = '/SophonFogSys/api';
const forms = ['json', 'multipart', 'urlencoded'];
let box, folk;

before(async () => {
  box = await Box.start();
  folk = await people(box, 3);
});
after(() => box.stop());

/** One call that must succeed: its `data`. */
async function done(method, path, values, encoding = 'json') {
  const answer = await call(method, path, values, encoding);
  assert.equal(answer.status, 200, `${method} ${path} ${encoding}: ${answer.body.toString().slice(0, 300)}`);
  return answer.json.data;
}

/** One call that must fail with `code`, its name and HTTP status, and a message that matches. */
async function refused(code, pattern, method, path, values, encoding = 'json') {
  const answer = await call(method, path, values, encoding);
  const where = `${method} ${path} ${encoding}: ${answer.body.toString().slice(0, 300)}`;
  const { error } = answer.json ?? {};
  assert.equal(error?.code, code, where);
  assert.deepEqual([error.status, answer.status], codes[code], where);
  assert.deepEqual(Object.keys(answer.json), ['error'], where);
  assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'status'], where);
  assert.match(error.message, pattern, where);
}

function call(method, path, values = {}, encoding) {
  if (method !== 'GET') return box.request(method, path, encodeBody(encoding, values));
  const query = urlencode(values);
  return box.get(query === '' ? path : `${path}?${query}`);
}

const keys = (object) => Object.keys(object).sort();

for (const encoding of forms) {
  test(`permission groups, ${encoding}`, async () => {
    const path = `${FOG}/permissions`;
    const name = `labs 实验室 ${encoding}`;
    const made = await done('POST', path, { permission_name: name, description: '', info: { floor: 3, tags: ['a'] } }, encoding);
    assert.deepEqual(made.info, { name, description: '', floor: 3, tags: ['a'] });
    await refused(40012, /permission_name/, 'POST', path, { permission_name: name, description: '' }, encoding);
    for (const bad of ['', 'a,b'])
      await refused(40012, /permission_name/, 'POST', path, { permission_name: bad, description: '' }, encoding);
    await refused(40091, /permission_name/, 'POST', path, { description: '' }, encoding);
    await refused(40091, /description/, 'POST', path, { permission_name: 'x' }, encoding);
    for (const key of ['name', 'description'])
      await refused(40091, /info/, 'POST', path, { permission_name: 'x', description: '', info: { [key]: 'y' } }, encoding);
    const changed = await done('PUT', path, { permission_name: name, description: 'all labs', info: { floor: 4 } }, encoding);
    assert.equal(changed.info.name, name);
    assert.equal(changed.info.description, 'all labs');
    assert.equal(changed.info.floor, 4);
    await refused(40491, /nobody/, 'PUT', path, { permission_name: 'nobody', description: '' }, encoding);
    await refused(40091, /description/, 'PUT', path, { permission_name: name }, encoding);
    const { permissions_list: one } = await done('GET', path, { permission_name: name });
    assert.equal(one.length, 1);
    assert.equal(one[0].name, name);
    assert.equal(one[0].description, 'all labs');
    const { permissions_list: all } = await done('GET', path);
    assert.ok(all.some((each) => each.name === name));
    assert.ok(!all.some((each) => each.name === '0'), 'the built-in permission group is not listed');
    const [withId] = await done('GET', '/SophonFace/api/permissions', { 'info.name': name, exact: true });
    assert.equal(withId.info.name, name);
    assert.equal(typeof withId._id, 'string');
    await refused(40491, /nobody/, 'GET', path, { permission_name: 'nobody' });

    // The people who hold it: kept, then deleted.
    const person = { identity_id: 'holder', group_name: '', need_bring_pic: false };
    await done('POST', `${FOG}/users`, { ...person, info: { name: 'Holder', permission_ids: [withId._id] } }, encoding);
    const gone = await done('DELETE', path, { permission_name: name }, encoding);
    assert.deepEqual([gone.permission_name, gone.group_name, typeof gone.message], [name, name, 'string']);
    const { identities_list: kept } = await done('GET', `${FOG}/users`, { identity_id: 'holder' });
    assert.ok(!kept[0].info.permission_ids.includes(withId._id));
    await done('POST', path, { permission_name: name, description: '' }, encoding);
    await done('PUT', `${FOG}/users`, { identity_id: 'holder', info: { permission_ids: [name] } }, encoding);
    await done('DELETE', path, { permission_name: name, user_recursive_delete: true }, encoding);
    await refused(40401, /holder/, 'GET', `${FOG}/users`, { identity_id: 'holder' });
    await refused(40491, /labs/, 'DELETE', path, { permission_name: name }, encoding);
    await refused(40005, /user_recursive_delete/, 'DELETE', path, { permission_name: name, user_recursive_delete: 'x' }, encoding);
  });

  test(`groups and their members, ${encoding}`, async () => {
    const path = `${FOG}/groups`;
    const name = `东门 ${encoding}`;
    const made = await done('POST', path, { group_name: name, description: 'd', info: { colour: 'red' } }, encoding);
    assert.deepEqual(made.info, { name, description: 'd', colour: 'red' });
    await refused(40012, /group_name/, 'POST', path, { group_name: name, description: '' }, encoding);
    for (const bad of ['', 'a,b']) await refused(40012, /group_name/, 'POST', path, { group_name: bad, description: '' }, encoding);
    await refused(40091, /group_name/, 'POST', path, { description: '' }, encoding);
    await refused(40091, /description/, 'POST', path, { group_name: 'x' }, encoding);
    await refused(40091, /info/, 'POST', path, { group_name: 'x', description: '', info: { description: 'y' } }, encoding);
    const changed = await done('PUT', path, { group_name: name, description: '', info: { colour: 'blue' } }, encoding);
    assert.deepEqual(changed.info, { name, description: '', colour: 'blue' });
    await refused(40491, /nowhere/, 'PUT', path, { group_name: 'nowhere', description: '' }, encoding);
    assert.deepEqual((await done('GET', path, { group_name: name })).groups_list, [{ name, description: '', colour: 'blue' }]);
    await refused(40491, /nowhere/, 'GET', path, { group_name: 'nowhere' });
    const { groups_list: all, pagination } = await done('GET', path);
    assert.ok(all.some((each) => each.name === 'default_group'));
    assert.equal(pagination.total_count, all.length);
    assert.equal((await done('GET', path, { skip_num: 1, limit: 1 })).groups_list.length, 1);
    const [withId] = await done('GET', '/SophonFace/api/groups', { 'info.name': name, exact: true });
    assert.equal(withId.info.name, name);

    const ids = ['m1', 'm2', 'm3'];
    for (const identity_id of ids)
      await done('POST', `${FOG}/users`, { identity_id, group_name: 'default_group', need_bring_pic: false, info: { name: identity_id } }, encoding);
    const member = `${FOG}/GroupUsers`;
    const quiet = await done('PUT', member, { group_name: name, identity_id: ['m1'] }, encoding);
    assert.deepEqual(keys(quiet), ['group_name', 'message']);
    const told = await done('PUT', member, { group_name: name, identity_id: ['m1', 'm2', 'm3'], with_identity_id: true }, encoding);
    assert.equal(told.group_name, name);
    assert.deepEqual([...told.identity_id].sort(), ids);
    await refused(40401, /who/, 'PUT', member, { group_name: name, identity_id: ['m1', 'who'] }, encoding);
    await refused(40401, /who/, 'DELETE', member, { group_name: name, identity_id: ['m1', 'who'] }, encoding);
    await refused(40491, /nowhere/, 'PUT', member, { group_name: 'nowhere', identity_id: ['m1'] }, encoding);
    await refused(40091, /identity_id/, 'PUT', member, { group_name: name }, encoding);
    const left = await done('DELETE', member, { group_name: name, identity_id: 'm2', with_identity_id: 'True' }, encoding);
    assert.deepEqual([...left.identity_id].sort(), ['m1', 'm3']);
    const { identities_list } = await done('GET', `${FOG}/users`, { group_name: name, need_reg_photo: false });
    assert.deepEqual(identities_list.map((each) => each.identity_id), ['m1', 'm3']);

    const gone = await done('DELETE', path, { group_name: name, user_recursive_delete: true }, encoding);
    assert.deepEqual([gone.group_name, typeof gone.message], [name, 'string']);
    const rest = await done('GET', `${FOG}/users`, { group_name: 'default_group', need_reg_photo: false });
    assert.deepEqual(rest.identities_list.map((each) => each.identity_id), ['m2']);
    await done('DELETE', `${FOG}/users`, { identity_id: 'm2' }, encoding);
    await refused(40491, /东门/, 'DELETE', path, { group_name: name }, encoding);
    await refused(40012, /default_group/, 'DELETE', path, { group_name: 'default_group' }, encoding);
  });

  test(`people, ${encoding}`, async () => {
    const path = `${FOG}/users`;
    const photo = base64(folk[0].photo);
    const ext_info = { mobile: '13800000000', department: '研发', nested: { a: [1, 2.5, null, true] } };
    const person = { identity_id: 10086, group_name: 'default_group', reg_photo: photo, fiqa_level: 'no', info: { name: '小赵', ext_info, shoe: 43 } };
    const made = await done('POST', path, person, encoding);
    assert.equal(made.identity_id, '10086');
    assert.equal(made.reg_photo, photo);
    assert.equal(made.group_name, 'default_group');
    assert.equal(made.info.name, '小赵');
    assert.equal(made.info.type, 1);
    assert.equal(made.info.user_id, '10086');
    assert.equal(made.info.shoe, 43);
    assert.deepEqual(made.info.permission_ids, ['0']);
    assert.deepEqual(made.info.ext_info, ext_info);
    assert.deepEqual(made.info.group_ids, ['default_group']);
    assert.equal(made.info.face_ids.length, 1);
    assert.deepEqual(made.info.image_ids, [made.info.image_id]);
    assert.ok(Array.isArray(made.info.permission_names));
    await refused(40011, /10086/, 'POST', path, person, encoding);

    // As PUT with the fields sent: what is not sent stays, a photo adds a face.
    const more = { identity_id: '10086', group_name: '', reg_photo: base64(folk[0].other), fiqa_level: 'no', ignore_exist: true };
    const again = await done('POST', path, { ...more, info: { name: '小赵' }, need_reg_photo: false }, encoding);
    assert.equal(again.reg_photo, '');
    assert.equal(again.info.face_ids.length, 2);
    assert.equal(again.info.shoe, 43);
    const single = await done('POST', path, { ...more, info: { name: '小赵' }, support_single_face: 1 }, encoding);
    assert.equal(single.info.face_ids.length, 1);

    const listed = await done('GET', path, { identity_id: '10086', group_name: 'ignored' });
    assert.deepEqual(keys(listed), ['identities_list', 'pagination']);
    assert.deepEqual(listed.pagination, { skip_num: 0, limit: 10, num_pages: 1, total_count: 1 });
    const [read] = listed.identities_list;
    assert.deepEqual(keys(read), ['group_name', 'identity_id', 'info', 'reg_photo']);
    assert.deepEqual(read.group_name, ['default_group']);
    assert.equal(read.reg_photo, base64(folk[0].other));
    assert.equal((await done('GET', path, { identity_name: '小赵', need_reg_photo: 'False' })).identities_list[0].reg_photo, '');

    // Clients send back what they read.
    const put = await done('PUT', path, { identity_id: '10086', info: { ...read.info, type: 5 }, reg_photo: '' }, encoding);
    assert.deepEqual([put.identity_id, put.name, put.type], ['10086', '小赵', 5]);
    assert.deepEqual(put.group_name, ['default_group']);
    assert.deepEqual(put.permission_ids, ['0']);
    assert.equal(put.image_id, read.info.image_id);
    assert.equal(put.info.shoe, 43);
    const replaced = await done('PUT', path, { identity_id: '10086', info: {}, reg_photo: photo, fiqa_level: 'no' }, encoding);
    assert.notEqual(replaced.image_id, read.info.image_id);
    await refused(40491, /999/, 'PUT', path, { identity_id: '10086', info: { permission_ids: ['999'] } }, encoding);
    const created = await done('PUT', path, { identity_id: '10086', info: { permission_ids: ['999'] }, create_no_exit_permission: true }, encoding);
    assert.deepEqual(created.permission_ids, ['999']);
    await refused(40401, /who/, 'PUT', path, { identity_id: 'who', info: {} }, encoding);
    await refused(40091, /info/, 'PUT', path, { identity_id: '10086' }, encoding);

    // From a feature vector.
    const feature = Array.from({ length: 512 }, (_, i) => Math.sin(i + 1));
    const vector = { identity_id: 'vector', group_name: '', reg_photo: '', import_mode: true, info: { name: 'V' } };
    assert.equal((await done('POST', path, { ...vector, feature }, encoding)).info.face_ids.length, 1);
    for (const bad of [[], feature.slice(1), [...feature, 1], feature.map(() => 0), feature.map(() => 1e-9)])
      await refused(40010, /feature/, 'POST', path, { ...vector, identity_id: 'bad', feature: bad }, encoding);
    await refused(40091, /feature/, 'POST', path, { ...vector, identity_id: 'bad', feature: ['x', ...feature.slice(1)] }, encoding);
    await refused(40091, /feature/, 'POST', path, { ...vector, identity_id: 'bad' }, encoding);

    await refused(40401, /who/, 'GET', path, { identity_id: 'who' });
    await refused(40491, /nowhere/, 'GET', path, { group_name: 'nowhere' });
    await refused(40401, /who/, 'DELETE', path, { identity_id: 'who' }, encoding);
    const gone = await done('DELETE', path, { identity_id: '10086' }, encoding);
    assert.deepEqual([gone.identity_id, gone.group_name, typeof gone.message], ['10086', ['default_group'], 'string']);
    await done('DELETE', path, { identity_ids: ['vector'] }, encoding);
    assert.equal((await done('GET', path)).pagination.total_count, 0);
    await done('DELETE', `${FOG}/permissions`, { permission_name: '999' }, encoding);
  });

  test(`where reports go, ${encoding}`, async () => {
    const url = 'http://127.0.0.1:9/x';
    const event = await done('POST', `${FOG}/EventServerUrl`, { event_server_url: [url], 'content-type': 'form-data', real_need_reg_pic: '0' }, encoding);
    const stored = {
      event_server_url: [url],
      'content-type': 'form-data',
      real_need_reg_pic: false,
      real_need_spot_pic: true,
      real_need_recognize_face: true,
      real_need_send_all_person_type: false,
    };
    for (const [key, value] of Object.entries(stored)) assert.deepEqual(event[key], value, key);
    const read = await done('GET', `${FOG}/EventServerUrl`);
    for (const [key, value] of Object.entries(stored)) assert.deepEqual(read[key], value, key);
    await done('POST', `${FOG}/EventServerUrl`, { event_server_url: [''], 'content-type': 'json' }, encoding);

    const history = await done('POST', `${FOG}/HistoryEventUrl`, { history_upload_event_url: [url, `${url}2`], 'content-type': 'json' }, encoding);
    assert.deepEqual(history.history_upload_event_url, [url, `${url}2`]);
    assert.equal(history.reported_peroid, 20);
    assert.equal(typeof history.message, 'string');
    const told = await done('GET', `${FOG}/HistoryEventUrl`);
    assert.equal(told.history_need_reg_pic && told.history_need_spot_pic && told.history_need_recognize_face, true);
    await done('POST', `${FOG}/HistoryEventUrl`, { history_upload_event_url: [], 'content-type': 'json', reported_peroid: 1 }, encoding);
    await refused(40091, /reported_peroid/, 'POST', `${FOG}/HistoryEventUrl`, { history_upload_event_url: [], 'content-type': 'json', reported_peroid: 0 }, encoding);

    const status = { monitor_server_url: url, 'content-type': 'json', reported_peroid: '7' };
    assert.equal(await done('POST', `${FOG}/MonitorServerUrl`, status, encoding), 'ok');
    assert.deepEqual(await done('GET', `${FOG}/MonitorServerUrl`), { ...status, reported_peroid: 7 });
    await refused(40091, /content-type/, 'POST', `${FOG}/MonitorServerUrl`, { ...status, 'content-type': 'form-data' }, encoding);
    await done('POST', `${FOG}/MonitorServerUrl`, { monitor_server_url: '', 'content-type': 'json' }, encoding);

    for (const bad of ['ftp://x/y', 'nonsense', 'http://', 'http:///x', 'file:///etc/passwd', 'http://a b/', 'javascript:1']) {
      await refused(40091, /event_server_url/, 'POST', `${FOG}/EventServerUrl`, { event_server_url: [bad], 'content-type': 'json' }, encoding);
      await refused(40091, /history_upload_event_url/, 'POST', `${FOG}/HistoryEventUrl`, { history_upload_event_url: [url, bad], 'content-type': 'json' }, encoding);
      await refused(40091, /monitor_server_url/, 'POST', `${FOG}/MonitorServerUrl`, { monitor_server_url: bad, 'content-type': 'json' }, encoding);
    }
    for (const path of ['EventServerUrl', 'HistoryEventUrl'])
      await refused(40091, /content-type/, 'POST', `${FOG}/${path}`, { event_server_url: [], history_upload_event_url: [], 'content-type': 'xml' }, encoding);
  });

  test(`the controller's mode, ${encoding}`, async () => {
    const path = `${FOG}/GateControllerMode`;
    for (const controller_mode of ['alarm', 'avoid', 'opendoor']) {
      assert.deepEqual(await done('POST', path, { controller_mode }, encoding), { controller_mode });
      assert.deepEqual(await done('GET', path), { controller_mode });
    }
    await refused(40091, /controller_mode/, 'POST', path, { controller_mode: 'open' }, encoding);
  });
}

test('forms write a list as JSON text, as a repeated field, or as one plain string', async () => {
  for (const identity_id of ['a', 'b']) await done('POST', `${FOG}/users`, { identity_id, group_name: '', need_bring_pic: 'false', info: { name: identity_id } });
  await done('POST', `${FOG}/groups`, { group_name: 'g', description: '' });
  const put = async (headers, body) => {
    const answer = await box.request('PUT', `${FOG}/GroupUsers`, { headers, body });
    assert.equal(answer.status, 200, answer.body);
    const { identity_id } = answer.json.data;
    await done('DELETE', `${FOG}/GroupUsers`, { group_name: 'g', identity_id });
    return identity_id;
  };
  const urlencoded = { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' };
  for (const [list, expected] of [
    ['identity_id=a&identity_id=b', ['a', 'b']],
    ['identity_id=%5B%22a%22%2C+%22b%22%5D', ['a', 'b']],
    ['identity_id=a', ['a']],
  ])
    assert.deepEqual(await put(urlencoded, `group_name=g&with_identity_id=1&${list}`), expected);
  const repeated = await box.form('PUT', `${FOG}/GroupUsers`, { group_name: 'g', identity_id: ['b', 'a'], with_identity_id: 'true' });
  assert.deepEqual(repeated.json.data.identity_id, ['a', 'b']);
  await done('DELETE', `${FOG}/groups`, { group_name: 'g', user_recursive_delete: 'True' });
  assert.equal((await done('GET', `${FOG}/users`)).pagination.total_count, 0);
});

test('pages: by the number of records, in the order of ids, never beyond what is there', async () => {
  const ids = Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`);
  for (const identity_id of ids) await done('POST', `${FOG}/users`, { identity_id, group_name: '', need_bring_pic: false, info: { name: 'P' } });
  for (const [query, expected] of [
    [{}, ids.slice(0, 10)],
    [{ skip_num: 20 }, ids.slice(20)],
    [{ skip_num: 7, limit: 3 }, ids.slice(7, 10)],
    [{ skip_num: 25 }, []],
    [{ skip_num: 1000, limit: 1000 }, []],
    [{ limit: 1000, group_name: 'default_group' }, ids],
    [{ limit: 3, identity_name: 'P' }, ids.slice(0, 3)],
  ]) {
    const { identities_list, pagination } = await done('GET', `${FOG}/users`, query);
    assert.deepEqual(identities_list.map((each) => each.identity_id), expected, JSON.stringify(query));
    assert.equal(pagination.total_count, 25);
    assert.equal(pagination.num_pages, Math.ceil(25 / (query.limit ?? 10)));
    assert.equal(pagination.skip_num, query.skip_num ?? 0);
  }
  for (const [name, bad] of [['limit', 0], ['limit', 1001], ['limit', 'x'], ['limit', 2.5], ['skip_num', -1]])
    await refused(40091, new RegExp(name), 'GET', `${FOG}/users`, { [name]: bad });
  await done('DELETE', `${FOG}/users`, { identity_ids: ids });
});

test("the platform's number and address", async () => {
  for (const [path, field, value] of [
    ['/SophonMQ/api/DevSno', 'dev_sno', 'SE0001'],
    ['/SophonMQ/api/LoginUrl', 'login_url', 'http://127.0.0.1:9/login'],
  ]) {
    assert.deepEqual((await done('GET', path)).response, '');
    assert.equal((await done('PUT', path, { [field]: value })).response, value);
    const read = await done('GET', path);
    assert.deepEqual([read.response, read[field]], [value, value]);
    await refused(40091, new RegExp(field), 'PUT', path, {});
    assert.equal((await done('PUT', path, { [field]: '' })).response, '');
  }
  await refused(40091, /login_url/, 'PUT', '/SophonMQ/api/LoginUrl', { login_url: 'gopher://x' });
});

test('a wipe empties what it names', async () => {
  await done('POST', `${FOG}/users`, { identity_id: 'w', group_name: '', need_bring_pic: false, info: { name: 'W', permission_ids: ['77'] }, create_no_exit_permission: true });
  await done('POST', `${FOG}/groups`, { group_name: 'w', description: '' });
  await done('POST', `${FOG}/WipeData`, { wipe_options: { users: false, events: true } });
  assert.equal((await done('GET', `${FOG}/users`)).pagination.total_count, 1);
  await refused(40091, /wipe_options/, 'POST', `${FOG}/WipeData`, {});
  await refused(40005, /wipe_options/, 'POST', `${FOG}/WipeData`, { wipe_options: { users: 'perhaps', events: false } });
  const wipe_options = { users: true, events: false };
  assert.deepEqual((await done('POST', `${FOG}/WipeData`, { wipe_options })).wipe_options, wipe_options);
  assert.equal((await done('GET', `${FOG}/users`)).pagination.total_count, 0);
  assert.deepEqual((await done('GET', `${FOG}/groups`)).groups_list.map((each) => each.name), ['default_group']);
  assert.deepEqual((await done('GET', `${FOG}/permissions`)).permissions_list, []);
});

test('settings: all of them told, changed all or none', async () => {
  const { json } = await box.get('/api/settings');
  const names = JSON.stringify(json);
  for (const key of [
    'access.mode access.legacy_allow gallery.capacity recognition.threshold recognition.false_accept_target recognition.max_auto_threshold',
    'recognition.dedup_seconds recognition.enrol_min_face recognition.stranger_memory passmode events.keep events.keep_days',
    'events.spot_picture cloud.dev_sno cloud.login_url cloud.send_pictures cloud.person_code_as_string intake.ftp.port',
    'door.relay_default vision.workers reports.allow reports.device_info_url',
  ].join(' ').split(' '))
    assert.ok(names.includes(`"${key}"`), `${key} is no setting`);
  const read = async (key) => JSON.stringify((await done('GET', '/api/settings', { key })));
  const before = await read('recognition.dedup_seconds');
  await refused(40091, /events\.keep/, 'PUT', '/api/settings', { 'recognition.dedup_seconds': 77, 'events.keep': 'ten' });
  await refused(40091, /no\.such/, 'PUT', '/api/settings', { 'recognition.dedup_seconds': 77, 'no.such': 1 });
  await refused(40091, /access\.mode/, 'PUT', '/api/settings', { 'access.mode': 'closed' });
  assert.equal(await read('recognition.dedup_seconds'), before);
  await done('PUT', '/api/settings', { 'recognition.dedup_seconds': 77 });
  assert.match(await read('recognition.dedup_seconds'), /77/);
  await done('PUT', '/api/settings', { 'recognition.dedup_seconds': '10' });
});
