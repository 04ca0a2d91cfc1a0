// How much is kept and for how long, and deleting on purpose.
import { Alert, Button, Card, Checkbox, Form, Input, Modal, Space } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';
import { useSession } from '../../session';
import { keysOf, type Settings } from './settings';
import { SettingsForm } from './SettingsForm';

const T = texts({
  kept: ['What is kept', '数据保留'],
  wipe: ['Wipe', '清除数据'],
  wipeHint: [
    'Deletes people, events or everything so that no byte of it is left on the disk. Backups kept on the box go, too.',
    '彻底删除人员、事件或全部数据，磁盘上不留痕迹。主机上保留的备份也会被删除。',
  ],
  people: ['People, with photos, groups and permission groups', '人员，包括照片、分组和权限组'],
  events: ['Events, with pictures', '事件，包括图片'],
  all: ['Everything: people, events and the settings', '全部：人员、事件和设置'],
  begin: ['Wipe …', '清除…'],
  title: ['This can’t be undone', '此操作无法撤销'],
  word: ['WIPE', 'WIPE'],
  type: ['Type {word} to confirm', '输入 {word} 以确认'],
  confirm: ['Delete for good', '永久删除'],
  cancel: ['Cancel', '取消'],
  done: ['Wiped', '已清除'],
});

function Wipe({ onDone }: { onDone: () => void }) {
  const t = useTexts(T);
  const [options, setOptions] = useState({ users: false, events: false, all: false });
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const wipe = useAct(
    async () => {
      await api.post('/SophonFogSys/api/WipeData', { wipe_options: { users: options.users || options.all, events: options.events || options.all, all: options.all } });
      setAsking(false);
      setOptions({ users: false, events: false, all: false });
      onDone();
    },
    t('done'),
    { quiet: true },
  );
  const begin = () => {
    setTyped('');
    wipe.clear();
    setAsking(true);
  };
  const any = options.users || options.events || options.all;
  return (
    <Card title={t('wipe')}>
      <p className="quiet">{t('wipeHint')}</p>
      <Space orientation="vertical">
        <Checkbox checked={options.users || options.all} disabled={options.all} onChange={(event) => setOptions({ ...options, users: event.target.checked })}>
          {t('people')}
        </Checkbox>
        <Checkbox checked={options.events || options.all} disabled={options.all} onChange={(event) => setOptions({ ...options, events: event.target.checked })}>
          {t('events')}
        </Checkbox>
        <Checkbox checked={options.all} onChange={(event) => setOptions({ ...options, all: event.target.checked })}>
          {t('all')}
        </Checkbox>
        <Button danger disabled={!any} onClick={begin}>
          {t('begin')}
        </Button>
      </Space>
      <Modal
        open={asking}
        title={t('title')}
        okText={t('confirm')}
        cancelText={t('cancel')}
        okButtonProps={{ danger: true, disabled: typed !== t('word') }}
        confirmLoading={wipe.busy}
        onOk={() => void wipe.run()}
        onCancel={() => setAsking(false)}
      >
        <Space orientation="vertical" className="wide">
          <Alert type="warning" showIcon title={options.all ? t('all') : [options.users && t('people'), options.events && t('events')].filter(Boolean).join(' · ')} />
          <Form layout="vertical">
            <Form.Item label={t('type', { word: t('word') })} htmlFor="wipe-word">
              <Input id="wipe-word" autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} />
            </Form.Item>
          </Form>
          {wipe.error && <ErrorState error={wipe.error} />}
        </Space>
      </Modal>
    </Card>
  );
}

export default function Storage({ settings, reload }: { settings: Settings; reload: () => void }) {
  const t = useTexts(T);
  const { may } = useSession();
  return (
    <div className="settings-cards">
      <Card title={t('kept')}>
        <SettingsForm settings={settings} keys={keysOf(settings, 'storage')} onSaved={reload} />
      </Card>
      {may('admin') && <Wipe onDone={reload} />}
    </div>
  );
}
