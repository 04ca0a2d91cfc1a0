// aibox-receiver over the wire: every kind of message in both formats, broken bodies, outages on purpose, the page.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { bin, run, temporaryFolder } from './lib/box.mjs';
import { announceChild } from './lib/leftovers.mjs';

const program = path.join(bin, 'aibox-receiver');
const jpeg = Buffer.from('ffd8ffe000104a46494600010100000100010000ffd9', 'hex');
const available = existsSync(program);

class Receiver {
  static async start(args = [], { folder = temporaryFolder(), store = true } = {}) {
    const receiver = new Receiver();
    receiver.folder = folder;
    receiver.file = path.join(folder, 'out.jsonl');
    const storing = store ? ['--out', receiver.file] : ['--no-store'];
    const words = ['--listen', '127.0.0.1:0', ...storing, ...args];
    receiver.child = announceChild(spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] }));
    receiver.stdout = '';
    receiver.stderr = '';
    receiver.child.stderr.on('data', (chunk) => (receiver.stderr += chunk));
    receiver.ended = new Promise((resolve) => receiver.child.on('close', (code, signal) => resolve({ code, signal })));
    await new Promise((resolve, reject) => {
      receiver.child.stdout.on('data', (chunk) => {
        receiver.stdout += chunk;
        const ready = /ready on http:\/\/([\d.]+):(\d+)/.exec(receiver.stdout);
        if (!ready) return;
        receiver.port = Number(ready[2]);
        resolve();
      });
      receiver.child.on('error', reject);
      receiver.ended.then((end) => reject(new Error(`it ended with ${JSON.stringify(end)}: ${receiver.stderr}`)));
    });
    return receiver;
  }

  request(method, target, { headers = {}, body, timeout = 0 } = {}) {
    return new Promise((resolve, reject) => {
      const whole = body !== undefined && !('Transfer-Encoding' in headers);
      const length = whole ? { 'Content-Length': Buffer.byteLength(body) } : {};
      const options = { host: '127.0.0.1', port: this.port, path: target, method, timeout, agent: false };
      const request = http.request({ ...options, headers: { ...length, ...headers } }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const json = (response.headers['content-type'] ?? '') === 'application/json' && bytes.length > 0;
          resolve({
            status: response.statusCode,
            headers: response.headers,
            body: bytes,
            json: json ? JSON.parse(bytes) : undefined,
          });
        });
      });
      request.on('timeout', () => request.destroy(new Error('timeout')));
      request.on('error', reject);
      request.end(body);
    });
  }

  post(target, value, headers = {}) {
    const body = typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value);
    return this.request('POST', target, { headers: { 'Content-Type': 'application/json', ...headers }, body });
  }

  async get(target) {
    const answer = await this.request('GET', target);
    assert.equal(answer.status, 200, `${target}: ${answer.body}`);
    return answer.json;
  }

  async last() {
    const { received } = await this.get('/api/received?limit=1');
    return received[0];
  }

  lines() {
    const text = readFileSync(this.file, 'utf8');
    assert.ok(text === '' || text.endsWith('\n'));
    return text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  }

  /** SIGTERM; the program must end well and soon, so that a sanitizer's finding fails the test. */
  async stop({ keep = false } = {}) {
    this.child.kill('SIGTERM');
    const end = await this.ended;
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(end, { code: 0, signal: null }, this.stderr);
  }
}

const withReceiver = (args, body, options) => async () => {
  const receiver = await Receiver.start(args, options);
  try {
    await body(receiver);
  } finally {
    await receiver.stop();
  }
};

let number = 0;
function event(changes = {}, more = {}) {
  number++;
  return {
    identity_id: '10086',
    identity_name: '小赵',
    group_name: 'default_group',
    reg_pic: '',
    timestamp: 1566016554020 + number,
    score: 0.623,
    ext_data: {
      event_id: `01J${String(number).padStart(23, '0')}`,
      ep_id: 'SE0001__192.0.2.7',
      spot_pic: jpeg.toString('base64'),
      grab_fiqa_info: {},
      ...more,
    },
    ...changes,
  };
}

function multipart(fields) {
  const parts = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  });
  return [`${parts.join('')}--B--\r\n`, { 'Content-Type': 'multipart/form-data; boundary=B' }];
}

function urlencoded(fields) {
  const text = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  return [new URLSearchParams(text).toString(), { 'Content-Type': 'application/x-www-form-urlencoded' }];
}

const status = {
  gateway_ip: '192.0.2.1',
  gateway_name: 'gate-east',
  gateway_status: 'online',
  gateway_sn: 'A1B2',
  dev_sno: 'SE0001',
  gateway_ext_data: { cpu_usage: 12.5 },
  sub_devices: [{ ep_id: 'SE0001__192.0.2.7', ep_status: 'online' }],
};
const device = { actionType: 1, actiontype: 1, deviceInfo: { epId: 'SE0001__192.0.2.7', epName: 'east gate' } };
const deviceList = { devSno: 'SE0001', deviceList: [device.deviceInfo, device.deviceInfo] };
const result = {
  success: true,
  code: 0,
  message: 'fiqa done',
  dev_sno: 'SE0001',
  messageKey: 'fiqa',
  messageId: '77',
  result: { data: [] },
};

describe('aibox-receiver', { skip: available ? false : 'aibox-receiver is not built' }, () => {
  describe('what it takes', () => {
    let receiver;
    before(async () => {
      receiver = await Receiver.start();
    });
    after(() => receiver.stop());

    const kinds = [
      ['realtime', '/RealTimeEvent', () => event()],
      ['history', '/HistoryEvent', () => event()],
      ['history', '/EventServer/api/anything', () => event({}, { want_action: '0' })],
      ['status', '/MonitorServer/api/SophonFogStatus', () => status],
      ['device', '/getDeviceInfo', () => device],
      ['device_list', '/', () => deviceList],
      ['result', '/mqResult', () => result],
      ['unknown', '/RealTimeEvent', () => ({ hello: 'world' })],
    ];
    const formats = [
      ['json', (value) => [JSON.stringify(value), { 'Content-Type': 'application/json' }]],
      ['form', multipart],
      ['form', urlencoded],
    ];
    for (const [kind, target, make] of kinds) {
      for (const [format, write] of formats) {
        test(`${kind} on ${target} as ${write.name || format}`, async () => {
          const value = make();
          const [body, headers] = write(value);
          const answer = await receiver.post(`${target}?dev_sno=SE0001&token=secret`, body, headers);
          assert.equal(answer.status, 200);
          assert.deepEqual(answer.json, { status: 0, message: 'ok', data: null });
          const message = await receiver.last();
          assert.equal(message.kind, kind);
          assert.equal(message.format, format);
          assert.equal(message.path, target);
          assert.equal(message.kept, true);
          const line = receiver.lines().at(-1);
          assert.equal(line.kind, kind);
          assert.deepEqual(line.body, value, 'what is stored is what was sent, in every format');
          assert.ok(!JSON.stringify(line).includes('secret'));
        });
      }
    }

    test('an event is summed up, and its picture served', async () => {
      const sent = event();
      await receiver.post('/RealTimeEvent', sent, { 'Idempotency-Key': sent.ext_data.event_id });
      const message = await receiver.last();
      assert.equal(message.person, '小赵');
      assert.equal(message.identity_id, '10086');
      assert.equal(message.score, 0.623);
      assert.equal(message.device, 'SE0001__192.0.2.7');
      assert.equal(message.event_id, sent.ext_data.event_id);
      assert.equal(message.idempotency_key, sent.ext_data.event_id);
      assert.equal(message.pictures.length, 1);
      assert.equal(message.pictures[0].field, 'spot_pic');
      const picture = await receiver.request('GET', message.pictures[0].url);
      assert.deepEqual(picture.body, jpeg);
      assert.equal(picture.headers['content-type'], 'image/jpeg');
      assert.equal(picture.headers['x-content-type-options'], 'nosniff');
      assert.match(
        receiver.stdout,
        /^\d\d:\d\d:\d\d\.\d{3}  realtime  \/RealTimeEvent  小赵 \(10086\)  0\.623  SE0001__192\.0\.2\.7  01J0+\d+$/m,
      );
    });

    test('a batch is as many messages as events', async () => {
      const batch = Array.from({ length: 100 }, () => event({}, { spot_pic: '' }));
      const before = receiver.lines().length;
      const { kinds: was } = await receiver.get('/api/counts');
      assert.equal((await receiver.post('/x', batch)).status, 200);
      const { kinds: is } = await receiver.get('/api/counts');
      assert.equal(is.history.kept - was.history.kept, 100);
      assert.deepEqual(receiver.lines().slice(before).map((line) => line.body), batch);
      const { received } = await receiver.get('/api/received?kind=history&limit=100');
      assert.deepEqual(received.map((one) => one.event_id), batch.map((one) => one.ext_data.event_id));
      assert.equal((await receiver.post('/x', [...batch, event()])).status, 400);
    });

    test('text from outside is nothing that a terminal obeys', async () => {
      await receiver.post('/RealTimeEvent', event({ identity_name: 'a\u001b[2J\nb\u009bc' }));
      assert.match(receiver.stdout, /  a\?\[2J\?b\?c \(10086\)  /);
      assert.ok(!receiver.stdout.includes('\u001b'));
    });

    test('what is no picture is said and never served', async () => {
      await receiver.post('/RealTimeEvent', event({}, { spot_pic: Buffer.from('<svg onload=x>').toString('base64') }));
      const message = await receiver.last();
      assert.deepEqual(message.pictures, []);
      assert.equal(message.unreadable_pictures, 1);
    });

    test('limit, after, kind and bodies choose', async () => {
      const { newest } = await receiver.get('/api/received?limit=1');
      await receiver.post('/DeviceStatus', status);
      await receiver.post('/mqResult', result);
      const rest = await receiver.get(`/api/received?after=${newest}&bodies=0`);
      assert.deepEqual(rest.received.map((one) => one.kind), ['status', 'result']);
      assert.ok(rest.received.every((one) => !('body' in one)));
      assert.equal(rest.newest, newest + 2);
      const chosen = await receiver.get(`/api/received?kind=status&after=${newest}`);
      assert.deepEqual(chosen.received.map((one) => one.body), [status]);
      assert.deepEqual((await receiver.get(`/api/received/${newest + 2}`)).body, result);
      for (const wrong of ['kind=nothing', 'limit=0', 'limit=1001', 'limit=x', 'after=-1'])
        assert.equal((await receiver.request('GET', `/api/received?${wrong}`)).status, 400, wrong);
      for (const nowhere of ['/api/received/0', '/api/received/x', '/api/pictures/1', '/api/pictures/1/99', '/../x'])
        assert.equal((await receiver.request('GET', nowhere)).status, 404, nowhere);
      assert.equal((await receiver.request('DELETE', '/api/received')).status, 405);
    });

    test('the page asks nobody else for anything', async () => {
      for (const target of ['/', '/receiver.css', '/receiver.js']) {
        const answer = await receiver.request('GET', target);
        assert.equal(answer.status, 200);
        assert.doesNotMatch(String(answer.body), /https?:\/\/|url\(|innerHTML|insertAdjacent|document\.write/);
        assert.match(answer.headers['content-security-policy'], /default-src 'none'.*script-src 'self'/);
        assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      }
    });
  });

  describe('broken bodies', () => {
    let receiver;
    before(async () => {
      receiver = await Receiver.start();
    });
    after(() => receiver.stop());

    const form = { 'Content-Type': 'multipart/form-data; boundary=B' };
    const encoded = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const cases = [
      ['nothing', '', {}, 400],
      ['half an object', '{"identity_id": "1", ', {}, 400],
      ['something behind it', '{} {}', {}, 400],
      ['a number', '7', {}, 400],
      ['a key twice', '{"a": 1, "a": 2}', {}, 400],
      ['no UTF-8', Buffer.from('{"a": "\xff"}', 'latin1'), {}, 400],
      ['a NUL', '{"a": "\\u0000"}', {}, 400],
      ['too deep', '['.repeat(100) + ']'.repeat(100), {}, 400],
      ['too many values', `[${'[],'.repeat(300000)}[]]`, {}, 400],
      ['an empty batch', '[]', {}, 400],
      ['a picture alone', jpeg, { 'Content-Type': 'image/jpeg' }, 415],
      ['no boundary', '--B--', { 'Content-Type': 'multipart/form-data' }, 400],
      ['another boundary', '--C--', form, 400],
      ['no end', '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1', form, 400],
      ['a part without name', '--B\r\n\r\n1\r\n--B--', form, 400],
      ['broken JSON in a form', 'identity_id=1&ext_data={', encoded, 400],
      ['a broken escape', 'a=%4', encoded, 400],
    ];
    for (const [name, body, headers, wanted] of cases) {
      test(name, async () => {
        const answer = await receiver.post('/RealTimeEvent', body, headers);
        assert.equal(answer.status, wanted, String(answer.body));
        assert.equal(answer.json.status, wanted);
        assert.ok(answer.json.message.length > 0);
        const message = await receiver.last();
        assert.equal(message.kind, 'malformed');
        assert.equal(message.answer, wanted);
        assert.equal(message.note, answer.json.message);
      });
    }

    test('too large, announced or not, and asked first', async () => {
      const body = Buffer.alloc((32 << 20) + 1, 0x20);
      assert.equal((await receiver.post('/x', body)).status, 413);
      const chunked = await receiver.post('/x', body, { 'Transfer-Encoding': 'chunked' });
      assert.equal(chunked.status, 413);
      const asked = await receiver.request('POST', '/x', { headers: { 'Content-Length': '99999999', Expect: '100-continue' } });
      assert.equal(asked.status, 413);
      body.write('{}', body.length - 3);
      assert.equal((await receiver.post('/x', body.subarray(1))).status, 200, 'exactly the most is taken');
    });

    test('a connection that ends midway leaves nothing', async () => {
      const { posts } = await receiver.get('/api/counts');
      await new Promise((resolve, reject) => {
        const socket = net.connect(receiver.port, '127.0.0.1', () => {
          socket.end('POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a"');
        });
        socket.on('error', reject);
        socket.on('close', resolve);
        socket.resume();
      });
      assert.equal((await receiver.get('/api/counts')).posts, posts);
    });

    test('none of it was stored', async () => {
      assert.ok(receiver.lines().every((line) => line.kind === 'unknown'));
    });
  });

  describe('the same event again', () => {
    test('is a duplicate, whatever the format and the order of its keys', withReceiver([], async (receiver) => {
      const sent = event();
      const turned = Object.fromEntries(Object.entries(sent).reverse());
      const [form, headers] = multipart(sent);
      await receiver.post('/HistoryEvent', sent);
      await receiver.post('/HistoryEvent', [turned]);
      assert.equal((await receiver.last()).duplicate, 'same');
      await receiver.post('/HistoryEvent', form, headers);
      assert.equal((await receiver.last()).duplicate, 'same');
      assert.match(receiver.stdout, /  DUPLICATE$/m);
      const { events } = await receiver.get('/api/counts');
      assert.deepEqual(events, { distinct: 1, duplicates: 2, different_content: 0, forgotten: 0 });
    }));

    test('on another path, or in real time, is none', withReceiver([], async (receiver) => {
      const sent = event();
      for (const target of ['/HistoryEvent', '/archive/record', '/RealTimeEvent']) await receiver.post(target, sent);
      const { events } = await receiver.get('/api/counts');
      assert.deepEqual(events, { distinct: 3, duplicates: 0, different_content: 0, forgotten: 0 });
    }));

    test('with other content is flagged', withReceiver([], async (receiver) => {
      const sent = event();
      await receiver.post('/HistoryEvent', sent);
      await receiver.post('/HistoryEvent', { ...sent, score: 0.7 });
      assert.equal((await receiver.last()).duplicate, 'different');
      assert.match(receiver.stdout, /!! DIFFERENT CONTENT/);
      assert.equal((await receiver.get('/api/counts')).events.different_content, 1);
    }));

    test('without event_id is told by Idempotency-Key', withReceiver([], async (receiver) => {
      const sent = event({}, { event_id: undefined });
      for (const wanted of ['no', 'same']) {
        await receiver.post('/RealTimeEvent', sent, { 'Idempotency-Key': 'k1' });
        assert.equal((await receiver.last()).duplicate, wanted);
      }
    }));
  });

  describe('outages on purpose', () => {
    test('--fail-rate: some are refused, and every retry gets through', withReceiver(['--fail-rate', '0.5', '--seed', '1'], async (receiver) => {
      const sent = Array.from({ length: 40 }, () => event({}, { spot_pic: '' }));
      let refused = 0;
      for (const one of sent) {
        while ((await receiver.post('/HistoryEvent', one)).status === 500) refused++;
      }
      assert.ok(refused > 0);
      const { events, rehearsed } = await receiver.get('/api/counts');
      assert.deepEqual(events, { distinct: 40, duplicates: 0, different_content: 0, forgotten: 0 });
      assert.equal(rehearsed.failed, refused);
      assert.deepEqual(receiver.lines().map((line) => line.body), sent);
      assert.ok(receiver.lines().some((line) => line.duplicate === 'retry'));
    }));

    test('--seed repeats a run', async () => {
      const runs = [];
      for (let i = 0; i < 2; i++) {
        const receiver = await Receiver.start(['--fail-rate', '0.5', '--seed', '7'], { store: false });
        const answers = [];
        for (let n = 0; n < 20; n++) answers.push((await receiver.post('/x', status)).status);
        runs.push(answers);
        await receiver.stop();
      }
      assert.deepEqual(runs[0], runs[1]);
      assert.equal(new Set(runs[0]).size, 2);
    });

    test('--drop-rate: kept, but the sender does not learn it', withReceiver(['--drop-rate', '1'], async (receiver) => {
      const sent = event();
      for (const wanted of ['no', 'same']) {
        await assert.rejects(receiver.post('/HistoryEvent', sent));
        const message = await receiver.last();
        assert.equal(message.duplicate, wanted);
        assert.equal(message.kept, true);
        assert.equal(message.answer, 0);
      }
      assert.equal(receiver.lines().length, 2);
    }));

    test('--status answers so, and keeps only what it confirms', async () => {
      for (const [code, kept] of [[503, 0], [422, 0], [202, 1], [204, 1]]) {
        const receiver = await Receiver.start(['--status', String(code)]);
        assert.equal((await receiver.post('/HistoryEvent', event())).status, code);
        assert.equal((await receiver.get('/api/counts')).kinds.history.kept, kept);
        assert.equal(receiver.lines().length, kept);
        await receiver.stop();
      }
    });

    test('--delay-ms answers later', withReceiver(['--delay-ms', '300'], async (receiver) => {
      const began = process.hrtime.bigint();
      assert.equal((await receiver.post('/x', status)).status, 200);
      assert.ok(process.hrtime.bigint() - began >= 300_000_000n);
    }));

    test('--hang never answers, the page still does, and stopping is not held up', async () => {
      const receiver = await Receiver.start(['--hang']);
      const options = { body: JSON.stringify(event()), timeout: 200 };
      const hanging = Array.from({ length: 8 }, () => receiver.request('POST', '/HistoryEvent', options));
      for (const one of hanging) await assert.rejects(one, /timeout/);
      assert.equal((await receiver.get('/api/counts')).rehearsed.hung, 8);
      assert.equal(receiver.lines().length, 0);
      const left = receiver.request('POST', '/HistoryEvent', { body: options.body });
      left.catch(() => {});
      while ((await receiver.get('/api/counts')).rehearsed.hung < 9);
      await receiver.stop();
      await assert.rejects(left);
    });

    test('more senders that gave up than there may be connections do not close the door', withReceiver(['--hang'], async (receiver) => {
      for (let round = 0; round < 6; round++) {
        const options = { body: JSON.stringify(status), timeout: 100 };
        await Promise.allSettled(Array.from({ length: 40 }, () => receiver.request('POST', '/x', options)));
      }
      assert.ok((await receiver.get('/api/counts')).rehearsed.hung > 128);
    }));
  });

  describe('the file', () => {
    test('goes on over a restart, and belongs to one receiver', async () => {
      const first = await Receiver.start();
      await first.post('/HistoryEvent', event());
      const second = await run(program, ['--listen', '127.0.0.1:0', '--out', first.file]);
      assert.equal(second.code, 1);
      assert.match(second.stderr, /another receiver/);
      first.child.kill('SIGKILL');
      await first.ended;
      const third = await Receiver.start([], { folder: first.folder });
      await third.post('/HistoryEvent', event());
      assert.equal(third.lines().length, 2);
      await third.stop();
    });

    test('a disk that is full is not confirmed, and nothing counts as kept', { skip: !existsSync('/dev/full') }, withReceiver(['--out', '/dev/full'], async (receiver) => {
      const sent = event();
      for (const wanted of ['no', 'retry']) {
        const answer = await receiver.post('/HistoryEvent', sent);
        assert.equal(answer.status, 500);
        assert.match(answer.json.message, /space/);
        assert.equal((await receiver.last()).duplicate, wanted);
      }
      const counts = await receiver.get('/api/counts');
      assert.equal(counts.store_errors, 2);
      assert.equal(counts.kinds.history.kept, 0);
      assert.deepEqual(counts.events, { distinct: 0, duplicates: 0, different_content: 0, forgotten: 0 });
    }));

    test('many senders at once lose nothing', withReceiver([], async (receiver) => {
      const all = Array.from({ length: 200 }, () => event());
      const queue = [...all];
      const sender = async () => {
        for (let one = queue.pop(); one; one = queue.pop()) assert.equal((await receiver.post('/HistoryEvent', one)).status, 200);
      };
      await Promise.all(Array.from({ length: 16 }, sender));
      const ids = new Set(receiver.lines().map((line) => line.event_id));
      assert.deepEqual(ids, new Set(all.map((one) => one.ext_data.event_id)));
    }));
  });

  describe('the command line', () => {
    test('--version and --help', async () => {
      assert.match((await run(program, ['--version'])).stdout, /^aibox-receiver \d+\.\d+\.\d+\n$/);
      const help = await run(program, ['--help']);
      assert.equal(help.code, 0);
      for (const name of ['listen', 'out', 'no-store', 'last', 'fail-rate', 'drop-rate', 'status', 'delay-ms', 'hang', 'seed'])
        assert.ok(help.stdout.includes(`--${name}`), name);
    });

    test('what is wrong is said in a line', async () => {
      for (const args of [['--fail-rate', '2'], ['--listen', 'nowhere'], ['--out', '/nowhere/at/all'], ['--what']]) {
        const end = await run(program, args);
        assert.equal(end.code, 1, args.join(' '));
        assert.match(end.stderr, /^aibox-receiver: .+/);
      }
    });
  });
});
