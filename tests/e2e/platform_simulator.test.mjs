// The simulator of a platform keeps to the protocol, and fails as it is told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Platform } from './lib/platform.mjs';

let platform;
before(async () => {
  platform = await Platform.start({ broker: { host: 'broker', port: 5672, login: 'box', password: 'p', queue: 'q' } });
  platform.add({ identity_id: '1', info: { name: 'one' } }, Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
});
after(() => platform.stop());

const url = (path, query = `dev_sno=SE0001&token=${platform.token}`) => `${platform.url}${path}?${query}`;
const ask = (ids, query) =>
  fetch(url('/getSendPerson', query), { method: 'POST', body: JSON.stringify({ userid_list: ids }) });

test('login: the box that is expected gets in, others do not', async () => {
  const good = await (await fetch(url('/login', 'dev_sno=SE0001&hex_mac=0xe0a509000a01'))).json();
  assert.deepEqual(good, { token: '5c1e', rabbitmq: platform.broker });
  assert.deepEqual(platform.logins, [{ dev_sno: 'SE0001', hex_mac: '0xe0a509000a01' }]);
  const bad = await fetch(url('/login', 'dev_sno=other&hex_mac=0x0'));
  assert.equal(bad.status, 403);
  assert.equal((await bad.json()).error.code, 40003);
});

test('people: those asked for that are there; only with the token', async () => {
  const { data } = await (await ask(['1', 'gone'])).json();
  assert.deepEqual(data.user_list, [{ reg_url: url('/pics/1.jpg').split('?')[0], register_type: 1, identity_id: '1', info: { name: 'one' } }]);
  assert.equal((await ask(['1'], 'dev_sno=SE0001&token=old')).status, 401);
  assert.equal((await fetch(data.user_list[0].reg_url)).headers.get('content-type'), 'image/jpeg');
});

test('faults happen as often as asked for', async () => {
  platform.fault('/getSendPerson', 'error', { times: 1, status: 503 });
  assert.equal((await ask(['1'])).status, 503);
  assert.equal((await ask(['1'])).status, 200);
  platform.fault('/getSendPerson', 'bad-json');
  await assert.rejects((await ask(['1'])).json());
  platform.fault('/pics/1.jpg', 'half');
  await assert.rejects(fetch(url('/pics/1.jpg')).then((answer) => answer.arrayBuffer()));
  platform.heal('/pics/1.jpg');
  platform.fault('/pics/1.jpg', 'redirect-loop');
  await assert.rejects(fetch(url('/pics/1.jpg')));
  platform.heal();
  assert.equal((await ask(['1'])).status, 200);
});

test('everything else that is POSTed is kept', async () => {
  await fetch(url('/mqResult'), { method: 'POST', body: '{"messageKey": "delete_users", "messageId": "m"}' });
  assert.equal((await platform.result('m')).messageKey, 'delete_users');
  assert.equal(platform.received['/mqResult'][0].query.token, '5c1e');
});
