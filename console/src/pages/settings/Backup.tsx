// One encrypted file with everything, and the way back. Restoring shows what the file holds and asks before it replaces
// anything; then the box starts anew, and the page with it.
import { DownloadOutlined, UploadOutlined } from '@ant-design/icons';
import { Alert, Button, Card, Checkbox, Descriptions, Form, Input, Modal, Progress, Space, Upload } from 'antd';
import { useEffect, useState } from 'react';

import { api, asApiError } from '../../api/client';
import { Await, ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';

const T = texts({
  backup: ['Backup', '备份'],
  backupHint: [
    'One encrypted file with people, devices, settings and events. The box keeps the newest for a day: download it and keep it elsewhere.',
    '将人员、设备、设置和事件保存为一个加密文件。主机只保留最新的备份一天，请下载并另行保存。',
  ],
  password: ['Password of the backup', '备份密码'],
  short: ['Too short', '密码太短'],
  passwordHint: ['At least 12 characters. Nobody can restore the backup without it.', '至少 12 个字符。没有密码任何人都无法恢复。'],
  events: ['With events and their pictures', '包含事件及其图片'],
  make: ['Make a backup', '创建备份'],
  running: ['Being made since {when}', '正在创建，开始于 {when}'],
  ready: ['Made {when}, {size} MB', '创建于 {when}，{size} MB'],
  failed: ['The last backup failed: {why}', '上次备份失败：{why}'],
  download: ['Download', '下载'],
  drop: ['Delete', '删除'],
  restore: ['Restore', '恢复'],
  restoreHint: ['Choose a backup. Nothing is changed until you confirm.', '选择备份文件。确认之前不会有任何更改。'],
  choose: ['Choose a file', '选择文件'],
  uploading: ['Uploading', '上传中'],
  look: ['Look into it', '查看内容'],
  cancel: ['Cancel', '取消'],
  found: ['This is in the backup', '备份内容'],
  box: ['Box', '主机'],
  made: ['Made', '创建时间'],
  version: ['Version', '版本'],
  people: ['People', '人员'],
  eventCount: ['Events', '事件'],
  withoutEvents: ['without', '不包含'],
  warning: ['Everything that the box keeps now is replaced.', '主机当前保存的所有数据将被替换。'],
  accounts: ['Also replace accounts, API keys and the audit log', '同时替换账户、API 密钥和审计日志'],
  confirm: ['Restore now', '立即恢复'],
  restoring: ['The box is starting anew with the backup …', '主机正在使用备份重新启动…'],
});

interface Status {
  state: 'none' | 'running' | 'ready' | 'failed';
  backup_id: string;
  created_at: number;
  events: boolean;
  progress: number;
  size: number;
  message: string;
}

interface Contents {
  created_at: number;
  box_name: string;
  version: string;
  people: number;
  events: number;
  with_events: boolean;
}

const LOOK_MS = 5000;

function Make() {
  const t = useTexts(T);
  const format = useFormat();
  const [form] = Form.useForm<{ password: string; events: boolean }>();
  const status = useResource((signal) => api.get<{ data: Status }>('/api/backup', {}, signal), [], { every: LOOK_MS });
  const start = useAct(
    async (values: { password: string; events: boolean }) => {
      await api.post('/api/backup', values);
      form.resetFields(['password']);
      status.reload();
    },
    undefined,
    { quiet: true },
  );
  const drop = useAct(async () => {
    await api.delete('/api/backup', {});
    status.reload();
  });
  return (
    <Card title={t('backup')}>
      <p className="quiet">{t('backupHint')}</p>
      <Await resource={status} rows={2}>
        {({ data }) => (
          <>
            {data.state === 'running' && (
              <>
                <p>{t('running', { when: format.moment(data.created_at) })}</p>
                <Progress percent={Math.round(data.progress * 100)} status="active" aria-label={t('backup')} />
              </>
            )}
            {data.state === 'failed' && <Alert type="error" showIcon title={t('failed', { why: data.message })} className="settings-note" />}
            {data.state === 'ready' && (
              <Space wrap className="settings-note">
                <span>{t('ready', { when: format.moment(data.created_at), size: (data.size / 1e6).toFixed(1) })}</span>
                <Button type="primary" icon={<DownloadOutlined />} href={`/api/backup/${data.backup_id}`}>
                  {t('download')}
                </Button>
                <Button loading={drop.busy} onClick={() => void drop.run()}>
                  {t('drop')}
                </Button>
              </Space>
            )}
            <Form form={form} layout="vertical" initialValues={{ events: true }} onFinish={(values) => void start.run(values)}>
              <Form.Item name="password" label={t('password')} extra={t('passwordHint')} rules={[{ required: true, min: 12, message: t('short') }]}>
                <Input.Password autoComplete="new-password" />
              </Form.Item>
              <Form.Item name="events" valuePropName="checked">
                <Checkbox>{t('events')}</Checkbox>
              </Form.Item>
              {start.error && <ErrorState error={start.error} />}
              <Button htmlType="submit" loading={start.busy} disabled={data.state === 'running'}>
                {t('make')}
              </Button>
            </Form>
          </>
        )}
      </Await>
    </Card>
  );
}

/** Until the box answers again; then everything that this page knows is old. */
function useReturn(waiting: boolean) {
  useEffect(() => {
    if (!waiting) return undefined;
    let gone = false;
    const timer = window.setInterval(() => {
      api.get('/readyz').then(
        () => gone && window.location.reload(),
        (error: unknown) => (gone = gone || asApiError(error).unreachable || asApiError(error).http === 503),
      );
    }, 1000);
    // A box that is quicker than this page looks has been away unseen.
    const atLast = window.setTimeout(() => (gone = true), 10000);
    return () => {
      window.clearInterval(timer);
      window.clearTimeout(atLast);
    };
  }, [waiting]);
}

function Restore() {
  const t = useTexts(T);
  const format = useFormat();
  const [share, setShare] = useState<number>();
  const [id, setId] = useState<string>();
  const [password, setPassword] = useState('');
  const [accounts, setAccounts] = useState(false);
  const [contents, setContents] = useState<Contents>();
  const [restoring, setRestoring] = useState(false);
  useReturn(restoring);
  const upload = useAct(
    async (file: File) => {
      setContents(undefined);
      setId(undefined);
      setShare(0);
      try {
        setId((await api.upload<{ data: { restore_id: string } }>('/api/restore', file, {}, setShare, undefined, 'application/octet-stream')).data.restore_id);
      } finally {
        setShare(undefined);
      }
    },
    undefined,
    { quiet: true },
  );
  const look = useAct(
    async (confirm: boolean) => {
      const { data } = await api.put<{ data: Contents }>('/api/restore', { restore_id: id, password, confirm, accounts });
      if (confirm) setRestoring(true);
      else setContents(data);
    },
    undefined,
    { quiet: true },
  );
  return (
    <Card title={t('restore')}>
      <p className="quiet">{t('restoreHint')}</p>
      <Space orientation="vertical" className="wide">
        <Upload
          maxCount={1}
          showUploadList={false}
          beforeUpload={(file) => {
            void upload.run(file);
            return false;
          }}
        >
          <Button icon={<UploadOutlined />} loading={upload.busy}>
            {t('choose')}
          </Button>
        </Upload>
        {share !== undefined && <Progress percent={Math.round(share * 100)} aria-label={t('uploading')} />}
        {upload.error && <ErrorState error={upload.error} />}
        {id !== undefined && (
          <Form layout="vertical" onFinish={() => void look.run(false)}>
            <Form.Item label={t('password')} htmlFor="restore-password">
              <Input.Password id="restore-password" autoComplete="off" value={password} onChange={(event) => setPassword(event.target.value)} />
            </Form.Item>
            {look.error && <ErrorState error={look.error} />}
            <Button htmlType="submit" disabled={password === ''} loading={look.busy}>
              {t('look')}
            </Button>
          </Form>
        )}
      </Space>
      <Modal
        open={contents !== undefined}
        title={t('found')}
        okText={t('confirm')}
        cancelText={t('cancel')}
        okButtonProps={{ danger: true, disabled: restoring }}
        cancelButtonProps={{ disabled: restoring }}
        closable={!restoring}
        mask={{ closable: false }}
        confirmLoading={look.busy || restoring}
        onOk={() => void look.run(true)}
        onCancel={() => setContents(undefined)}
      >
        {contents && (
          <Space orientation="vertical" className="wide">
            <Descriptions
              column={1}
              size="small"
              bordered
              items={[
                { key: 'box', label: t('box'), children: contents.box_name || '–' },
                { key: 'made', label: t('made'), children: format.moment(contents.created_at) },
                { key: 'version', label: t('version'), children: contents.version },
                { key: 'people', label: t('people'), children: format.number(contents.people) },
                { key: 'events', label: t('eventCount'), children: contents.with_events ? format.number(contents.events) : t('withoutEvents') },
              ]}
            />
            <Checkbox checked={accounts} disabled={restoring} onChange={(event) => setAccounts(event.target.checked)}>
              {t('accounts')}
            </Checkbox>
            <Alert type="warning" showIcon title={restoring ? t('restoring') : t('warning')} />
            {look.error && <ErrorState error={look.error} />}
          </Space>
        )}
      </Modal>
    </Card>
  );
}

export default function Backup() {
  return (
    <div className="settings-cards">
      <Make />
      <Restore />
    </div>
  );
}
