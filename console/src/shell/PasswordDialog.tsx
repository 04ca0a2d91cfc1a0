// The log-in's own password, changed by whoever knows it.
import { Form, Input, Modal } from 'antd';

import { api } from '../api/client';
import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { texts, useTexts } from '../lib/texts';
import { passwordRules } from './passwordRules';

const T = texts({
  title: ['Change the password', '修改密码'],
  old: ['Password now', '当前密码'],
  next: ['New password', '新密码'],
  short: ['Too short', '密码太短'],
  rule: ['At least 12 characters', '至少 12 个字符'],
  save: ['Change', '修改'],
  cancel: ['Cancel', '取消'],
  done: ['The password is changed', '密码已修改'],
});

export function PasswordDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(T);
  const [form] = Form.useForm<{ old_password: string; password: string }>();
  const save = useAct((values: { old_password: string; password: string }) => api.put('/api/session/password', values), t('done'), { quiet: true });
  const finish = async (values: { old_password: string; password: string }) => {
    if (await save.run(values)) onClose();
  };
  return (
    <Modal
      open={open}
      title={t('title')}
      okText={t('save')}
      cancelText={t('cancel')}
      confirmLoading={save.busy}
      onOk={form.submit}
      onCancel={onClose}
      afterClose={() => {
        form.resetFields();
        save.clear();
      }}
    >
      <Form form={form} layout="vertical" onFinish={(values) => void finish(values)}>
        <Form.Item name="old_password" label={t('old')} rules={[{ required: true, message: '' }]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Form.Item name="password" label={t('next')} extra={t('rule')} rules={passwordRules(t('short'))}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
      </Form>
      {save.error && <ErrorState error={save.error} />}
    </Modal>
  );
}
