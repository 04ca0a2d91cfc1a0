// The states of a page beside its contents. Where data may still be on its way:
//
//   <Await resource={people} empty={(data) => data.length === 0} whenEmpty={<EmptyState …/>}>{(data) => …}</Await>
//
//   <ErrorState error={error} onRetry={reload} />   what the box said, and a way on
//   <EmptyState title hint action />                nothing here yet, and what to do about it
//   <Loading />                                     rests for a moment, so that quick answers don't flicker
import { Alert, Button, Empty, Skeleton, Spin } from 'antd';
import { useEffect, useState, type ReactNode } from 'react';

import type { ApiError } from '../api/client';
import { texts, useTexts } from '../lib/texts';
import type { Resource } from '../lib/useResource';

const T = texts({
  failed: ['That did not work', '操作未成功'],
  unreachable: ['The box does not answer', '主机没有响应'],
  unreachableHint: ['It may be restarting, or the network is down. This page tries again by itself.', '主机可能正在重启，或网络中断。本页会自动重试。'],
  again: ['Try again', '重试'],
  loading: ['Loading', '加载中'],
});

export function ErrorState({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const t = useTexts(T);
  return (
    <Alert
      type={error.unreachable ? 'warning' : 'error'}
      showIcon
      role="alert"
      title={error.unreachable ? t('unreachable') : t('failed')}
      description={error.unreachable ? t('unreachableHint') : error.message}
      action={
        onRetry && (
          <Button size="small" onClick={onRetry}>
            {t('again')}
          </Button>
        )
      }
    />
  );
}

export function EmptyState({ title, hint, action }: { title: string; hint?: ReactNode; action?: ReactNode }) {
  return (
    <Empty
      className="empty-state"
      image={Empty.PRESENTED_IMAGE_SIMPLE}
      description={
        <>
          <strong>{title}</strong>
          {hint !== undefined && <p>{hint}</p>}
        </>
      }
    >
      {action}
    </Empty>
  );
}

export function Loading({ rows = 4 }: { rows?: number }) {
  const t = useTexts(T);
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setVisible(true), 250);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={t('loading')} className="loading">
      {visible && <Skeleton active paragraph={{ rows }} />}
    </div>
  );
}

interface AwaitProps<T> {
  resource: Resource<T>;
  children: (data: T) => ReactNode;
  empty?: (data: T) => boolean;
  whenEmpty?: ReactNode;
  rows?: number;
}

export function Await<T>({ resource, children, empty, whenEmpty, rows }: AwaitProps<T>) {
  const { data, error, loading, reload } = resource;
  if (data === undefined) return error ? <ErrorState error={error} onRetry={reload} /> : <Loading rows={rows} />;
  return (
    <>
      {error && <ErrorState error={error} onRetry={reload} />}
      <Spin spinning={loading} delay={400}>
        {empty?.(data) ? whenEmpty : children(data)}
      </Spin>
    </>
  );
}
