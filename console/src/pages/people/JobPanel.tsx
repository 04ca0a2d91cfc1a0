// Imports: what runs, what became of each file, another try for what failed. The box keeps jobs, so a reload, another
// browser or a restart loses nothing.
import { ReloadOutlined } from '@ant-design/icons';
import { Button, Drawer, Progress, Segmented, Space, Table, Tag } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import type { Job, Pagination } from '../../api/types';
import { Await, EmptyState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useStream } from '../../lib/useStream';
import { useSession } from '../../session';

const T = texts({
  title: ['Imports', '导入任务'],
  none: ['No import yet', '暂无导入任务'],
  noneHint: ['Imports of photo archives are listed here, with what became of each file.', '照片压缩包的导入任务及每个文件的结果会显示在这里。'],
  queued: ['waiting', '等待中'],
  running: ['running', '进行中'],
  done: ['done', '已完成'],
  failed: ['failed', '失败'],
  cancelled: ['cancelled', '已取消'],
  retry: ['Try the failed ones again', '重试失败项'],
  cancel: ['Cancel', '取消'],
  forget: ['Remove from the list', '从列表移除'],
  all: ['All', '全部'],
  onlyFailed: ['Failed', '失败'],
  file: ['File', '文件'],
  id: ['Id', '编号'],
  outcome: ['Outcome', '结果'],
  created: ['new', '新增'],
  updated: ['added to', '已更新'],
  unchanged: ['was there already', '无变化'],
  ignored: ['ignored', '已忽略'],
  ended: ['{total} files: {done} enrolled, {failed} failed', '共 {total} 个文件：成功 {done} 个，失败 {failed} 个'],
  progress: ['Progress of the import', '导入进度'],
});

interface Result {
  file: string;
  identity_id: string;
  outcome: string;
  code: number;
  message: string;
}

const PER_PAGE = 50;
export const jobIsUnderWay = (job: Job) => job.state === 'queued' || job.state === 'running';

/** The jobs of the box, brought up to date as they go on. */
export function useJobs() {
  const jobs = useResource((signal) => api.get<{ data: { jobs_list: Job[] } }>('/api/jobs', {}, signal), []);
  const [news, setNews] = useState<Record<string, Job>>({});
  useStream('job', (job) => {
    if (!jobs.data?.data.jobs_list.some(({ job_id }) => job_id === job.job_id)) jobs.reload();
    setNews((before) => ({ ...before, [job.job_id]: job }));
  });
  const list = (jobs.data?.data.jobs_list ?? []).map((job) => news[job.job_id] ?? job);
  return { list, resource: jobs, reload: jobs.reload };
}

export function JobProgress({ job }: { job: Job }) {
  const t = useTexts(T);
  const { total, done, failed } = job.progress;
  return (
    <Progress
      aria-label={t('progress')}
      percent={total > 0 ? Math.round(((done + failed) / total) * 100) : job.state === 'done' ? 100 : 0}
      status={job.state === 'failed' ? 'exception' : jobIsUnderWay(job) ? 'active' : 'normal'}
    />
  );
}

function Results({ job }: { job: Job }) {
  const t = useTexts(T);
  const [only, setOnly] = useState<'failed' | 'all'>(job.progress.failed > 0 ? 'failed' : 'all');
  const [page, setPage] = useState(1);
  const results = useResource(
    (signal) =>
      api.get<{ data: { results: Result[]; pagination: Pagination } }>(
        `/api/jobs/${encodeURIComponent(job.job_id)}`,
        { only: only === 'failed' ? 'failed' : undefined, limit: PER_PAGE, skip_num: (page - 1) * PER_PAGE },
        signal,
      ),
    [job.job_id, job.state, only, page],
  );
  const word = (outcome: string) =>
    outcome === 'created' || outcome === 'updated' || outcome === 'unchanged' || outcome === 'ignored' || outcome === 'failed' ? t(outcome) : outcome;
  return (
    <>
      <Segmented<'failed' | 'all'>
        value={only}
        onChange={(value) => {
          setOnly(value);
          setPage(1);
        }}
        options={[
          { value: 'failed', label: t('onlyFailed') },
          { value: 'all', label: t('all') },
        ]}
      />
      <Await resource={results}>
        {({ data }) => (
          <Table<Result>
            size="small"
            rowKey={(result) => `${result.file} ${result.identity_id}`}
            dataSource={data.results}
            pagination={{ current: page, pageSize: PER_PAGE, total: data.pagination.total_count, showSizeChanger: false, hideOnSinglePage: true, onChange: setPage }}
            columns={[
              { title: t('file'), dataIndex: 'file' },
              { title: t('id'), dataIndex: 'identity_id' },
              {
                title: t('outcome'),
                key: 'outcome',
                render: (_, result) => (result.outcome === 'failed' ? <span className="bad">{result.message}</span> : word(result.outcome)),
              },
            ]}
          />
        )}
      </Await>
    </>
  );
}

function JobRow({ job, onChanged }: { job: Job; onChanged: () => void }) {
  const t = useTexts(T);
  const format = useFormat();
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  const path = `/api/jobs/${encodeURIComponent(job.job_id)}`;
  const retry = useAct(() => api.post(`${path}/retry`).then(onChanged));
  const remove = useAct(() => api.delete(path).then(onChanged));
  const state = job.state as 'queued' | 'running' | 'done' | 'failed' | 'cancelled';
  return (
    <section className="job">
      <div className="toolbar">
        <strong>{format.dateTime(job.created ?? 0)}</strong>
        <Tag color={state === 'failed' ? 'error' : state === 'done' ? 'success' : 'default'}>{t(state)}</Tag>
        <Space className="toolbar-rest" wrap>
          {job.can_retry && may('operator') && (
            <Button size="small" icon={<ReloadOutlined />} loading={retry.busy} onClick={() => void retry.run()}>
              {t('retry')}
            </Button>
          )}
          {may('operator') && (
            <Button size="small" loading={remove.busy} onClick={() => void remove.run()}>
              {t(jobIsUnderWay(job) ? 'cancel' : 'forget')}
            </Button>
          )}
        </Space>
      </div>
      <JobProgress job={job} />
      <button type="button" className="plain-button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t('ended', { total: format.number(job.progress.total), done: format.number(job.progress.done), failed: format.number(job.progress.failed) })} {open ? '▴' : '▾'}
      </button>
      {job.error && <p className="bad">{job.error.message}</p>}
      {open && <Results job={job} />}
    </section>
  );
}

export function JobPanel({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts(T);
  const jobs = useJobs();
  return (
    <Drawer open={open} size={720} title={t('title')} onClose={onClose} destroyOnHidden>
      <Await resource={jobs.resource} empty={() => jobs.list.length === 0} whenEmpty={<EmptyState title={t('none')} hint={t('noneHint')} />}>
        {() => jobs.list.map((job) => <JobRow key={job.job_id} job={job} onChanged={jobs.reload} />)}
      </Await>
    </Drawer>
  );
}
