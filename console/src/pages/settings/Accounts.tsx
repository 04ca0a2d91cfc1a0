// Who may use the box: accounts of people, API keys of programs, and the log of what they changed.
import { DeleteOutlined, PlusOutlined } from '@ant-design/icons';
import { Alert, Button, Card, DatePicker, Form, Input, Modal, Popconfirm, Segmented, Select, Space, Table, Tag, Typography } from 'antd';
import type { Dayjs } from 'dayjs';
import { useState } from 'react';

import { api } from '../../api/client';
import type { Role } from '../../api/types';
import { Await, EmptyState, ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';

const T = texts({
  accounts: ['Accounts', '账户'],
  keys: ['API keys', 'API 密钥'],
  keysHint: ['For programs: sent as “Authorization: Bearer …”. A key is shown once.', '供程序使用，以 “Authorization: Bearer …” 发送。密钥只显示一次。'],
  audit: ['Audit log', '审计日志'],
  name: ['Name', '名称'],
  role: ['Role', '角色'],
  admin: ['Administrator', '管理员'],
  operator: ['Operator', '操作员'],
  viewer: ['Viewer', '查看者'],
  adminHint: ['everything', '全部权限'],
  operatorHint: ['people, records, doors', '人员、记录、门禁'],
  viewerHint: ['looking only', '仅查看'],
  password: ['Password', '密码'],
  passwordHint: ['At least 12 characters', '至少 12 个字符'],
  short: ['Too short', '密码太短'],
  newPassword: ['New password (empty: as it is)', '新密码（留空则不变）'],
  expires: ['Valid until', '有效期至'],
  never: ['no end', '长期有效'],
  add: ['Add', '新增'],
  edit: ['Edit', '编辑'],
  remove: ['Delete {name}', '删除 {name}'],
  sure: ['Delete {name}?', '确定删除 {name}？'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  saved: ['Saved', '已保存'],
  deleted: ['Deleted', '已删除'],
  once: ['Copy the key now; it can’t be shown again.', '请立即复制密钥，之后无法再次显示。'],
  lastUsed: ['Last used', '最近使用'],
  when: ['When', '时间'],
  who: ['Who', '操作者'],
  from: ['From', '来源'],
  what: ['What', '操作'],
  result: ['Result', '结果'],
  none: ['None yet', '暂无数据'],
  all: ['All', '全部'],
  changes: ['Changes', '变更'],
  refused: ['Refused calls', '被拒绝的调用'],
  kind: ['What the log shows', '日志内容'],
  times: ['{n} times', '{n} 次'],
  nobody: ['nobody', '匿名'],
  platform: ['platform', '平台'],
  several: ['further callers and calls', '其他来源与调用'],
  openMode: ['This box runs with open access on its own computer: accounts count once access.mode is closed.', '主机当前以开放模式在本机运行；access.mode 设为 closed 后账户才生效。'],
});

interface Account {
  name: string;
  role: Role;
}
interface Key {
  key_id?: string;
  name: string;
  role: Role;
  expires_at: number;
  last_used?: number;
}
interface Entry {
  time: number;
  who: string;
  role: string;
  address: string;
  method: string;
  path: string;
  what: string;
  status: number;
  /** So many calls were refused within a minute; 0: a change. */
  refused: number;
}

function RoleSelect(props: { id?: string; value?: Role; onChange?: (role: Role) => void }) {
  const t = useTexts(T);
  const roles: Role[] = ['admin', 'operator', 'viewer'];
  return <Select {...props} options={roles.map((role) => ({ value: role, label: `${t(role)} – ${t(`${role}Hint`)}` }))} />;
}

function AccountDialog({ account, onClose }: { account: Account | undefined; onClose: (changed: boolean) => void }) {
  const t = useTexts(T);
  const [form] = Form.useForm<{ name: string; role: Role; password?: string }>();
  const isNew = account?.name === '';
  const save = useAct(
    ({ password, ...rest }: { name: string; role: Role; password?: string }) => {
      const body = password ? { ...rest, password } : rest;
      return isNew ? api.post('/api/accounts', body) : api.put('/api/accounts', body);
    },
    t('saved'),
    { quiet: true },
  );
  return (
    <Modal
      open={account !== undefined}
      title={isNew ? t('add') : account?.name}
      okText={t('save')}
      cancelText={t('cancel')}
      confirmLoading={save.busy}
      onOk={form.submit}
      onCancel={() => onClose(false)}
      afterOpenChange={(open) => {
        save.clear();
        if (open) form.setFieldsValue({ ...account, password: '' });
      }}
    >
      <Form form={form} layout="vertical" onFinish={(values) => void save.run(values).then((done) => done && onClose(true))}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('name') }]}>
          <Input disabled={!isNew} maxLength={64} autoComplete="off" />
        </Form.Item>
        <Form.Item name="role" label={t('role')} rules={[{ required: true, message: t('role') }]}>
          <RoleSelect />
        </Form.Item>
        <Form.Item name="password" label={isNew ? t('password') : t('newPassword')} extra={t('passwordHint')} rules={[{ required: isNew, message: t('short') }, { min: 12, message: t('short') }]}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
      </Form>
      {save.error && <ErrorState error={save.error} />}
    </Modal>
  );
}

function Accounts() {
  const t = useTexts(T);
  const [edited, setEdited] = useState<Account>();
  const accounts = useResource((signal) => api.get<{ data: Account[] }>('/api/accounts', {}, signal), []);
  const remove = useAct(async (name: string) => {
    await api.delete('/api/accounts', { name });
    accounts.reload();
  }, t('deleted'));
  return (
    <Card title={t('accounts')} extra={<Button icon={<PlusOutlined />} onClick={() => setEdited({ name: '', role: 'operator' })}>{t('add')}</Button>}>
      <Await resource={accounts} empty={({ data }) => data.length === 0} whenEmpty={<EmptyState title={t('none')} />}>
        {({ data }) => (
          <Table<Account>
            size="small"
            rowKey="name"
            dataSource={data}
            pagination={false}
            columns={[
              { title: t('name'), dataIndex: 'name' },
              { title: t('role'), dataIndex: 'role', render: (role: Role) => t(role) },
              {
                key: 'actions',
                align: 'end',
                render: (_, account) => (
                  <Space>
                    <Button onClick={() => setEdited(account)}>{t('edit')}</Button>
                    <Popconfirm title={t('sure', { name: account.name })} okText={t('remove', { name: account.name })} cancelText={t('cancel')} onConfirm={() => remove.run(account.name)}>
                      <Button type="text" danger icon={<DeleteOutlined />} aria-label={t('remove', { name: account.name })} />
                    </Popconfirm>
                  </Space>
                ),
              },
            ]}
          />
        )}
      </Await>
      <AccountDialog
        account={edited}
        onClose={(changed) => {
          setEdited(undefined);
          if (changed) accounts.reload();
        }}
      />
    </Card>
  );
}

function KeyDialog({ open, onClose }: { open: boolean; onClose: (changed: boolean) => void }) {
  const t = useTexts(T);
  const [form] = Form.useForm<{ name: string; role: Role; expires?: Dayjs }>();
  const [key, setKey] = useState<string>();
  const make = useAct(
    async ({ name, role, expires }: { name: string; role: Role; expires?: Dayjs }) => {
      const { data } = await api.post<{ data: { key: string } }>('/api/keys', { name, role, expires_at: expires?.valueOf() ?? 0 });
      setKey(data.key);
    },
    undefined,
    { quiet: true },
  );
  return (
    <Modal
      open={open}
      title={t('keys')}
      okText={t('add')}
      cancelText={t('cancel')}
      okButtonProps={key === undefined ? {} : { hidden: true }}
      mask={{ closable: key === undefined }}
      confirmLoading={make.busy}
      onOk={form.submit}
      onCancel={() => onClose(key !== undefined)}
      afterOpenChange={() => {
        make.clear();
        setKey(undefined);
        form.resetFields();
      }}
    >
      {key === undefined ? (
        <Form form={form} layout="vertical" initialValues={{ role: 'operator' }} onFinish={(values) => void make.run(values)}>
          <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('name') }]}>
            <Input maxLength={64} autoComplete="off" />
          </Form.Item>
          <Form.Item name="role" label={t('role')}>
            <RoleSelect />
          </Form.Item>
          <Form.Item name="expires" label={t('expires')}>
            <DatePicker showTime placeholder={t('never')} />
          </Form.Item>
        </Form>
      ) : (
        <Space orientation="vertical" className="wide">
          <Alert type="warning" showIcon title={t('once')} />
          <Typography.Text code copyable className="excerpt">
            {key}
          </Typography.Text>
        </Space>
      )}
      {make.error && <ErrorState error={make.error} />}
    </Modal>
  );
}

function Keys() {
  const t = useTexts(T);
  const format = useFormat();
  const [adding, setAdding] = useState(false);
  const keys = useResource((signal) => api.get<{ data: Key[] }>('/api/keys', {}, signal), []);
  const remove = useAct(async (name: string) => {
    await api.delete('/api/keys', { name });
    keys.reload();
  }, t('deleted'));
  return (
    <Card title={t('keys')} extra={<Button icon={<PlusOutlined />} onClick={() => setAdding(true)}>{t('add')}</Button>}>
      <p className="quiet">{t('keysHint')}</p>
      <Await resource={keys} empty={({ data }) => data.length === 0} whenEmpty={<EmptyState title={t('none')} />}>
        {({ data }) => (
          <Table<Key>
            size="small"
            rowKey="name"
            dataSource={data}
            pagination={false}
            scroll={{ x: 'max-content' }}
            columns={[
              { title: t('name'), dataIndex: 'name' },
              { title: t('role'), dataIndex: 'role', render: (role: Role) => t(role) },
              { title: t('expires'), dataIndex: 'expires_at', render: (ms: number) => (ms > 0 ? format.dateTime(ms) : t('never')) },
              { title: t('lastUsed'), dataIndex: 'last_used', render: (ms?: number) => (ms ? format.dateTime(ms) : '–') },
              {
                key: 'actions',
                align: 'end',
                render: (_, { name }) => (
                  <Popconfirm title={t('sure', { name })} okText={t('remove', { name })} cancelText={t('cancel')} onConfirm={() => remove.run(name)}>
                    <Button type="text" danger icon={<DeleteOutlined />} aria-label={t('remove', { name })} />
                  </Popconfirm>
                ),
              },
            ]}
          />
        )}
      </Await>
      <KeyDialog
        open={adding}
        onClose={(changed) => {
          setAdding(false);
          if (changed) keys.reload();
        }}
      />
    </Card>
  );
}

const PER_PAGE = 20;
const kinds = ['all', 'changes', 'refused'] as const;

function Audit() {
  const t = useTexts(T);
  const format = useFormat();
  const [page, setPage] = useState(1);
  const [kind, setKind] = useState<(typeof kinds)[number]>('all');
  const audit = useResource(
    (signal) => api.get<{ data: Entry[]; pagination: { total_count: number } }>('/api/audit', { kind, page: page - 1, per_page: PER_PAGE }, signal),
    [kind, page],
  );
  const caller = ({ who, refused }: Entry) => (who === 'platform' ? t('platform') : who || (refused > 0 ? t('nobody') : ''));
  return (
    <Card
      title={t('audit')}
      extra={
        <Segmented
          aria-label={t('kind')}
          value={kind}
          options={kinds.map((value) => ({ value, label: t(value) }))}
          onChange={(value) => {
            setKind(value);
            setPage(1);
          }}
        />
      }
    >
      <Await resource={audit} empty={({ data }) => data.length === 0} whenEmpty={<EmptyState title={t('none')} />}>
        {({ data, pagination }) => (
          <Table<Entry>
            size="small"
            rowKey={(entry) => `${entry.time}-${entry.method}-${entry.path}-${entry.what}-${entry.address}-${entry.status}`}
            dataSource={data}
            scroll={{ x: 'max-content' }}
            pagination={{ current: page, pageSize: PER_PAGE, total: pagination.total_count, showSizeChanger: false, hideOnSinglePage: true, onChange: setPage }}
            columns={[
              { title: t('when'), dataIndex: 'time', render: format.dateTime },
              { title: t('who'), render: (_, entry) => caller(entry) },
              { title: t('from'), dataIndex: 'address' },
              {
                title: t('what'),
                render: (_, entry) => (
                  <>
                    {entry.path === '*' ? (
                      t('several')
                    ) : (
                      <code>
                        {entry.method} {entry.path}
                      </code>
                    )}{' '}
                    {entry.what}
                    {entry.refused > 1 && t('times', { n: format.number(entry.refused) })}
                  </>
                ),
              },
              { title: t('result'), dataIndex: 'status', render: (status: number) => <Tag color={status < 400 ? 'success' : 'error'}>{status}</Tag> },
            ]}
          />
        )}
      </Await>
    </Card>
  );
}

export default function AccountsAndKeys() {
  const t = useTexts(T);
  const { session } = useSession();
  return (
    <div className="settings-cards">
      {session?.mode === 'open' && <Alert type="info" showIcon title={t('openMode')} />}
      <Accounts />
      <Keys />
      <Audit />
    </div>
  );
}
