// A RabbitMQ of a test file's own: Debian's server in a folder, with ports, node name and name daemon (epmd) that nobody
// else uses, on loopback only. Nothing of the machine's own broker, if there is one, is touched.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';

import { run, temporaryFolder } from './box.mjs';
import { announce, announceChild } from './leftovers.mjs';
import { until } from './until.mjs';

const amqp = createRequire(new URL('../../package.json', import.meta.url))('amqplib');

const programs = '/usr/lib/rabbitmq/bin';
export const haveRabbitMq = existsSync(path.join(programs, 'rabbitmq-server'));

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
  } catch {
    return false;
  }
}

/** `login`, `password`: the user that there is, with every right. `tls`: lines of rabbitmq.conf with its certificate, for amqps at `tlsPort`. */
export class RabbitMq {
  static async start({ login = 'box', password = 'open-sesame-4711', tls = '' } = {}) {
    const broker = new RabbitMq();
    broker.dir = temporaryFolder();
    Object.assign(broker, { login, password, host: '127.0.0.1' });
    broker.port = await freePort();
    broker.epmdPort = await freePort();
    const distPort = await freePort();
    broker.tlsPort = await freePort();
    broker.config = path.join(broker.dir, 'rabbitmq.conf');
    mkdirSync(path.join(broker.dir, 'home'));
    writeFileSync(
      broker.config,
      `listeners.tcp.1 = 127.0.0.1:${broker.port}\nloopback_users = none\ndefault_user = ${login}\ndefault_pass = ${password}\n` +
        `vm_memory_high_watermark.absolute = 1GB\ndisk_free_limit.absolute = 10MB\nlog.console = false\n` +
        (tls ? `listeners.ssl.1 = 127.0.0.1:${broker.tlsPort}\n${tls}\n` : ''),
    );
    writeFileSync(path.join(broker.dir, 'plugins'), '[].\n');
    writeFileSync(path.join(broker.dir, 'env'), '');
    broker.env = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: path.join(broker.dir, 'home'), // the cookie by which ctl() is let in
      ERL_EPMD_PORT: String(broker.epmdPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `aibox-test-${broker.port}@localhost`,
      RABBITMQ_DIST_PORT: String(distPort),
      RABBITMQ_CONF_ENV_FILE: path.join(broker.dir, 'env'),
      RABBITMQ_CONFIG_FILE: broker.config,
      RABBITMQ_ADVANCED_CONFIG_FILE: path.join(broker.dir, 'advanced.config'),
      RABBITMQ_ENABLED_PLUGINS_FILE: path.join(broker.dir, 'plugins'),
      RABBITMQ_MNESIA_BASE: path.join(broker.dir, 'mnesia'),
      RABBITMQ_LOG_BASE: path.join(broker.dir, 'log'),
      RABBITMQ_PID_FILE: path.join(broker.dir, 'pid'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}',
      RABBITMQ_CTL_ERL_ARGS: '+S 1:1 +sbwt none',
    };
    broker.epmd = announceChild(spawn('epmd', ['-port', String(broker.epmdPort), '-address', '127.0.0.1'], { stdio: 'ignore' }));
    try {
      await broker.run();
    } catch (error) {
      await broker.stop();
      throw error;
    }
    return broker;
  }

  /** Starts the server, which was stopped or killed: with what it had on disk. */
  async run() {
    rmSync(this.env.RABBITMQ_PID_FILE, { force: true });
    let output = '';
    const options = { env: this.env, cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'] };
    this.child = announceChild(spawn(path.join(programs, 'rabbitmq-server'), [], options));
    this.child.stdout.on('data', (chunk) => (output += chunk));
    this.child.stderr.on('data', (chunk) => (output += chunk));
    this.ended = new Promise((resolve) => this.child.on('close', resolve));
    let over = false;
    this.ended.then(() => (over = true));
    await until(async () => {
      if (over) throw new Error(`RabbitMQ ended:\n${output.slice(-4000)}`);
      const connection = await this.connect();
      await connection?.close();
      return connection !== undefined;
    }, 'RabbitMQ');
    this.pid = Number(readFileSync(this.env.RABBITMQ_PID_FILE, 'utf8'));
    this.ended.then(announce(`RabbitMQ (process ${this.pid})`, () => isAlive(this.pid) && process.kill(this.pid, 'SIGKILL')));
  }

  /** A connection of amqplib, or undefined when there is none to be had. */
  async connect({ vhost = '/', login = this.login, password = this.password } = {}) {
    try {
      const connection = await amqp.connect({ hostname: this.host, port: this.port, username: login, password, vhost, heartbeat: 0 });
      connection.on('error', () => {});
      return connection;
    } catch {
      return undefined;
    }
  }

  get url() {
    return `amqp://${this.login}:${this.password}@${this.host}:${this.port}`;
  }

  /** For the login's answer. */
  fields(more = {}) {
    return { host: this.host, port: String(this.port), login: this.login, password: this.password, ...more };
  }

  async ctl(...args) {
    const { code, stdout, stderr } = await run(path.join(programs, 'rabbitmqctl'), ['-q', ...args], { env: this.env, cwd: this.dir });
    if (code !== 0) throw new Error(`rabbitmqctl ${args.join(' ')}: ${stderr || stdout}`);
    return stdout;
  }

  /** Another virtual host, for the user. */
  async addVhost(name) {
    await this.ctl('add_vhost', name);
    await this.ctl('set_permissions', '-p', name, this.login, '.*', '.*', '.*');
  }

  /** {messages, unacked, consumers, durable} of the queues of a virtual host, by name. */
  async queues(vhost = '/') {
    const list = JSON.parse(
      await this.ctl('list_queues', '-p', vhost, 'name', 'messages', 'messages_unacknowledged', 'consumers', 'durable', '--formatter', 'json'),
    );
    return Object.fromEntries(
      list.map((queue) => [
        queue.name,
        { messages: queue.messages, unacked: queue.messages_unacknowledged, consumers: queue.consumers, durable: queue.durable },
      ]),
    );
  }

  /** As when power fails. run() starts it again. */
  async kill() {
    if (this.pid && isAlive(this.pid)) process.kill(this.pid, 'SIGKILL');
    await until(() => !isAlive(this.pid), 'the end of RabbitMQ');
    await this.ended;
  }

  /** Stops the server, then its name daemon, both by their ids; the folder is removed. */
  async stop() {
    const pidFile = this.env.RABBITMQ_PID_FILE;
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0;
    if (pid && isAlive(pid)) {
      process.kill(pid, 'SIGTERM');
      await until(() => !isAlive(pid), 'the end of RabbitMQ', { ms: 20000 }).catch(() => process.kill(pid, 'SIGKILL'));
    }
    if (this.child && this.child.exitCode === null) this.child.kill('SIGTERM');
    await this.ended;
    this.epmd.kill('SIGTERM');
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
