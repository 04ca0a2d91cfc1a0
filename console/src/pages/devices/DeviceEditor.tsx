// One camera or terminal. Without `device` a new one of `type`.
import { Button, Collapse, Drawer, Form, Input, InputNumber, Select, Space, Switch } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../../api/client';
import type { BoxEvent, Device, EndpointType, NetRelay } from '../../api/types';
import { eventPictureUrl } from '../../components/FaceThumb';
import { LabelSelect } from '../../components/LabelSelect';
import { ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { Region } from './Region';
import { RelayFields } from './RelayFields';
import { isVideo, typeKey, typeTexts } from './words';

const T = texts({
  kind: ['Kind', '类型'],
  name: ['Name', '名称'],
  address: ['Address', '地址'],
  addressNeeded: ['The address by which the box knows it', '请输入设备地址'],
  ipHint: ['Its IP address, from which its pictures come', '图片来源的 IP 地址'],
  urlHint: ['The stream, e.g. rtsp://user:password@192.168.1.60/ch1', '视频流地址，如 rtsp://user:password@192.168.1.60/ch1'],
  test: ['Test', '测试'],
  frame: ['A picture of the camera', '摄像机画面'],
  groups: ['Looks for people of', '识别分组'],
  permissions: ['Lets pass', '放行权限组'],
  permissionsHint: ['Without any: everybody known', '留空则放行所有已知人员'],
  direction: ['Direction', '方向'],
  in: ['In', '进'],
  out: ['Out', '出'],
  strictness: ['How strict', '识别参数'],
  threshold: ['Threshold', '阈值'],
  auto: ['Automatic', '自动'],
  quality: ['Quality that a face must have', '人脸质量要求'],
  high: ['Strict', '严格'],
  middle: ['Normal', '普通'],
  low: ['Lax', '宽松'],
  custom: ['Custom', '自定义'],
  no: ['Any', '不限'],
  liveness: ['Refuse photos and screens', '活体检测'],
  minFace: ['Smallest face, px', '最小人脸（像素）'],
  dedup: ['The same person is one event for, s', '同一人去重时间（秒）'],
  region: ['Region', '识别区域'],
  relay: ['Door relay', '门禁继电器'],
  more: ['More', '更多'],
  monitor: ['Report when it goes off-line', '上报离线状态'],
  memo: ['Remark', '备注'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  newTitle: ['New device', '新增设备'],
});

export interface DeviceValues {
  ep_type: EndpointType;
  device_name?: string;
  device_key: string;
  groups: string[];
  permissions: string[];
  direction: 0 | 1;
  automatic: boolean;
  threshold?: number;
  fiqa_level: string;
  liveness: boolean;
  min_face_size: number;
  dedup_seconds?: number;
  roi_area: number[];
  netRelay?: NetRelay;
  is_monitor: boolean;
  memo?: string;
}

const split = (text: string) => text.split(',').map((part) => part.trim()).filter(Boolean);

function valuesOf(device: Device | undefined, type: EndpointType): DeviceValues {
  if (!device)
    return { ep_type: type, device_key: '', groups: ['default_group'], permissions: [], direction: 0, automatic: true, fiqa_level: 'no', liveness: false, min_face_size: 0, roi_area: [], is_monitor: true };
  return {
    ...device,
    groups: split(device.group_id),
    permissions: split(device.permission_id),
    automatic: device.threshold === 'auto',
    threshold: device.threshold === 'auto' ? undefined : device.threshold,
    liveness: device.liveness_mode === 'rgb',
    netRelay: device.netRelay ?? undefined,
  };
}

function sent(values: DeviceValues): Record<string, unknown> {
  const relay = Object.fromEntries(Object.entries(values.netRelay ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== ''));
  return {
    ep_type: values.ep_type,
    device_key: values.device_key.trim(),
    ...(values.device_name?.trim() ? { device_name: values.device_name.trim() } : {}),
    group_id: values.groups.join(','),
    permission_id: values.permissions.join(','),
    direction: values.direction,
    threshold: values.automatic || values.threshold === undefined ? 'auto' : values.threshold,
    fiqa_level: values.fiqa_level,
    liveness_mode: values.liveness ? 'rgb' : 'off',
    min_face_size: values.min_face_size,
    ...(values.dedup_seconds === undefined || values.dedup_seconds === null ? {} : { dedup_seconds: values.dedup_seconds }),
    roi_area: values.roi_area,
    netRelay: relay.ip ? relay : {},
    is_monitor: values.is_monitor,
    memo: values.memo ?? '',
  };
}

/** The picture of a camera that the form draws on: what a test fetched, else the newest the box has. */
function useDevicePicture(device: Device | undefined, tested: string | undefined): string | undefined {
  const newest = useResource(
    async (signal) => {
      if (!device) return undefined;
      if (isVideo(device.ep_type)) return URL.createObjectURL(await api.blob(`/api/devices/${encodeURIComponent(device.device_id)}/frame`, { width: 16384 }, signal));
      const { data } = await api.get<{ data: BoxEvent[] }>('/SophonFace/api/events', { streams: device.ep_id, per_page: 1 }, signal);
      return data[0]?.spot_pic_id ? eventPictureUrl(data[0]._id, 'spot') : undefined;
    },
    [device?.device_id],
  );
  const url = newest.data;
  useEffect(() => () => (url?.startsWith('blob:') ? URL.revokeObjectURL(url) : undefined), [url]);
  return tested ?? url;
}

interface FormProps {
  device?: Device;
  type: EndpointType;
  onDone: (saved: Device | undefined) => void;
}

function DeviceForm({ device, type, onDone }: FormProps) {
  const t = useTexts(T);
  const typeName = useTexts(typeTexts);
  const [form] = Form.useForm<DeviceValues>();
  const [tested, setTested] = useState<string>();
  const kind = Form.useWatch('ep_type', form) ?? device?.ep_type ?? type;
  const automatic = Form.useWatch('automatic', form) ?? true;
  const picture = useDevicePicture(device, tested);
  useEffect(() => () => (tested ? URL.revokeObjectURL(tested) : undefined), [tested]);

  const test = useAct(
    async () => {
      const key = (form.getFieldValue('device_key') as string).trim();
      setTested(URL.createObjectURL(await api.postForBlob('/api/devices/test', { device_key: key })));
    },
    undefined,
    { quiet: true },
  );
  const save = useAct(
    async (values: DeviceValues) => {
      const body = { devices_list: [device ? { device_id: device.device_id, ...sent(values) } : sent(values)] };
      const call = device ? api.put : api.post;
      const { data } = await call<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', body);
      onDone(data.devices_list[0]);
    },
    undefined,
    { quiet: true },
  );
  const video = isVideo(kind);
  const kinds: EndpointType[] = ['1', '2', '3', '0', '4'];
  return (
    <Form form={form} layout="vertical" initialValues={valuesOf(device, type)} onFinish={(values) => void save.run({ ...valuesOf(device, type), ...values })}>
      <Form.Item name="ep_type" label={t('kind')}>
        <Select options={kinds.map((value) => ({ value, label: typeName(typeKey(value)) }))} />
      </Form.Item>
      <Form.Item name="device_name" label={t('name')}>
        <Input maxLength={255} />
      </Form.Item>
      <Form.Item label={t('address')} required extra={t(video ? 'urlHint' : 'ipHint')} htmlFor="device_key">
        <Space.Compact className="wide">
          <Form.Item name="device_key" noStyle rules={[{ required: true, whitespace: true, message: t('addressNeeded') }]}>
            <Input id="device_key" autoComplete="off" maxLength={1024} />
          </Form.Item>
          {video && (
            <Button loading={test.busy} onClick={() => void test.run()}>
              {t('test')}
            </Button>
          )}
        </Space.Compact>
      </Form.Item>
      {(test.error || tested) && (
        <div className="device-tried">
          {test.error ? <ErrorState error={test.error} /> : <img className="region-picture" src={tested} alt={t('frame')} />}
        </div>
      )}
      <Form.Item name="groups" label={t('groups')}>
        <LabelSelect kind="groups" multiple />
      </Form.Item>
      <Form.Item name="permissions" label={t('permissions')} extra={t('permissionsHint')}>
        <LabelSelect kind="permissions" multiple />
      </Form.Item>
      <Form.Item name="direction" label={t('direction')}>
        <Select
          options={[
            { value: 0, label: t('in') },
            { value: 1, label: t('out') },
          ]}
        />
      </Form.Item>
      <Collapse
        ghost
        items={[
          {
            key: 'strictness',
            label: t('strictness'),
            forceRender: true,
            children: (
              <div className="device-columns">
                <Form.Item label={t('threshold')}>
                  <Space>
                    <Form.Item name="automatic" noStyle valuePropName="checked">
                      <Switch aria-label={t('auto')} checkedChildren={t('auto')} unCheckedChildren={t('auto')} />
                    </Form.Item>
                    <Form.Item name="threshold" noStyle>
                      <InputNumber aria-label={t('threshold')} min={0} max={1} step={0.01} disabled={automatic} />
                    </Form.Item>
                  </Space>
                </Form.Item>
                <Form.Item name="fiqa_level" label={t('quality')}>
                  <Select options={(['high', 'middle', 'low', 'custom', 'no'] as const).map((value) => ({ value, label: t(value) }))} />
                </Form.Item>
                <Form.Item name="min_face_size" label={t('minFace')}>
                  <InputNumber min={0} max={10000} precision={0} />
                </Form.Item>
                <Form.Item name="dedup_seconds" label={t('dedup')}>
                  <InputNumber min={0} max={3600} precision={0} />
                </Form.Item>
                <Form.Item name="liveness" label={t('liveness')} valuePropName="checked">
                  <Switch />
                </Form.Item>
              </div>
            ),
          },
          { key: 'region', label: t('region'), forceRender: true, children: <Form.Item name="roi_area" noStyle><Region picture={picture} /></Form.Item> },
          { key: 'relay', label: t('relay'), forceRender: true, children: <RelayFields form={form} /> },
          {
            key: 'more',
            label: t('more'),
            forceRender: true,
            children: (
              <>
                <Form.Item name="is_monitor" label={t('monitor')} valuePropName="checked" layout="horizontal">
                  <Switch />
                </Form.Item>
                <Form.Item name="memo" label={t('memo')}>
                  <Input.TextArea maxLength={1000} rows={2} />
                </Form.Item>
              </>
            ),
          },
        ]}
      />
      {save.error && <ErrorState error={save.error} />}
      <Space className="form-end">
        <Button type="primary" htmlType="submit" loading={save.busy}>
          {t('save')}
        </Button>
        <Button onClick={() => onDone(undefined)}>{t('cancel')}</Button>
      </Space>
    </Form>
  );
}

interface Properties {
  open: boolean;
  /** Undefined: a new one. */
  device?: Device;
  type?: EndpointType;
  onClose: (saved: Device | undefined) => void;
}

export function DeviceEditor({ open, device, type = '1', onClose }: Properties) {
  const t = useTexts(T);
  return (
    <Drawer open={open} size={560} title={device?.device_name ?? t('newTitle')} onClose={() => onClose(undefined)} destroyOnHidden>
      <DeviceForm device={device} type={type} onDone={onClose} />
    </Drawer>
  );
}
