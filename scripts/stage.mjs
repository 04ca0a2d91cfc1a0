// A box to be looked at: people of the sample pictures, groups, cameras and terminals, a film that plays, a day's events.
//
//   const stage = await Stage.start(); … await stage.stop()
import path from 'node:path';
import { rmSync } from 'node:fs';

import { password, setUp, setupToken } from '../tests/e2e/lib/access.mjs';
import { Box, temporaryFolder } from '../tests/e2e/lib/box.mjs';
import { ftpSettings } from '../tests/e2e/lib/camera_kit.mjs';
import { makeFilm, RtspServer } from '../tests/e2e/lib/camera_kit_rtsp.mjs';
import { base64, people } from '../tests/e2e/lib/pictures.mjs';
import { until } from '../tests/e2e/lib/until.mjs';

/* By language: the names of who is enrolled and where things stand. */
const words = {
  en: {
    box: 'Main entrance',
    names: ['Ada', 'Lin Yue', 'Teresa', 'Grace', 'Olga'],
    departments: ['Development', 'Reception', 'Laboratory'],
    groups: ['staff', 'visitors'],
    permissions: ['Daytime', 'Laboratory'],
    gate: 'Gate',
    lobby: 'Lobby',
    yard: 'Car park',
    hall: 'Hall',
    welcome: 'Good to see you',
  },
  zh: {
    box: '总部大门',
    names: ['李蕾', '林悦', '陈静', '周敏', '赵倩'],
    departments: ['研发部', '前台', '实验室'],
    groups: ['员工', '访客'],
    permissions: ['白班', '实验室'],
    gate: '大门',
    lobby: '前台',
    yard: '停车场',
    hall: '大厅',
    welcome: '很高兴见到您',
  },
};

const devicesPath = '/SophonDevice/api/Devices';

export class Stage {
  /** `locale`: 'en' or 'zh'. The box is closed; nobody has set it up until cast(). */
  static async start(locale = 'en') {
    const stage = new Stage();
    stage.words = words[locale];
    stage.folder = temporaryFolder();
    const open = await Box.start();
    stage.folk = await people(open, 6);
    await open.stop();
    stage.box = await Box.start({ settings: { 'access.mode': 'closed', ...(await ftpSettings()) } });
    stage.url = stage.box.url;
    stage.setupLink = `/#/setup?token=${setupToken(stage.box)}`;
    stage.password = password;
    return stage;
  }

  /** The session's cookie for a browser's context. */
  get cookie() {
    const [name, value] = this.admin.headers.Cookie.split('=');
    return { name, value, url: this.url };
  }

  async ask(method, target, body) {
    const answer = await this.admin[method](target, body);
    if (answer.status !== 200) throw new Error(`${target}: ${answer.body}`);
    return answer.json;
  }

  show(photo, device_ip) {
    return this.ask('post', '/SophonMatch/api/PictureMatch', { rgb_image_base64: base64(photo), device_ip });
  }

  /** Sets the box up and brings it to life. */
  async cast() {
    const { folk, words: w } = this;
    this.admin = await setUp(this.box);
    await this.ask('put', '/api/settings', { 'box.name': w.box });
    for (const group_name of w.groups) await this.ask('post', '/SophonFogSys/api/groups', { group_name, description: '' });
    for (const permission_name of w.permissions) await this.ask('post', '/SophonFogSys/api/permissions', { permission_name, description: '' });
    for (const [i, name] of w.names.slice(0, folk.length - 1).entries())
      await this.ask('post', '/SophonFogSys/api/users', {
        identity_id: String(10086 + i),
        group_name: i === 3 ? `default_group,${w.groups[1]}` : `default_group,${w.groups[0]}`,
        reg_photo: base64(folk[i].photo),
        fiqa_level: 'no',
        info: { name, type: [1, 1, 1, 2, 5][i], ext_info: { department: w.departments[i % 3], message: i === 4 ? w.welcome : '' } },
      });
    this.film = makeFilm(path.join(this.folder, 'hall.ts'), {
      seconds: 20,
      fps: 15,
      actors: [
        { photo: folk[0].photo, from: 0, to: 20, at: [0.3, 0.55, 0.4, 0.5], height: 260 },
        { photo: folk[1].photo, from: 0, to: 20, at: [0.75, 0.5, 0.65, 0.55], height: 230 },
      ],
    });
    this.cameras = await RtspServer.start({ '/hall': { file: this.film } });
    await this.ask('post', devicesPath, {
      devices_list: [
        { device_id: 'gate', device_name: w.gate, device_key: '10.1.1.5', ep_type: '0', dedup_seconds: 0, netRelay: { ip: '127.0.0.90', net_port: 502, relay_type: 'modbus' } },
        { device_id: 'lobby', device_name: w.lobby, device_key: '10.1.1.6', ep_type: '4', dedup_seconds: 0 },
        { device_id: 'yard', device_name: w.yard, device_key: '10.1.1.7', ep_type: '1', dedup_seconds: 0 },
        { device_id: 'hall', device_name: w.hall, device_key: this.cameras.url('/hall'), ep_type: '2', dedup_seconds: 3600 },
      ],
    });
    for (const [i, { other }] of folk.entries()) await this.show(other, i % 2 ? '10.1.1.6' : '10.1.1.5');
    await until(async () => (await this.ask('get', `${devicesPath}?device_id=hall`)).data.devices_list[0].status === 'online', 'the film');
    const { data } = await this.ask('get', '/SophonFace/api/events?per_page=10');
    this.event = data.find(({ verdict, ext_data }) => verdict === 'known' && ext_data.device_ip === '10.1.1.5')._id;
  }

  async stop() {
    await this.box.stop();
    await this.cameras?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
