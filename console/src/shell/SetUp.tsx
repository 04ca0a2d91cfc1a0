// The first visit: the link that the box printed at its first start lets the visitor set the administrator's password.
import { Alert, Button, Form, Input } from 'antd';

import { ErrorState } from '../components/States';
import { useAct } from '../components/useAct';
import { navigate, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useSession } from '../session';
import { EntranceCard } from './Entrance';
import { passwordRules } from './passwordRules';

const T = texts({
  title: ['Set up this box', '初始化主机'],
  where: ['The box printed a set-up link when it started for the first time, in its terminal and its log. Open that link, or paste its token here.',
    '主机首次启动时在终端和日志中打印了初始化链接。请打开该链接，或在此粘贴其中的令牌。'],
  token: ['Token', '令牌'],
  name: ['Administrator’s name', '管理员用户名'],
  password: ['Password', '密码'],
  repeat: ['The same again', '再次输入密码'],
  rule: ['At least 12 characters', '至少 12 个字符'],
  short: ['Too short', '密码太短'],
  different: ['The two are different', '两次输入不一致'],
  go: ['Set the password', '设置密码'],
});

interface Values {
  token?: string;
  name: string;
  password: string;
}

export function SetUp() {
  const t = useTexts(T);
  const { query } = useRoute();
  const { setUp } = useSession();
  const token = query.get('token') ?? '';
  const act = useAct(
    async (values: Values) => {
      await setUp((values.token ?? token).trim(), values.name, values.password);
      navigate('/welcome'); // and the token leaves the address
    },
    undefined,
    { quiet: true },
  );
  return (
    <EntranceCard title={`AIBOX · ${t('title')}`}>
      <Form layout="vertical" requiredMark={false} initialValues={{ name: 'admin' }} onFinish={(values: Values) => void act.run(values)}>
        {!token && <Alert className="entrance-hint" type="info" title={t('where')} />}
        {!token && (
          <Form.Item name="token" label={t('token')} rules={[{ required: true, message: '' }]}>
            <Input autoComplete="off" />
          </Form.Item>
        )}
        <Form.Item name="name" label={t('name')} rules={[{ required: true, message: '' }]}>
          <Input autoComplete="username" />
        </Form.Item>
        <Form.Item name="password" label={t('password')} extra={t('rule')} rules={passwordRules(t('short'))}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        <Form.Item
          name="repeat"
          label={t('repeat')}
          dependencies={['password']}
          rules={[
            ({ getFieldValue }) => ({
              validator: (_, value) => (value === getFieldValue('password') ? Promise.resolve() : Promise.reject(new Error(t('different')))),
            }),
          ]}
        >
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        {act.error && <ErrorState error={act.error} />}
        <Button type="primary" htmlType="submit" block loading={act.busy} className="entrance-button">
          {t('go')}
        </Button>
      </Form>
    </EntranceCard>
  );
}
