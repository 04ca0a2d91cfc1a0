// Everybody the box knows: found, added, changed, imported, exported.
import { DownloadOutlined, ImportOutlined, PlusOutlined, UnorderedListOutlined } from '@ant-design/icons';
import { Button, Input, Select, Space, Table, Tag } from 'antd';
import { useEffect, useState } from 'react';

import { api, withQuery } from '../api/client';
import type { PeopleAnswer, PersonRow, PersonType } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { LabelSelect } from '../components/LabelSelect';
import { Await, EmptyState } from '../components/States';
import { useFormat } from '../lib/format';
import { navigate, replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource, useSettled } from '../lib/useResource';
import { useStream } from '../lib/useStream';
import { useSession } from '../session';
import './people/people.css';
import { BulkActions } from './people/BulkActions';
import { ImportDialog } from './people/ImportDialog';
import { JobPanel, JobProgress, jobIsUnderWay, useJobs } from './people/JobPanel';
import { PersonEditor } from './people/PersonEditor';
import { personTypes, typeColors, useTypeName } from './people/types';

const T = texts({
  search: ['Name, id or card', '姓名、编号或卡号'],
  group: ['Group', '分组'],
  permission: ['Permission group', '权限组'],
  type: ['Type', '类型'],
  add: ['Add a person', '新增人员'],
  import: ['Import', '导入'],
  imports: ['Imports', '导入任务'],
  export: ['Export', '导出'],
  exportGroup: ['Export {group}', '导出 {group}'],
  photo: ['Photo', '照片'],
  photoOf: ['Photo of {name}', '{name} 的照片'],
  name: ['Name', '姓名'],
  id: ['Id', '编号'],
  card: ['Card', '卡号'],
  groups: ['Groups', '分组'],
  permissions: ['Permission groups', '权限组'],
  photos: ['Photos', '照片数'],
  everybody: ['everybody', '默认'],
  none: ['Nobody is enrolled yet', '暂无人员'],
  noneHint: ['Add somebody with a photo, or import an archive of photos.', '使用照片新增人员，或导入照片压缩包。'],
  notFound: ['Nobody fits', '没有符合条件的人员'],
  total: ['{n} people', '共 {n} 人'],
});

const PER_PAGE = 20;

function RunningImport({ onOpen, onEnd }: { onOpen: () => void; onEnd: () => void }) {
  const jobs = useJobs();
  const t = useTexts(T);
  const running = jobs.list.find(jobIsUnderWay);
  // What was imported is to be seen when it is done, also when that took so little time that nobody saw it run.
  useStream('job', (job) => {
    if (!jobIsUnderWay(job)) onEnd();
  });
  if (!running) return null;
  return (
    <button type="button" className="plain-button running-import" onClick={onOpen}>
      <span>{t('import')}</span>
      <JobProgress job={running} />
    </button>
  );
}

export default function People() {
  const t = useTexts(T);
  const typeName = useTypeName();
  const format = useFormat();
  const { may } = useSession();
  const { path, query } = useRoute();
  const [typed, setTyped] = useState(query.get('q') ?? '');
  const [chosen, setChosen] = useState<string[]>([]);
  const [importing, setImporting] = useState(false);
  const [showJobs, setShowJobs] = useState(false);
  const q = useSettled(typed.trim());
  const page = Math.max(1, Number(query.get('page')) || 1);
  const group = query.get('group') ?? undefined;
  const permission = query.get('permission') ?? undefined;
  const type = Number(query.get('type')) || undefined;

  useEffect(() => {
    replaceQuery({ q, page: q === (query.get('q') ?? '') ? query.get('page') : '' });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only what was typed is to change the address
  }, [q]);

  const people = useResource(
    (signal) => api.get<PeopleAnswer>('/api/people', { q, group_name: group, permission_name: permission, type, skip_num: (page - 1) * PER_PAGE, limit: PER_PAGE }, signal),
    [q, group, permission, type, page],
  );
  const { reload } = people;
  const filtered = Boolean(q || group || permission || type);
  // "/people/10086", "/people?add=1" and "/people?add=1&event=…", with that event's picture: somebody's form is open.
  const identityId = path.startsWith('/people/') ? decodeURIComponent(path.slice('/people/'.length)) : undefined;
  const adding = query.get('add') !== null;
  const { add: _add, event: photoOf, ...filters } = Object.fromEntries(query.entries());
  const closed = (changed: boolean) => {
    navigate('/people', filters);
    if (changed) reload();
  };
  const open = (id: string) => navigate(`/people/${encodeURIComponent(id)}`, filters);
  const mayChange = may('operator');

  return (
    <>
      <div className="toolbar">
        <Input.Search allowClear className="people-search" aria-label={t('search')} placeholder={t('search')} value={typed} onChange={(event) => setTyped(event.target.value)} />
        <LabelSelect kind="groups" label={t('group')} placeholder={t('group')} value={group} onChange={(name) => replaceQuery({ group: name, page: '' })} />
        <LabelSelect kind="permissions" label={t('permission')} placeholder={t('permission')} value={permission} onChange={(name) => replaceQuery({ permission: name, page: '' })} />
        <Select
          aria-label={t('type')}
          className="label-select"
          allowClear
          placeholder={t('type')}
          value={type}
          onChange={(value: number | undefined) => replaceQuery({ type: value, page: '' })}
          options={personTypes.map((value) => ({ value, label: typeName(value) }))}
        />
        {mayChange && (
          <Space wrap className="toolbar-rest">
            <Button icon={<UnorderedListOutlined />} onClick={() => setShowJobs(true)}>
              {t('imports')}
            </Button>
            <Button icon={<ImportOutlined />} onClick={() => setImporting(true)}>
              {t('import')}
            </Button>
            <Button icon={<DownloadOutlined />} href={withQuery('/api/export', { group_name: group })} download>
              {group ? t('exportGroup', { group }) : t('export')}
            </Button>
            <Button type="primary" icon={<PlusOutlined />} onClick={() => navigate('/people', { ...filters, add: 1 })}>
              {t('add')}
            </Button>
          </Space>
        )}
      </div>
      {mayChange && <RunningImport onOpen={() => setShowJobs(true)} onEnd={reload} />}
      {mayChange && (
        <BulkActions
          ids={chosen}
          group={group}
          onDone={() => {
            setChosen([]);
            reload();
          }}
        />
      )}
      <Await
        resource={people}
        empty={({ data }) => data.pagination.total_count === 0}
        whenEmpty={filtered ? <EmptyState title={t('notFound')} /> : <EmptyState title={t('none')} hint={t('noneHint')} />}
      >
        {({ data }) => (
          <Table<PersonRow>
            rowKey="identity_id"
            size="middle"
            className="people-table"
            dataSource={data.people_list}
            rowSelection={mayChange ? { selectedRowKeys: chosen, preserveSelectedRowKeys: true, onChange: (keys) => setChosen(keys.map(String)) } : undefined}
            pagination={{
              current: page,
              pageSize: PER_PAGE,
              total: data.pagination.total_count,
              showSizeChanger: false,
              showTotal: (n) => t('total', { n: format.number(n) }),
              onChange: (next) => replaceQuery({ page: next }),
            }}
            columns={[
              {
                title: t('photo'),
                key: 'photo',
                width: 76,
                render: (_, person) => <FaceThumb imageId={person.image_id} name={t('photoOf', { name: person.name })} size={48} onClick={() => open(person.identity_id)} />,
              },
              {
                title: t('name'),
                key: 'name',
                render: (_, person) => (
                  <button type="button" className="plain-button person-name" onClick={() => open(person.identity_id)}>
                    <strong>{person.name}</strong>
                    {person.department && <span className="quiet">{person.department}</span>}
                  </button>
                ),
              },
              { title: t('id'), dataIndex: 'identity_id' },
              { title: t('type'), key: 'type', render: (_, { type: value }) => <Tag color={typeColors[value as PersonType]}>{typeName(value)}</Tag> },
              { title: t('card'), dataIndex: 'card' },
              { title: t('groups'), key: 'groups', render: (_, person) => person.group_names.join(', ') },
              { title: t('permissions'), key: 'permissions', render: (_, person) => person.permission_names.map((name) => (name === '0' ? t('everybody') : name)).join(', ') },
              { title: t('photos'), dataIndex: 'faces', align: 'end' },
            ]}
          />
        )}
      </Await>
      <PersonEditor open={adding || identityId !== undefined} identityId={identityId} photoOf={photoOf} onClose={closed} />
      <ImportDialog open={importing} onClose={() => setImporting(false)} onStarted={() => setShowJobs(true)} />
      <JobPanel open={showJobs} onClose={() => setShowJobs(false)} />
    </>
  );
}
