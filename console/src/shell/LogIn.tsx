import { Button, Form, Input } from 'antd';

import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { texts, useTexts } from '../lib/texts';
import { useSession } from '../session';
import { EntranceCard } from './Entrance';

const T = texts({
  title: ['Log in', '登录'],
  name: ['Name', '用户名'],
  password: ['Password', '密码'],
  go: ['Log in', '登录'],
});

export function LogIn() {
  const t = useTexts(T);
  const { session, logIn } = useSession();
  const act = useAct((values: { name: string; password: string }) => logIn(values.name, values.password), undefined, { quiet: true });
  return (
    <EntranceCard title={session?.box_name ? `${session.box_name} · ${t('title')}` : `AIBOX · ${t('title')}`}>
      <Form layout="vertical" requiredMark={false} onFinish={(values: { name: string; password: string }) => void act.run(values)}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, message: '' }]}>
          <Input autoComplete="username" />
        </Form.Item>
        <Form.Item name="password" label={t('password')} rules={[{ required: true, message: '' }]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        {act.error && <ErrorState error={act.error} />}
        <Button type="primary" htmlType="submit" block loading={act.busy} className="entrance-button">
          {t('go')}
        </Button>
      </Form>
    </EntranceCard>
  );
}
