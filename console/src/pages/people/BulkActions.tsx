// What can be done with several people at once.
import { Alert, App, Button, Form, Modal, Space } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { LabelSelect } from '../../components/LabelSelect';
import { ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  selected: ['{n} selected', '已选择 {n} 人'],
  groups: ['Groups', '分组'],
  delete: ['Delete', '删除'],
  deleteTitle: ['Delete {n} people?', '删除 {n} 人？'],
  deleteHint: ['Their photos, features and memberships go with them. Records stay.', '其照片、特征和分组关系将一并删除，通行记录保留。'],
  cancel: ['Cancel', '取消'],
  deleted: ['Deleted', '已删除'],
  title: ['Groups of {n} people', '{n} 人的分组'],
  into: ['Put into', '加入'],
  outOf: ['Take out of', '移出'],
  save: ['Save', '保存'],
  saved: ['Saved', '已保存'],
});

interface Properties {
  ids: string[];
  /** The group that the list shows: people are moved out of it. */
  group?: string;
  onDone: () => void;
}

interface Move {
  into?: string[];
  outOf?: string[];
}

function MoveDialog({ ids, group, onClose }: { ids: string[]; group?: string; onClose: (changed: boolean) => void }) {
  const t = useTexts(T);
  const [form] = Form.useForm<Move>();
  // Into the new ones first: nobody is in none in between.
  const move = useAct(
    async ({ into = [], outOf = [] }: Move) => {
      for (const name of into) await api.put('/SophonFogSys/api/GroupUsers', { group_name: name, identity_id: ids });
      for (const name of outOf) await api.delete('/SophonFogSys/api/GroupUsers', { group_name: name, identity_id: ids });
    },
    t('saved'),
    { quiet: true },
  );
  return (
    <Modal open title={t('title', { n: ids.length })} okText={t('save')} cancelText={t('cancel')} confirmLoading={move.busy} onOk={form.submit} onCancel={() => onClose(false)}>
      <Form form={form} layout="vertical" initialValues={{ outOf: group ? [group] : [] }} onFinish={(values) => void move.run(values).then((done) => done && onClose(true))}>
        <Form.Item name="into" label={t('into')}>
          <LabelSelect kind="groups" multiple />
        </Form.Item>
        <Form.Item name="outOf" label={t('outOf')}>
          <LabelSelect kind="groups" multiple />
        </Form.Item>
      </Form>
      {move.error && <ErrorState error={move.error} />}
    </Modal>
  );
}

export function BulkActions({ ids, group, onDone }: Properties) {
  const t = useTexts(T);
  const { modal } = App.useApp();
  const [moving, setMoving] = useState(false);
  const remove = useAct(() => api.delete('/SophonFogSys/api/users', { identity_ids: ids }), t('deleted'));
  if (ids.length === 0) return null;
  const ask = () =>
    modal.confirm({
      title: t('deleteTitle', { n: ids.length }),
      content: t('deleteHint'),
      okText: t('delete'),
      cancelText: t('cancel'),
      okButtonProps: { danger: true },
      onOk: async () => {
        if (await remove.run()) onDone();
      },
    });
  return (
    <Alert
      className="bulk"
      type="info"
      title={t('selected', { n: ids.length })}
      action={
        <Space>
          <Button size="small" onClick={() => setMoving(true)}>
            {t('groups')}
          </Button>
          <Button size="small" danger loading={remove.busy} onClick={ask}>
            {t('delete')}
          </Button>
          {moving && (
            <MoveDialog
              ids={ids}
              group={group}
              onClose={(changed) => {
                setMoving(false);
                if (changed) onDone();
              }}
            />
          )}
        </Space>
      }
    />
  );
}
