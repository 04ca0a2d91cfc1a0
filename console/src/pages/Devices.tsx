// Cameras and terminals, as cards.
import { DeleteOutlined, EditOutlined, KeyOutlined, PlusOutlined, VideoCameraOutlined } from '@ant-design/icons';
import { App, Badge, Button, Card, Dropdown, Input, Space } from 'antd';
import { useState } from 'react';

import { api, withQuery } from '../api/client';
import type { BoxEvent, Device, EndpointType } from '../api/types';
import { eventPictureUrl } from '../components/FaceThumb';
import { Await, EmptyState } from '../components/States';
import { useAct } from '../components/useAct';
import { useFormat } from '../lib/format';
import { navigate, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useStream } from '../lib/useStream';
import { useSession } from '../session';
import { DeviceEditor } from './devices/DeviceEditor';
import './devices/devices.css';
import { FtpAccount } from './devices/FtpAccount';
import { PairTablet } from './devices/PairTablet';
import { isVideo, typeKey, typeTexts } from './devices/words';

const T = texts({
  add: ['Add a device', '新增设备'],
  search: ['Name or address', '名称或地址'],
  none: ['No camera or terminal yet', '暂无设备'],
  noneHint: ['Add a camera that uploads by FTP, a video camera, or a door terminal.', '添加 FTP 抓拍摄像机、网络摄像机或门禁终端。'],
  online: ['online', '在线'],
  offline: ['offline', '离线'],
  seen: ['seen {ago}', '最近 {ago}'],
  never: ['not seen since the box started', '启动后未见'],
  groups: ['looks for', '识别分组'],
  permissions: ['lets pass', '放行'],
  everybody: ['everybody known', '所有已知人员'],
  relay: ['relay', '继电器'],
  counts: ['{frames} pictures, {faces} faces', '{frames} 张图片，{faces} 张人脸'],
  drops: ['{drops} not looked at', '{drops} 张未处理'],
  picture: ['Picture of {name}', '{name} 的画面'],
  edit: ['Edit {name}', '编辑 {name}'],
  delete: ['Delete {name}', '删除 {name}'],
  deleteTitle: ['Delete {name}?', '删除 {name}？'],
  deleteHint: ['Its records stay.', '其通行记录将保留。'],
  cancel: ['Cancel', '取消'],
  deleted: ['Deleted', '已删除'],
  newPassword: ['New FTP password for {name}', '为 {name} 重新生成 FTP 密码'],
});

const REFRESH_MS = 10000;

/** What the device saw last: a frame of its video, else the scene of its newest record. */
function Thumbnail({ device, round }: { device: Device; round: number }) {
  const t = useTexts(T);
  const [failed, setFailed] = useState('');
  const video = isVideo(device.ep_type);
  const newest = useResource(
    async (signal) => {
      if (video || device.frames === 0) return undefined;
      const { data } = await api.get<{ data: BoxEvent[] }>('/SophonFace/api/events', { streams: device.ep_id, per_page: 1 }, signal);
      return data[0]?.spot_pic_id ? eventPictureUrl(data[0]._id, 'spot') : undefined;
    },
    [device.ep_id, video, device.frames],
  );
  // Another address, so that the browser asks again.
  const frame = video && device.status === 'online' ? withQuery(`/api/devices/${encodeURIComponent(device.device_id)}/frame`, { width: 480, round }) : undefined;
  const url = frame ?? newest.data;
  if (!url || failed === url)
    return (
      <div className="device-picture device-picture-none">
        <VideoCameraOutlined aria-hidden />
      </div>
    );
  return <img className="device-picture" src={url} alt={t('picture', { name: device.device_name })} loading="lazy" onError={() => setFailed(url)} />;
}

interface CardProps {
  device: Device;
  round: number;
  onEdit: () => void;
  onSaved: (saved: Device | undefined) => void;
}

function DeviceCard({ device, round, onEdit, onSaved }: CardProps) {
  const t = useTexts(T);
  const typeName = useTexts(typeTexts);
  const format = useFormat();
  const { may } = useSession();
  const { modal } = App.useApp();
  const name = device.device_name;
  const remove = useAct(() => api.delete('/SophonDevice/api/Devices', { devices_list: [{ device_id: device.device_id }] }).then(() => onSaved(undefined)), t('deleted'));
  const reset = useAct(async () => {
    const body = { devices_list: [{ device_id: device.device_id }], reset_ftp_password: true };
    onSaved((await api.put<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', body)).data.devices_list[0]);
  });
  const ask = () =>
    modal.confirm({
      title: t('deleteTitle', { name }),
      content: t('deleteHint'),
      okText: t('delete', { name: '' }).trim(),
      cancelText: t('cancel'),
      okButtonProps: { danger: true },
      onOk: () => remove.run(),
    });
  const lastError = typeof device.last_error === 'string' ? device.last_error : '';
  return (
    <Card
      className="device"
      size="small"
      cover={<Thumbnail device={device} round={round} />}
      actions={
        may('admin')
          ? [
              <Button key="edit" type="text" icon={<EditOutlined />} aria-label={t('edit', { name })} onClick={onEdit} />,
              ...(device.ep_type === '1'
                ? [<Button key="key" type="text" icon={<KeyOutlined />} loading={reset.busy} aria-label={t('newPassword', { name })} title={t('newPassword', { name })} onClick={() => void reset.run()} />]
                : []),
              ...(device.ep_type === '0' || device.ep_type === '4' ? [<PairTablet key="pair" device={device} />] : []),
              <Button key="delete" type="text" danger icon={<DeleteOutlined />} aria-label={t('delete', { name })} onClick={ask} />,
            ]
          : undefined
      }
    >
      <h2>{name}</h2>
      <Badge status={device.status === 'online' ? 'success' : 'error'} text={t(device.status)} />{' '}
      <span className="quiet">{device.last_seen > 0 ? t('seen', { ago: format.ago(device.last_seen) }) : t('never')}</span>
      {lastError && <p className="bad">{lastError}</p>}
      <dl className="device-facts">
        <dd>{typeName(typeKey(device.ep_type))}</dd>
        <dd className="device-address">{device.device_key}</dd>
        <dt>{t('groups')}</dt>
        <dd>{device.group_id}</dd>
        <dt>{t('permissions')}</dt>
        <dd>{device.permission_id || t('everybody')}</dd>
        {device.netRelay?.ip && (
          <>
            <dt>{t('relay')}</dt>
            <dd>{device.netRelay.ip}</dd>
          </>
        )}
      </dl>
      <span className="quiet">
        {t('counts', { frames: format.number(device.frames), faces: format.number(device.faces) })}
        {device.drops > 0 && `, ${t('drops', { drops: format.number(device.drops) })}`}
      </span>
    </Card>
  );
}

export default function Devices() {
  const t = useTexts(T);
  const typeName = useTexts(typeTexts);
  const { may } = useSession();
  const { query } = useRoute();
  const [typed, setTyped] = useState('');
  const [edited, setEdited] = useState<Device>();
  const [account, setAccount] = useState<Device>();
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), [], { every: REFRESH_MS });
  const round = Math.round((devices.data?.data.devices_list.reduce((sum, { frames }) => sum + frames, 0) ?? 0) % 1e9);
  useStream('device', devices.reload);
  const add = query.get('add') as EndpointType | null;

  const closed = (saved: Device | undefined) => {
    setEdited(undefined);
    navigate('/devices');
    devices.reload();
    if (saved?.ftp) setAccount(saved);
  };
  const changed = (saved: Device | undefined) => {
    devices.reload();
    if (saved?.ftp) setAccount(saved);
  };
  const part = typed.trim().toLowerCase();
  const kinds: EndpointType[] = ['1', '2', '3', '0', '4'];
  return (
    <>
      <div className="toolbar">
        <Input.Search allowClear className="device-search" aria-label={t('search')} placeholder={t('search')} value={typed} onChange={(event) => setTyped(event.target.value)} />
        {may('admin') && (
          <Space className="toolbar-rest">
            <Dropdown trigger={['click']} menu={{ items: kinds.map((key) => ({ key, label: typeName(typeKey(key)) })), onClick: ({ key }) => navigate('/devices', { add: key }) }}>
              <Button type="primary" icon={<PlusOutlined />}>
                {t('add')}
              </Button>
            </Dropdown>
          </Space>
        )}
      </div>
      <Await resource={devices} empty={({ data }) => data.devices_list.length === 0} whenEmpty={<EmptyState title={t('none')} hint={t('noneHint')} />}>
        {({ data }) => (
          <div className="devices">
            {data.devices_list
              .filter(({ device_name: name, device_key: key }) => `${name} ${key}`.toLowerCase().includes(part))
              .map((device) => (
                <DeviceCard key={device.device_id} device={device} round={round} onEdit={() => setEdited(device)} onSaved={changed} />
              ))}
          </div>
        )}
      </Await>
      <DeviceEditor open={edited !== undefined || add !== null} device={edited} type={add ?? '1'} onClose={closed} />
      <FtpAccount device={account} onClose={() => setAccount(undefined)} />
    </>
  );
}
