#!/usr/bin/env node
// A platform on the command line, for integrators: docs/platform-simulator.md.
import { createInterface } from 'node:readline';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { faultNames, Platform } from '../lib/platform.mjs';

const usage = `usage: node tests/e2e/platform/simulator.mjs [options] [PHOTO...]

  --listen HOST:PORT   where the platform answers (127.0.0.1:9061)
  --dev-sno ID         the box that may log in (SE0001)
  --token TEXT         what the login gives out (5c1e)
  --broker URL         RabbitMQ, amqp://USER:PASSWORD@HOST[:PORT][/VHOST]; none: the box gets no commands
  --queue NAME         of commands (queue-dev-<dev-sno>)
  --upload-queue NAME  of results (upload-queue); '' for none: results go to notify_path
  --record, --device-info, --monitor PATH  where reports are to go; none by default
  --people FOLDER      its photos NAME.jpg, .png, .webp are people with the id NAME

Lines on standard input: a command as JSON (sent to the box), "fault PATH NAME [TIMES]", "heal [PATH]", "people",
"quit". Faults: ${faultNames.join(', ')}.`;

function options() {
  const text = (value) => ({ type: 'string', ...(value === undefined ? {} : { default: value }) });
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        listen: text('127.0.0.1:9061'),
        'dev-sno': text('SE0001'),
        token: text('5c1e'),
        broker: text(),
        queue: text(),
        'upload-queue': text('upload-queue'),
        record: text(),
        'device-info': text(),
        monitor: text(),
        people: text(),
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    console.error(`simulator: ${error.message}\n${usage}`);
    process.exit(2);
  }
}

const { values: option, positionals } = options();
if (option.help) {
  console.log(usage);
  process.exit(0);
}

function say(kind, text) {
  console.log(`${new Date().toISOString().slice(11, 23)}  ${kind.padEnd(8)}  ${text}`);
}

/* What the login tells of the broker. */
function brokerFields() {
  if (option.broker === undefined) return undefined;
  const url = new URL(option.broker);
  const vHost = url.pathname.length > 1 ? decodeURIComponent(url.pathname.slice(1)) : '/';
  return {
    host: url.hostname,
    port: url.port || '5672',
    login: decodeURIComponent(url.username) || 'guest',
    password: decodeURIComponent(url.password) || 'guest',
    queue: option.queue ?? `queue-dev-${option['dev-sno']}`,
    vHost,
    uploadVHost: vHost,
    ...(option['upload-queue'] ? { uploadQueue: option['upload-queue'] } : {}),
  };
}

function photosOf(folder) {
  return readdirSync(folder)
    .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
    .map((name) => path.join(folder, name));
}

const at = option.listen.lastIndexOf(':');
const broker = brokerFields();
const platform = await Platform.start({
  host: option.listen.slice(0, at),
  port: Number(option.listen.slice(at + 1)),
  devSno: option['dev-sno'],
  token: option.token,
  broker,
  login: { recordAddr: option.record ?? null, deviceInfoAddr: option['device-info'] ?? null, deviceMonitorAddr: option.monitor ?? null },
});
for (const file of [...(option.people && existsSync(option.people) ? photosOf(option.people) : []), ...positionals]) {
  const id = path.parse(file).name;
  platform.add({ identity_id: id, info: { name: id, type: 1 } }, readFileSync(file));
}

const shown = { requests: 0, results: 0 };
function show() {
  for (const { method, path: target, query } of platform.requests.slice(shown.requests)) {
    say('request', `${method} ${target}${query.dev_sno === undefined ? '' : ` dev_sno=${query.dev_sno}`}`);
  }
  for (const { queue, json } of platform.results.slice(shown.results)) say('result', `${queue} ${JSON.stringify(json)}`);
  for (const [target, list] of Object.entries(platform.received)) {
    for (const { json } of list.splice(0)) say('report', `${target} ${JSON.stringify(json)?.slice(0, 2000)}`);
  }
  platform.requests.splice(0);
  platform.results.splice(0);
  platform.waiters.add(show);
}
show();

async function line(text) {
  const [word, ...rest] = text.trim().split(/\s+/);
  if (word === '') return;
  if (word === 'quit') {
    await platform.stop();
    process.exit(0);
  } else if (word === 'fault') {
    platform.fault(rest[0], rest[1], rest[2] === undefined ? {} : { times: Number(rest[2]) });
  } else if (word === 'heal') {
    platform.heal(rest[0]);
  } else if (word === 'people') {
    say('people', JSON.stringify([...platform.people.keys()]));
  } else if (platform.channel === undefined) {
    say('error', 'without --broker no command can be sent');
  } else {
    await platform.send(JSON.parse(text));
    say('command', text.slice(0, 2000));
  }
}

say('ready', `login_url ${platform.loginUrl}  dev_sno ${platform.devSno}  people ${platform.people.size}`);
if (option.broker !== undefined) {
  const { protocol, username, password, hostname, port } = new URL(option.broker);
  await platform.connect(`${protocol}//${username || 'guest'}:${password || 'guest'}@${hostname}${port ? `:${port}` : ''}`);
  say('broker', `commands go to ${broker.queue}`);
}
for await (const text of createInterface({ input: process.stdin })) {
  await line(text).catch((error) => say('error', error.message));
}
