// Commands of the platform take effect once and in order, and each is answered, whatever dies meanwhile: the broker, the
// box, or the network between them.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Box, temporaryFolder } from './lib/box.mjs';
import { Platform } from './lib/platform.mjs';
import { haveRabbitMq, RabbitMq } from './lib/rabbitmq.mjs';

const long = Boolean(process.env.AIBOX_LONG);
const people = long ? 5000 : 200;
const kills = long ? { broker: 20, box: 20, network: 5 } : { broker: 2, box: 2, network: 1 };
const perCommand = 5;

/** Between the box and the broker: cut() breaks connections, freeze() lets nothing through and nobody know. */
class Wire {
  static async start(port) {
    const wire = new Wire();
    wire.sockets = new Set();
    wire.frozen = false;
    wire.server = net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      for (const socket of [near, far]) {
        wire.sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          wire.sockets.delete(socket);
          if (!wire.frozen) (socket === near ? far : near).destroy();
        });
      }
      if (wire.frozen) return;
      near.pipe(far);
      far.pipe(near);
    });
    await new Promise((resolve) => wire.server.listen(0, '127.0.0.1', resolve));
    wire.port = wire.server.address().port;
    return wire;
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  async freeze(ms) {
    this.frozen = true;
    for (const socket of this.sockets) socket.unpipe().pause();
    await sleep(ms);
    this.frozen = false;
    this.cut();
  }

  stop() {
    this.cut();
    this.server.close();
  }
}

const feature = () => Array.from({ length: 512 }, () => Math.round((Math.random() - 0.5) * 1e4) / 1e4);

/** The commands, and the people that there are in the end: {id: name}. */
function plan() {
  const commands = [];
  const there = new Map();
  const give = (command) => commands.push({ ...command, messageId: `c${commands.length}`, extend_params: {} });
  const add = (ids, version) => {
    give({
      method: 'add_users_plus',
      user_info_list: ids.map((id) => ({ identity_id: id, info: { name: `${id} v${version}`, type: 1 }, import_mode: true, feature: feature() })),
    });
    for (const id of ids) there.set(id, `${id} v${version}`);
  };
  const remove = (ids) => {
    give({ method: 'delete_users', userid_list: ids });
    for (const id of ids) there.delete(id);
  };
  for (let first = 0; first < people; first += perCommand) {
    const ids = Array.from({ length: perCommand }, (_, i) => `p${first + i}`);
    add(ids, 1);
    if (first % 3 === 0) remove(ids.slice(0, 2)); /* gone for good, unless … */
    if (first % 4 === 0) add(ids.slice(1, 3), 2); /* … they come again, with another name */
    if (first === people / 2) remove(['nobody']);
  }
  return { commands, there };
}

async function everybody(box) {
  const found = new Map();
  for (let skip = 0; ; skip += 1000) {
    const answer = await box.get(`/SophonFogSys/api/users?skip_num=${skip}&limit=1000&need_reg_photo=false`);
    const list = answer.json.data.identities_list;
    for (const person of list) found.set(person.identity_id, person.info.name);
    if (list.length < 1000) return found;
  }
}

test(
  `${people} people, ${kills.broker} deaths of the broker, ${kills.box} of the box, ${kills.network} of the network`,
  { skip: haveRabbitMq ? false : 'rabbitmq-server is not installed' },
  async () => {
    const broker = await RabbitMq.start();
    const wire = await Wire.start(broker.port);
    const platform = await Platform.start({
      broker: broker.fields({ port: wire.port, queue: 'commands', uploadQueue: 'results', exchange: { name: 'box', type: 'topic', durable: true } }),
    });
    const data = temporaryFolder();
    let box = await Box.start({ data });
    await box.put('/SophonMQ/api/DevSno', { dev_sno: platform.devSno });
    await box.put('/SophonMQ/api/LoginUrl', { login_url: platform.loginUrl });
    await platform.connect(broker.url);

    const { commands, there } = plan();
    const answered = () => new Set(platform.results.map(({ json }) => json.messageId));
    let killing = Promise.resolve();
    const deaths = [
      ...Array(kills.broker).fill(async () => {
        await broker.kill();
        await broker.run();
        await platform.connect(broker.url);
      }),
      ...Array(kills.box).fill(async () => {
        await box.kill();
        box = await Box.start({ data });
      }),
      ...Array(kills.network).fill(() => (long ? wire.freeze(50000) : wire.cut())),
    ].sort(() => Math.random() - 0.5);
    const deadly = new Map(deaths.map((death, i) => [Math.floor(((i + 0.5) * commands.length) / deaths.length), death]));

    for (let i = 0; i < commands.length; i++) {
      const death = deadly.get(i);
      if (death) killing = killing.then(death);
      for (;;) {
        try {
          await platform.send(commands[i]);
          break;
        } catch {
          await sleep(200); /* the broker is gone: once more, with the same id */
        }
      }
      if (i % 8 === 7) await sleep(20); /* so that deaths meet all stages */
    }
    await killing;
    await platform.until(() => answered().size === commands.length, `${commands.length} results`, long ? 1800000 : 120000);

    const results = new Map();
    for (const { json } of platform.results) {
      if (results.has(json.messageId)) assert.deepEqual(json, results.get(json.messageId), `${json.messageId} has two different results`);
      else results.set(json.messageId, json);
    }
    for (const command of commands) {
      const { success, messageKey, result } = results.get(command.messageId);
      assert.equal(success, true, JSON.stringify(results.get(command.messageId)));
      assert.equal(messageKey, command.method);
      if (command.method === 'add_users_plus')
        assert.deepEqual(
          result.success_users.map(({ userid }) => userid),
          command.user_info_list.map((person) => person.identity_id),
        );
    }
    assert.deepEqual([...(await everybody(box))].sort(), [...there].sort());

    /* Nothing is stuck anywhere. */
    const late = Date.now() + 60000;
    for (;;) {
      const now = (await box.get('/api/platform')).json.data;
      const queue = (await broker.queues()).commands;
      if (now.inbox.main.waiting + now.outbox.main.waiting + queue.messages + queue.unacked === 0) break;
      assert.ok(Date.now() < late, JSON.stringify({ queue, now }));
      await sleep(500);
    }
    await box.stop();
    await platform.stop();
    wire.stop();
    await broker.stop();
    rmSync(data, { recursive: true, force: true });
  },
);
