// The relay beside a device: where it is, and a pulse to try it.
import { Button, Form, Input, InputNumber, Select, type FormInstance } from 'antd';

import { api } from '../../api/client';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';
import type { DeviceValues } from './DeviceEditor';

const T = texts({
  ip: ['Relay address', '继电器地址'],
  ipHint: ['Left empty: no relay', '留空表示无继电器'],
  kind: ['Language', '协议'],
  byRule: ['By the port', '按端口判断'],
  port: ['Port', '端口'],
  door: ['Channel of the door (0: all)', '门通道（0 为全部）'],
  alarm: ['Channel of the alarm (0: none)', '报警通道（0 为无）'],
  channels: ['Channels of the board', '继电器通道数'],
  seconds: ['Door stays open, s', '开门时长（秒）'],
  user: ['User', '用户名'],
  password: ['Password', '密码'],
  test: ['Test pulse, 1 s', '测试脉冲（1 秒）'],
  tested: ['The relay has switched', '继电器已动作'],
});

export function RelayFields({ form }: { form: FormInstance<DeviceValues> }) {
  const t = useTexts(T);
  const pulse = useAct(() => {
    const relay = form.getFieldValue('netRelay') as DeviceValues['netRelay'];
    return api.put('/SophonFogSys/api/EventAction', {
      action: [
        {
          action_ip: relay?.ip,
          action_port: relay?.net_port ?? { modbus: 502, http: 80, tcp: 12345 }[relay?.relay_type ?? 'tcp'],
          action_mode: 'opendoor',
          action_duration: 1,
          logic_port: Number(relay?.door_port ?? 1),
          ...(relay?.relay_type ? { relay_type: relay.relay_type } : {}),
        },
      ],
    });
  }, t('tested'));
  const ip = Form.useWatch(['netRelay', 'ip'], form);
  return (
    <>
      <Form.Item name={['netRelay', 'ip']} label={t('ip')} extra={t('ipHint')}>
        <Input maxLength={255} />
      </Form.Item>
      {ip && (
        <div className="device-columns">
          <Form.Item name={['netRelay', 'relay_type']} label={t('kind')}>
            <Select allowClear placeholder={t('byRule')} options={['modbus', 'http', 'tcp'].map((value) => ({ value, label: value }))} />
          </Form.Item>
          <Form.Item name={['netRelay', 'net_port']} label={t('port')}>
            <InputNumber min={1} max={65535} precision={0} />
          </Form.Item>
          <Form.Item name={['netRelay', 'door_port']} label={t('door')}>
            <InputNumber min={0} max={64} precision={0} placeholder="1" />
          </Form.Item>
          <Form.Item name={['netRelay', 'delay_time']} label={t('seconds')}>
            <InputNumber min={1} max={255} precision={0} placeholder="5" />
          </Form.Item>
          <Form.Item name={['netRelay', 'alarm_port']} label={t('alarm')}>
            <InputNumber min={0} max={64} precision={0} placeholder="0" />
          </Form.Item>
          <Form.Item name={['netRelay', 'channels']} label={t('channels')}>
            <InputNumber min={1} max={64} precision={0} placeholder="8" />
          </Form.Item>
          <Form.Item name={['netRelay', 'user']} label={t('user')}>
            <Input autoComplete="off" />
          </Form.Item>
          <Form.Item name={['netRelay', 'password']} label={t('password')}>
            <Input.Password autoComplete="new-password" visibilityToggle={false} />
          </Form.Item>
          <Button loading={pulse.busy} onClick={() => void pulse.run()}>
            {t('test')}
          </Button>
        </div>
      )}
    </>
  );
}
