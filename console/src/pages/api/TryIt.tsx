// Making a call and looking at what comes back, as it is.
import { SendOutlined } from '@ant-design/icons';
import { Alert, Button, Form, Input, Popconfirm, Space, Tag } from 'antd';
import { useEffect, useState } from 'react';

import { withQuery } from '../../api/client';
import { texts, useTexts } from '../../lib/texts';
import type { Operation } from './document';

const T = texts({
  body: ['Body (JSON)', '请求体（JSON）'],
  send: ['Send', '发送'],
  sure: ['This changes the box. Send it?', '这会更改主机，确定发送？'],
  cancel: ['Cancel', '取消'],
  noJson: ['The body is not JSON: {why}', '请求体不是 JSON：{why}'],
  file: ['Takes a file: use curl, or the page that is made for it.', '该接口接收文件：请使用 curl 或相应页面。'],
  stream: ['Sends without end: use curl -N.', '该接口持续发送数据：请使用 curl -N。'],
  failed: ['The box does not answer', '主机没有响应'],
  more: ['… {n} more characters', '…还有 {n} 个字符'],
  curl: ['As a command', '命令行形式'],
});

const SHOWN = 20000; // characters

interface Answer {
  status: number;
  type: string;
  ms: number;
  text: string;
  picture?: string;
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

async function ask(method: string, target: string, body: string | undefined): Promise<Answer> {
  const start = performance.now();
  const response = await fetch(target, { method, cache: 'no-store', headers: body === undefined ? {} : { 'Content-Type': 'application/json' }, body });
  const bytes = await response.blob();
  const ms = Math.round(performance.now() - start);
  const type = response.headers.get('Content-Type') ?? '';
  let text = '';
  if (type.startsWith('application/json')) text = JSON.stringify(JSON.parse(await bytes.text()), null, 2);
  else if (type.startsWith('text/')) text = await bytes.text();
  return { status: response.status, type, ms, text, picture: type.startsWith('image/') ? URL.createObjectURL(bytes) : undefined };
}

export default function TryIt({ operation }: { operation: Operation }) {
  const t = useTexts(T);
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(() => JSON.stringify(operation.example, null, 2) ?? '');
  const [answer, setAnswer] = useState<Answer>();
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => () => (answer?.picture ? URL.revokeObjectURL(answer.picture) : undefined), [answer]);

  if (operation.takesFile) return <Alert type="info" title={t('file')} />;
  if (operation.path === '/api/stream' || operation.path.endsWith('/live')) return <Alert type="info" title={t('stream')} />;

  const hasBody = operation.example !== undefined;
  const parameters = operation.fields.filter((field) => field.place !== 'body');
  const target = () => {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''));
    return withQuery(path, Object.fromEntries(parameters.filter((field) => field.place === 'query').map((field) => [field.name, values[field.name]])));
  };
  const send = async () => {
    setProblem('');
    if (hasBody) {
      try {
        JSON.parse(body);
      } catch (error) {
        setProblem(t('noJson', { why: error instanceof Error ? error.message : '' }));
        return;
      }
    }
    setBusy(true);
    try {
      setAnswer(await ask(operation.method, target(), hasBody ? body : undefined));
    } catch {
      setProblem(t('failed'));
    } finally {
      setBusy(false);
    }
  };
  const curl = [
    'curl -s',
    operation.method === 'GET' ? '' : `-X ${operation.method}`,
    quote(new URL(target(), window.location.href).href),
    hasBody ? `-H 'Content-Type: application/json' -d ${quote(body.replace(/\s*\n\s*/g, ' '))}` : '',
  ].filter(Boolean);
  const button = (onClick?: () => void) => (
    <Button type="primary" icon={<SendOutlined />} loading={busy} onClick={onClick}>
      {t('send')}
    </Button>
  );
  return (
    <Form layout="vertical" className="try-it">
      <Space wrap>
        {parameters.map((field) => {
          const id = `${operation.method}-${operation.path}-${field.name}`;
          return (
            <Form.Item key={field.name} label={<code>{field.name}</code>} htmlFor={id} required={field.required}>
              <Input id={id} value={values[field.name] ?? ''} onChange={(event) => setValues({ ...values, [field.name]: event.target.value })} />
            </Form.Item>
          );
        })}
      </Space>
      {hasBody && (
        <Form.Item label={t('body')} htmlFor={`${operation.method}-${operation.path}-body`}>
          <Input.TextArea id={`${operation.method}-${operation.path}-body`} className="mono" autoSize={{ minRows: 2, maxRows: 16 }} value={body} spellCheck={false} onChange={(event) => setBody(event.target.value)} />
        </Form.Item>
      )}
      {operation.method === 'GET' ? (
        button(() => void send())
      ) : (
        <Popconfirm title={t('sure')} okText={t('send')} cancelText={t('cancel')} onConfirm={() => void send()}>
          {button()}
        </Popconfirm>
      )}
      <p className="quiet">{t('curl')}</p>
      <pre className="answer">{curl.join(' ')}</pre>
      {problem && <Alert type="error" role="alert" title={problem} />}
      {answer && (
        <>
          <p>
            <Tag color={answer.status < 400 ? 'success' : 'error'}>{answer.status}</Tag>
            <span className="quiet">
              {answer.type} · {answer.ms} ms
            </span>
          </p>
          {answer.picture ? (
            <img className="answer-picture" src={answer.picture} alt={operation.summary} />
          ) : (
            // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            <pre className="answer" tabIndex={0}>
              {answer.text.slice(0, SHOWN)}
              {answer.text.length > SHOWN && `\n${t('more', { n: answer.text.length - SHOWN })}`}
            </pre>
          )}
        </>
      )}
    </Form>
  );
}
