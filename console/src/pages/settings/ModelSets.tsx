// Which model set the box recognises with, and the way to another one and back.
import { Alert, Button, Card, Modal, Popconfirm, Progress, Space, Table, Tag } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../../api/client';
import type { Pagination } from '../../api/types';
import { Await, ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';

const T = texts({
  title: ['Model set', '模型集'],
  hint: [
    'The networks that make embeddings of faces. Another set is prepared from the enrolled photos while recognition goes on, and then takes over from one decision to the next; the way back takes a moment.',
    '提取人脸特征的网络。新模型集在识别照常进行的同时根据注册照片准备，完成后立即接管；也可随时切换回来。',
  ],
  name: ['Set', '模型集'],
  shipped: ['Shipped with the box', '随设备提供'],
  active: ['in force', '使用中'],
  previous: ['before this one', '上一个'],
  unusable: ['can’t be used', '不可用'],
  idle: ['at rest', '空闲'],
  preparing: ['being prepared', '准备中'],
  paused: ['paused', '已暂停'],
  ready: ['ready', '已就绪'],
  switching: ['taking over', '切换中'],
  failed: ['failed', '失败'],
  people: ['People ready', '已就绪人数'],
  readyOf: ['{ready} of {total}', '{ready} / {total}'],
  progress: ['Progress of the preparation', '准备进度'],
  faces: ['{done} of {total} faces embedded; {lost} without a usable photo', '已处理 {done} / {total} 张人脸；{lost} 张没有可用照片'],
  prepare: ['Prepare', '准备'],
  goOn: ['Go on', '继续'],
  pause: ['Pause', '暂停'],
  stop: ['Cancel', '取消准备'],
  change: ['Take over …', '切换…'],
  back: ['Go back …', '切换回…'],
  drop: ['Drop features', '删除特征'],
  dropAsk: ['The way back to this set then needs a new preparation.', '删除后切换回该模型集需要重新准备。'],
  cancel: ['Cancel', '取消'],
  changeTitle: ['Recognise with “{name}”?', '使用“{name}”进行识别？'],
  changeHint: ['No decision is held up or lost. A fixed threshold stays as it is.', '切换不会中断或丢失任何识别。固定阈值保持不变。'],
  lost: ['{n} people will not be recognised any more', '{n} 人将无法被识别'],
  lostHint: ['They have no photo in which this set finds a face. Enrol a photo of them, or leave them out; going back brings them back.', '他们没有可供该模型集使用的照片。请补录照片，或暂时排除；切换回来即可恢复。'],
  more: ['and {n} more', '另外还有 {n} 人'],
  confirm: ['Take over', '切换'],
  confirmWithout: ['Take over without them', '排除他们并切换'],
  begun: ['The preparation has begun', '已开始准备'],
  changed: ['The other set takes over', '正在切换'],
  dropped: ['Features dropped', '特征已删除'],
});

type State = 'idle' | 'preparing' | 'paused' | 'ready' | 'switching' | 'failed';

interface Entry {
  name: string;
  model_set: string;
  usable: boolean;
  reason: string;
  features: number;
  people: { total: number; ready: number; missing: number };
}

interface Sets {
  active: string;
  wanted: string;
  previous: string;
  state: State;
  reason: string;
  progress: { total: number; done: number; without_photo: number; failed: number };
  sets_list: Entry[];
}

interface Missing {
  people_list: { identity_id: string; name: string; has_photo: boolean }[];
  pagination: Pagination;
}

const PATH = '/api/recognition/model_sets';
const pathOf = (name: string) => `${PATH}/${encodeURIComponent(name)}`;
const SHOWN = 20;
const WORK_MS = 1000;

function useTitle() {
  const t = useTexts(T);
  return (name: string) => (name === 'shipped' ? t('shipped') : name);
}

/** Who can't follow. */
function MissingPeople({ set }: { set: Entry }) {
  const t = useTexts(T);
  const format = useFormat();
  const missing = useResource((signal) => api.get<{ data: Missing }>(`${pathOf(set.name)}/missing`, { limit: SHOWN }, signal), [set.name]);
  return (
    <Await resource={missing} rows={2}>
      {({ data }) => (
        <Alert
          type="warning"
          showIcon
          title={t('lost', { n: format.number(data.pagination.total_count) })}
          description={
            <>
              <p>{t('lostHint')}</p>
              <ul>
                {data.people_list.map((person) => (
                  <li key={person.identity_id}>
                    {person.name} ({person.identity_id})
                  </li>
                ))}
              </ul>
              {data.pagination.total_count > SHOWN && <p>{t('more', { n: format.number(data.pagination.total_count - SHOWN) })}</p>}
            </>
          }
        />
      )}
    </Await>
  );
}

function ChangeDialog({ set, onDone, onClose }: { set: Entry; onDone: () => void; onClose: () => void }) {
  const t = useTexts(T);
  const title = useTitle();
  const isLossy = set.people.missing > 0;
  const change = useAct(
    async () => {
      await api.post(pathOf(set.name), { allow_missing: isLossy });
      onDone();
      onClose();
    },
    t('changed'),
    { quiet: true },
  );
  return (
    <Modal
      open
      title={t('changeTitle', { name: title(set.name) })}
      okText={t(isLossy ? 'confirmWithout' : 'confirm')}
      okButtonProps={{ danger: isLossy }}
      cancelText={t('cancel')}
      confirmLoading={change.busy}
      onOk={() => void change.run()}
      onCancel={onClose}
    >
      <Space orientation="vertical" className="wide">
        <p>{t('changeHint')}</p>
        {isLossy && <MissingPeople set={set} />}
        {change.error && <ErrorState error={change.error} />}
      </Space>
    </Modal>
  );
}

function Tags({ set, sets }: { set: Entry; sets: Sets }) {
  const t = useTexts(T);
  const colour = { failed: 'error', ready: 'success' }[sets.state as string] ?? 'processing';
  return (
    <>
      {set.name === sets.active && <Tag color="success">{t('active')}</Tag>}
      {set.name === sets.previous && <Tag>{t('previous')}</Tag>}
      {set.name === sets.wanted && <Tag color={colour}>{t(sets.state)}</Tag>}
      {!set.usable && <Tag color="error">{t('unusable')}</Tag>}
    </>
  );
}

function Actions({ set, sets, reload, onChange }: { set: Entry; sets: Sets; reload: () => void; onChange: () => void }) {
  const t = useTexts(T);
  const act = (verb: string) => () => api.post(`${pathOf(set.name)}/${verb}`).then(reload);
  const prepare = useAct(act('prepare'), t('begun'));
  const pause = useAct(act('pause'));
  const stop = useAct(act('cancel'));
  const drop = useAct(() => api.delete(pathOf(set.name)).then(reload), t('dropped'));
  if (set.name === sets.active || sets.state === 'switching') return null;
  const isWanted = set.name === sets.wanted;
  const isPrevious = set.name === sets.previous;
  const mayPrepare = isWanted ? sets.state === 'paused' || sets.state === 'failed' : !isPrevious && set.usable;
  return (
    <Space wrap>
      {mayPrepare && (
        <Button size="small" loading={prepare.busy} onClick={() => void prepare.run()}>
          {t(isWanted ? 'goOn' : 'prepare')}
        </Button>
      )}
      {isWanted && sets.state === 'preparing' && (
        <Button size="small" loading={pause.busy} onClick={() => void pause.run()}>
          {t('pause')}
        </Button>
      )}
      {((isWanted && sets.state === 'ready') || (isPrevious && !isWanted)) && (
        <Button size="small" type={isPrevious ? 'default' : 'primary'} onClick={onChange}>
          {t(isPrevious ? 'back' : 'change')}
        </Button>
      )}
      {isWanted && (
        <Button size="small" loading={stop.busy} onClick={() => void stop.run()}>
          {t('stop')}
        </Button>
      )}
      {!isWanted && set.features > 0 && (
        <Popconfirm title={t('dropAsk')} okText={t('drop')} cancelText={t('cancel')} onConfirm={() => drop.run()}>
          <Button size="small" danger loading={drop.busy}>
            {t('drop')}
          </Button>
        </Popconfirm>
      )}
    </Space>
  );
}

function Preparation({ sets }: { sets: Sets }) {
  const t = useTexts(T);
  const format = useFormat();
  const { total, done, without_photo, failed } = sets.progress;
  if (sets.wanted === '' || sets.state === 'failed') return null;
  const lost = without_photo + failed;
  const looked = Math.min(done + lost, total);
  return (
    <div>
      <Progress
        aria-label={t('progress')}
        percent={total > 0 ? Math.floor((looked / total) * 100) : sets.state === 'ready' ? 100 : 0}
        status={sets.state === 'preparing' ? 'active' : 'normal'}
      />
      <p className="quiet">{t('faces', { done: format.number(done), total: format.number(total), lost: format.number(lost) })}</p>
    </div>
  );
}

function Overview({ sets, reload }: { sets: Sets; reload: () => void }) {
  const t = useTexts(T);
  const format = useFormat();
  const title = useTitle();
  const { may } = useSession();
  const [changing, setChanging] = useState<string>();
  const target = sets.sets_list.find(({ name }) => name === changing);
  return (
    <Space orientation="vertical" className="wide">
      <Table<Entry>
        size="small"
        rowKey="name"
        pagination={false}
        scroll={{ x: 'max-content' }}
        dataSource={sets.sets_list}
        columns={[
          {
            title: t('name'),
            key: 'name',
            render: (_, set) => (
              <>
                <strong>{title(set.name)}</strong> <Tags set={set} sets={sets} />
                <div className={set.usable ? 'quiet' : 'bad'}>{set.usable ? set.model_set : set.reason}</div>
              </>
            ),
          },
          {
            title: t('people'),
            key: 'people',
            render: (_, set) => set.usable && t('readyOf', { ready: format.number(set.people.ready), total: format.number(set.people.total) }),
          },
          ...(may('admin') ? [{ title: '', key: 'do', render: (_: unknown, set: Entry) => <Actions set={set} sets={sets} reload={reload} onChange={() => setChanging(set.name)} /> }] : []),
        ]}
      />
      <Preparation sets={sets} />
      {sets.reason !== '' && <Alert type="warning" showIcon title={sets.reason} />}
      {target && <ChangeDialog set={target} onDone={reload} onClose={() => setChanging(undefined)} />}
    </Space>
  );
}

/** The sets of the box, asked for again while something goes on. */
function useSets() {
  const sets = useResource((signal) => api.get<{ data: Sets }>(PATH, {}, signal), []);
  const state = sets.data?.data.state;
  const { loading, reload } = sets;
  useEffect(() => {
    if (loading || (state !== 'preparing' && state !== 'switching')) return undefined;
    const timer = window.setTimeout(reload, WORK_MS);
    return () => window.clearTimeout(timer);
  }, [loading, state, reload]);
  return sets;
}

export default function ModelSets() {
  const t = useTexts(T);
  const sets = useSets();
  return (
    <Card title={t('title')}>
      <p className="quiet">{t('hint')}</p>
      <Await resource={{ ...sets, loading: false }}>{({ data }) => <Overview sets={data} reload={sets.reload} />}</Await>
    </Card>
  );
}
