// An archive of photos goes to the box, which enrols the people behind the answer, as a job.
import { InboxOutlined } from '@ant-design/icons';
import { Button, Form, Modal, Progress, Select, Switch } from 'antd';
import { useRef, useState } from 'react';

import { api } from '../../api/client';
import type { Job } from '../../api/types';
import { LabelSelect } from '../../components/LabelSelect';
import { ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  title: ['Import people', '导入人员'],
  start: ['Import', '开始导入'],
  cancel: ['Cancel', '取消'],
  choose: ['Choose a ZIP archive', '选择 ZIP 压缩包'],
  drop: ['Drop a ZIP archive of photos here, or', '将照片 ZIP 压缩包拖放到此处，或'],
  names: ['Photos are named name-id.jpg or name-id-department.jpg; a people.csv in the archive may say more.', '照片命名为 姓名-编号.jpg 或 姓名-编号-部门.jpg；压缩包中的 people.csv 可提供更多信息。'],
  group: ['Group, where the archive says none', '分组（压缩包未指定时）'],
  level: ['How strictly photos are judged', '照片质量要求'],
  high: ['Strict', '严格'],
  middle: ['Normal', '普通'],
  low: ['Lax', '宽松'],
  no: ['Any face', '不检查'],
  ignoreExist: ['Bring people up to date who are there already', '更新已存在的人员'],
  createGroups: ['Make groups that there are not', '自动创建不存在的分组'],
  createPermissions: ['Make permission groups that there are not', '自动创建不存在的权限组'],
  uploading: ['Upload', '上传进度'],
});

interface Values {
  group?: string;
  fiqa_level: string;
  ignore_exist: boolean;
  create_groups: boolean;
  create_no_exit_permission: boolean;
}

interface Properties {
  open: boolean;
  onClose: () => void;
  onStarted: (job: Job) => void;
}

export function ImportDialog({ open, onClose, onStarted }: Properties) {
  const t = useTexts(T);
  const format = useFormat();
  const [form] = Form.useForm<Values>();
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>();
  const [file, setFile] = useState<File>();
  const [share, setShare] = useState(0);
  const start = useAct(
    async (values: Values) => {
      if (!file) return;
      stop.current = new AbortController();
      const { group, ...rest } = values;
      const { data } = await api.upload<{ data: Job }>('/api/import', file, { group_name: group ?? '', ...rest }, setShare, stop.current.signal);
      onStarted(data);
      onClose();
    },
    undefined,
    { quiet: true },
  );
  const close = () => {
    stop.current?.abort();
    onClose();
  };
  return (
    <Modal
      open={open}
      title={t('title')}
      okText={t('start')}
      cancelText={t('cancel')}
      okButtonProps={{ disabled: !file }}
      confirmLoading={start.busy}
      onOk={form.submit}
      onCancel={close}
      afterClose={() => {
        setFile(undefined);
        setShare(0);
        start.clear();
      }}
      destroyOnHidden
    >
      <Form
        form={form}
        layout="vertical"
        initialValues={{ fiqa_level: 'high', ignore_exist: true, create_groups: false, create_no_exit_permission: false }}
        onFinish={(values) => void start.run(values)}
      >
        <div
          className="drop"
          role="group"
          aria-label={t('choose')}
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            setFile(event.dataTransfer.files[0]);
          }}
        >
          <InboxOutlined className="drop-icon" aria-hidden />
          <span>{file ? `${file.name}, ${format.bytes(file.size)}` : t('drop')}</span>
          <Button onClick={() => input.current?.click()}>{t('choose')}</Button>
          <span className="quiet">{t('names')}</span>
        </div>
        <input ref={input} type="file" accept=".zip,application/zip" className="file-input" tabIndex={-1} aria-label={t('choose')} onChange={(event) => setFile(event.target.files?.[0])} />
        <Form.Item name="group" label={t('group')} className="form-first">
          <LabelSelect kind="groups" placeholder="default_group" />
        </Form.Item>
        <Form.Item name="fiqa_level" label={t('level')}>
          <Select options={(['high', 'middle', 'low', 'no'] as const).map((value) => ({ value, label: t(value) }))} />
        </Form.Item>
        <Form.Item name="ignore_exist" label={t('ignoreExist')} valuePropName="checked" layout="horizontal">
          <Switch />
        </Form.Item>
        <Form.Item name="create_groups" label={t('createGroups')} valuePropName="checked" layout="horizontal">
          <Switch />
        </Form.Item>
        <Form.Item name="create_no_exit_permission" label={t('createPermissions')} valuePropName="checked" layout="horizontal">
          <Switch />
        </Form.Item>
      </Form>
      {start.busy && <Progress percent={Math.round(share * 100)} aria-label={t('uploading')} />}
      {start.error && <ErrorState error={start.error} />}
    </Modal>
  );
}
