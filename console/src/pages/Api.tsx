// Every call that the box offers, from its own description (/openapi.json), to be tried at once with the visitor's own
// rights.
import { Alert, Card, Collapse, Input, Table, Tag } from 'antd';
import { lazy, Suspense, useState } from 'react';

import { api } from '../api/client';
import { Await, EmptyState, Loading } from '../components/States';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { groupsOf, type Operation, type Document, type Schema } from './api/document';

const TryIt = lazy(() => import('./api/TryIt'));

const T = texts({
  hint: ['What this console can do, programs can do, too: every call of the box, from /openapi.json.', '控制台能做的，程序也能做：主机的全部接口，来自 /openapi.json。'],
  search: ['Find a call', '查找接口'],
  none: ['No such call', '没有这样的接口'],
  field: ['Field', '字段'],
  type: ['Type', '类型'],
  meaning: ['Meaning', '含义'],
  required: ['required', '必填'],
  fallback: ['default {value}', '默认 {value}'],
});

const methodColors: Record<string, string> = { GET: 'blue', POST: 'green', PUT: 'orange', DELETE: 'red' };

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(String).join(' | ');
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return [...new Set(alternatives.map(typeOf))].join(' | ');
  const type = Array.isArray(schema.type) ? schema.type.join(' | ') : (schema.type ?? '');
  return type === 'array' && schema.items ? `${typeOf(schema.items)} []` : type;
}

function Fields({ operation }: { operation: Operation }) {
  const t = useTexts(T);
  if (operation.fields.length === 0) return null;
  return (
    <Table
      size="small"
      rowKey="name"
      pagination={false}
      scroll={{ x: 'max-content' }}
      dataSource={operation.fields}
      columns={[
        {
          title: t('field'),
          render: (_, field) => (
            <>
              <code>{field.name}</code> {field.required && <Tag color="error">{t('required')}</Tag>}
            </>
          ),
        },
        { title: t('type'), render: (_, field) => <code className="quiet">{typeOf(field.schema)}</code> },
        {
          title: t('meaning'),
          render: (_, { schema, description }) => (
            <span className="api-meaning">
              {description} {schema.default !== undefined && <span className="quiet">({t('fallback', { value: JSON.stringify(schema.default) })})</span>}
            </span>
          ),
        },
      ]}
    />
  );
}

function Call({ operation }: { operation: Operation }) {
  return (
    <div className="api-call">
      <Fields operation={operation} />
      <Suspense fallback={<Loading rows={1} />}>
        <TryIt operation={operation} />
      </Suspense>
    </div>
  );
}

export default function Api() {
  const t = useTexts(T);
  const [wanted, setWanted] = useState('');
  const document = useResource((signal) => api.get<Document>('/openapi.json', {}, signal), []);
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (operation: Operation) => {
    const text = `${operation.method} ${operation.path} ${operation.summary}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return (
    <>
      <Alert type="info" title={t('hint')} className="settings-note" />
      <Input.Search className="settings-search" allowClear placeholder={t('search')} aria-label={t('search')} value={wanted} onChange={(event) => setWanted(event.target.value)} />
      <Await resource={document}>
        {(data) => {
          const groups = groupsOf(data)
            .map(({ tag, operations }) => ({ tag, operations: operations.filter(matches) }))
            .filter(({ operations }) => operations.length > 0);
          if (groups.length === 0) return <EmptyState title={t('none')} />;
          return (
            <div className="settings-cards">
              {groups.map(({ tag, operations }) => (
                <Card key={tag} title={tag} size="small">
                  <Collapse
                    ghost
                    destroyOnHidden
                    items={operations.map((operation) => ({
                      key: `${operation.method} ${operation.path}`,
                      label: (
                        <span className="api-line">
                          <Tag color={methodColors[operation.method]}>{operation.method}</Tag> <code>{operation.path}</code>{' '}
                          <span className="quiet">{operation.summary}</span>
                        </span>
                      ),
                      children: <Call operation={operation} />,
                    }))}
                  />
                </Card>
              ))}
            </div>
          );
        }}
      </Await>
    </>
  );
}
