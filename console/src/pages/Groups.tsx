// Groups of people, and permission groups: who may pass where. Both are lists of names with a description.
import { DeleteOutlined, EditOutlined, PlusOutlined, TeamOutlined } from '@ant-design/icons';
import { Button, Checkbox, Form, Input, Modal, Space, Table, Tabs } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { Label, Pagination } from '../api/types';
import { Await, EmptyState, ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { navigate, replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { useSession } from '../session';

const T = texts({
  groups: ['Groups', '分组'],
  permissions: ['Permission groups', '权限组'],
  groupsHint: ['A device looks for faces among the people of its groups.', '设备在其所属分组的人员中识别。'],
  permissionsHint: ['A device lets pass whoever holds one of its permission groups.', '设备放行持有其权限组的人员。'],
  name: ['Name', '名称'],
  description: ['Description', '说明'],
  add: ['Add', '新增'],
  edit: ['Edit {name}', '编辑 {name}'],
  delete: ['Delete {name}', '删除 {name}'],
  members: ['People of {name}', '{name} 的人员'],
  addTitle: ['New entry', '新增'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  remove: ['Delete', '删除'],
  saved: ['Saved', '已保存'],
  deleted: ['Deleted', '已删除'],
  noComma: ['A name without commas', '名称不能包含逗号'],
  withPeople: ['Also delete its people, with their faces', '同时删除其中的人员及人脸'],
  keeps: ['Its people stay.', '其中的人员将保留。'],
  none: ['None yet', '暂无数据'],
});

interface Kind {
  path: string;
  nameField: 'group_name' | 'permission_name';
  list: (data: Lists) => Label[];
  filter: 'group' | 'permission';
  /** Can't be deleted. */
  fixed: string;
}

interface Lists {
  groups_list?: Label[];
  permissions_list?: Label[];
  pagination: Pagination;
}

const kinds: Record<'groups' | 'permissions', Kind> = {
  groups: {
    path: '/SophonFogSys/api/groups',
    nameField: 'group_name',
    list: (data) => data.groups_list ?? [],
    filter: 'group',
    fixed: 'default_group',
  },
  permissions: {
    path: '/SophonFogSys/api/permissions',
    nameField: 'permission_name',
    list: (data) => data.permissions_list ?? [],
    filter: 'permission',
    fixed: '',
  },
};

const PER_PAGE = 20;

interface EditorProps {
  kind: Kind;
  /** Undefined: closed. A label without name: a new one. */
  label: Label | undefined;
  onClose: (changed: boolean) => void;
}

function Editor({ kind, label, onClose }: EditorProps) {
  const t = useTexts(T);
  const [form] = Form.useForm<{ name: string; description?: string }>();
  const isNew = label?.name === '';
  const save = useAct(
    ({ name, description }: { name: string; description?: string }) => {
      const body = { [kind.nameField]: name, description: description ?? '' };
      return isNew ? api.post(kind.path, body) : api.put(kind.path, body);
    },
    t('saved'),
    { quiet: true },
  );
  return (
    <Modal
      open={label !== undefined}
      title={isNew ? t('addTitle') : t('edit', { name: label?.name ?? '' })}
      okText={t('save')}
      cancelText={t('cancel')}
      confirmLoading={save.busy}
      onOk={form.submit}
      onCancel={() => onClose(false)}
      afterOpenChange={(open) => {
        save.clear();
        if (open) form.setFieldsValue({ name: label?.name, description: label?.description });
      }}
    >
      <Form form={form} layout="vertical" onFinish={(values) => void save.run(values).then((done) => done && onClose(true))}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('name') }, { pattern: /^[^,]*$/, message: t('noComma') }]}>
          <Input disabled={!isNew} maxLength={255} />
        </Form.Item>
        <Form.Item name="description" label={t('description')}>
          <Input maxLength={1000} />
        </Form.Item>
      </Form>
      {save.error && <ErrorState error={save.error} />}
    </Modal>
  );
}

function Remover({ kind, label, onClose }: EditorProps) {
  const t = useTexts(T);
  const [withPeople, setWithPeople] = useState(false);
  const remove = useAct(
    () => api.delete(kind.path, { [kind.nameField]: label?.name, user_recursive_delete: withPeople }),
    t('deleted'),
    { quiet: true },
  );
  return (
    <Modal
      open={label !== undefined}
      title={t('delete', { name: label?.name ?? '' })}
      okText={t('remove')}
      cancelText={t('cancel')}
      okButtonProps={{ danger: true }}
      confirmLoading={remove.busy}
      onOk={() => void remove.run().then((done) => done && onClose(true))}
      onCancel={() => onClose(false)}
      afterOpenChange={() => {
        remove.clear();
        setWithPeople(false);
      }}
    >
      <Space orientation="vertical">
        {!withPeople && <span>{t('keeps')}</span>}
        <Checkbox checked={withPeople} onChange={(event) => setWithPeople(event.target.checked)}>
          {t('withPeople')}
        </Checkbox>
        {remove.error && <ErrorState error={remove.error} />}
      </Space>
    </Modal>
  );
}

function List({ kind, hint }: { kind: Kind; hint: string }) {
  const t = useTexts(T);
  const { may } = useSession();
  const [page, setPage] = useState(1);
  const [edited, setEdited] = useState<Label>();
  const [removed, setRemoved] = useState<Label>();
  const labels = useResource(
    (signal) => api.get<{ data: Lists }>(kind.path, { skip_num: (page - 1) * PER_PAGE, limit: PER_PAGE }, signal),
    [kind.path, page],
  );
  const closed = (changed: boolean) => {
    setEdited(undefined);
    setRemoved(undefined);
    if (changed) labels.reload();
  };
  const mayChange = may('operator');
  return (
    <>
      <div className="toolbar">
        <span className="quiet">{hint}</span>
        {mayChange && (
          <Button className="toolbar-rest" type="primary" icon={<PlusOutlined />} onClick={() => setEdited({ name: '', description: '' })}>
            {t('add')}
          </Button>
        )}
      </div>
      <Await resource={labels} empty={({ data }) => data.pagination.total_count === 0} whenEmpty={<EmptyState title={t('none')} hint={hint} />}>
        {({ data }) => (
          <Table<Label>
            rowKey="name"
            size="middle"
            dataSource={kind.list(data)}
            pagination={{ current: page, pageSize: PER_PAGE, total: data.pagination.total_count, showSizeChanger: false, hideOnSinglePage: true, onChange: setPage }}
            columns={[
              { title: t('name'), dataIndex: 'name' },
              { title: t('description'), dataIndex: 'description' },
              {
                key: 'actions',
                align: 'end',
                render: (_, label) => (
                  <Space>
                    <Button type="text" icon={<TeamOutlined />} aria-label={t('members', { name: label.name })} onClick={() => navigate('/people', { [kind.filter]: label.name })} />
                    {mayChange && <Button type="text" icon={<EditOutlined />} aria-label={t('edit', { name: label.name })} onClick={() => setEdited(label)} />}
                    {mayChange && (
                      <Button type="text" danger icon={<DeleteOutlined />} disabled={label.name === kind.fixed} aria-label={t('delete', { name: label.name })} onClick={() => setRemoved(label)} />
                    )}
                  </Space>
                ),
              },
            ]}
          />
        )}
      </Await>
      <Editor kind={kind} label={edited} onClose={closed} />
      <Remover kind={kind} label={removed} onClose={closed} />
    </>
  );
}

export default function Groups() {
  const t = useTexts(T);
  const { query } = useRoute();
  const tab = query.get('tab') === 'permissions' ? 'permissions' : 'groups';
  return (
    <Tabs
      activeKey={tab}
      onChange={(key) => replaceQuery({ tab: key })}
      items={[
        { key: 'groups', label: t('groups'), children: <List kind={kinds.groups} hint={t('groupsHint')} /> },
        { key: 'permissions', label: t('permissions'), children: <List kind={kinds.permissions} hint={t('permissionsHint')} /> },
      ]}
    />
  );
}
