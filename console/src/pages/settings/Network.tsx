// How the box is connected. Read only: addresses, gateway, name servers and clock are the operating system's business.
import { Alert, Card, Descriptions, Table, Tag, Typography } from 'antd';

import { api } from '../../api/client';
import { Await } from '../../components/States';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useLinkState } from '../platform/words';

const T = texts({
  readOnly: ['This page only shows. Addresses, gateway, name servers, time zone and clock are set in the operating system of this computer.', '本页仅供查看。地址、网关、DNS、时区和时钟请在本机操作系统中设置。'],
  reach: ['Where the box is found', '访问地址'],
  console: ['Console, to be typed into a phone or tablet', '控制台地址（在手机或平板中输入）'],
  noUrl: ['No interface has an address that others reach', '没有可供其他设备访问的地址'],
  onlyHere: ['It listens on this computer only; others can’t reach it', '仅在本机监听，其他设备无法访问'],
  listens: ['Listens on', '监听地址'],
  tls: ['Encryption', '加密'],
  tlsOn: ['HTTPS', 'HTTPS'],
  tlsOff: ['none: passwords and photos can be read on the way', '无：密码和照片在传输中可能被读取'],
  fingerprint: ['Certificate (SHA-256)', '证书指纹（SHA-256）'],
  ftp: ['FTP port for cameras', '摄像机 FTP 端口'],
  platform: ['Platform', '平台'],
  host: ['This computer', '本机'],
  name: ['Host name', '主机名'],
  gateway: ['Default gateway', '默认网关'],
  dns: ['Name servers (DNS)', 'DNS 服务器'],
  none: ['none', '无'],
  via: ['{address} by {name}', '{address}（{name}）'],
  direct: ['directly by {name}', '直连（{name}）'],
  clock: ['Clock', '时钟'],
  zone: ['Time zone', '时区'],
  synchronised: ['synchronised', '已同步'],
  free: ['not synchronised: times of events may be wrong', '未同步：事件时间可能不准确'],
  unknown: ['can’t be told', '无法判断'],
  differs: ['{n} s beside this browser’s clock', '与本浏览器时钟相差 {n} 秒'],
  interfaces: ['Interfaces', '网络接口'],
  state: ['State', '状态'],
  running: ['connected', '已连接'],
  up: ['on, not connected', '已启用，未连接'],
  down: ['off', '已停用'],
  addresses: ['Addresses', '地址'],
  mac: ['MAC address', 'MAC 地址'],
});

interface Interface {
  name: string;
  mac: string;
  up: boolean;
  running: boolean;
  loopback: boolean;
  addresses: { address: string; bits: number }[];
}

interface Facts {
  host_name: string;
  interfaces: Interface[];
  gateways: { address: string; interface: string }[];
  dns: string[];
  listen: { address: string; loopback: boolean; tls: boolean; tls_mode: string; fingerprint: string };
  console_urls: string[];
  ftp_port: number;
  platform: { state: string; last_error: string };
  clock: { now: number; zone: string; utc_offset_seconds: number; synchronised: boolean | null };
}

/** The clocks may differ by the way of the answer and a little. */
const CLOSE_MS = 5000;

/** "UTC+08:00" */
function offsetText(seconds: number): string {
  const minutes = Math.abs(Math.round(seconds / 60));
  const two = (value: number) => String(value).padStart(2, '0');
  return `UTC${seconds < 0 ? '−' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function Lines({ lines, none }: { lines: string[]; none: string }) {
  if (lines.length === 0) return <>{none}</>;
  return (
    <ul className="plain-list">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Reach({ facts }: { facts: Facts }) {
  const t = useTexts(T);
  const linkState = useLinkState();
  const { listen, platform } = facts;
  const urls = (
    <ul className="plain-list">
      {facts.console_urls.map((url) => (
        <li key={url}>
          <Typography.Text copyable>{url}</Typography.Text>
        </li>
      ))}
    </ul>
  );
  return (
    <Card title={t('reach')}>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'console', label: t('console'), children: listen.loopback ? t('onlyHere') : facts.console_urls.length > 0 ? urls : t('noUrl') },
          { key: 'listens', label: t('listens'), children: listen.address },
          { key: 'tls', label: t('tls'), children: listen.tls ? t('tlsOn') : <span className={listen.loopback ? undefined : 'bad'}>{t('tlsOff')}</span> },
          ...(listen.fingerprint ? [{ key: 'fingerprint', label: t('fingerprint'), children: <code className="log-text">{listen.fingerprint}</code> }] : []),
          { key: 'ftp', label: t('ftp'), children: facts.ftp_port },
          {
            key: 'platform',
            label: t('platform'),
            children: (
              <>
                <Tag>{linkState(platform.state)}</Tag>
                {platform.last_error && <span className="bad">{platform.last_error}</span>}
              </>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Host({ facts, seenAt }: { facts: Facts; seenAt: number }) {
  const t = useTexts(T);
  const format = useFormat();
  const { clock } = facts;
  const beside = Math.abs(clock.now - seenAt) > CLOSE_MS ? t('differs', { n: format.number(Math.round((clock.now - seenAt) / 1000)) }) : '';
  const gateways = facts.gateways.map(({ address, interface: name }) => (address ? t('via', { address, name }) : t('direct', { name })));
  const synchronised =
    clock.synchronised === null ? t('unknown') : <span className={clock.synchronised ? 'good' : 'bad'}>{t(clock.synchronised ? 'synchronised' : 'free')}</span>;
  return (
    <Card title={t('host')}>
      <Descriptions
        column={1}
        size="small"
        items={[
          { key: 'name', label: t('name'), children: facts.host_name },
          { key: 'gateway', label: t('gateway'), children: <Lines lines={gateways} none={t('none')} /> },
          { key: 'dns', label: t('dns'), children: <Lines lines={facts.dns} none={t('none')} /> },
          { key: 'zone', label: t('zone'), children: [clock.zone, offsetText(clock.utc_offset_seconds)].filter(Boolean).join(', ') },
          {
            key: 'clock',
            label: t('clock'),
            children: (
              <span>
                {format.dateTime(clock.now)}, {synchronised} {beside && <span className="bad">{beside}</span>}
              </span>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Interfaces({ list }: { list: Interface[] }) {
  const t = useTexts(T);
  return (
    <Card title={t('interfaces')}>
      <Table<Interface>
        size="small"
        rowKey="name"
        dataSource={list}
        pagination={false}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: t('interfaces'), dataIndex: 'name' },
          {
            title: t('state'),
            render: (_, { up, running }) => <Tag color={up && running ? 'success' : undefined}>{t(up ? (running ? 'running' : 'up') : 'down')}</Tag>,
          },
          { title: t('addresses'), render: (_, { addresses }) => <Lines lines={addresses.map(({ address, bits }) => `${address}/${bits}`)} none="–" /> },
          { title: t('mac'), dataIndex: 'mac', render: (mac: string) => mac || '–' },
        ]}
      />
    </Card>
  );
}

export default function Network() {
  const t = useTexts(T);
  const network = useResource(async (signal) => ({ ...(await api.get<{ data: Facts }>('/api/network', {}, signal)), seenAt: Date.now() }), [], { every: 10000 });
  return (
    <div className="settings-cards">
      <Alert type="info" showIcon title={t('readOnly')} />
      <Await resource={network}>
        {({ data, seenAt }) => (
          <div className="settings-cards">
            <Reach facts={data} />
            <Host facts={data} seenAt={seenAt} />
            <Interfaces list={data.interfaces} />
          </div>
        )}
      </Await>
    </div>
  );
}
