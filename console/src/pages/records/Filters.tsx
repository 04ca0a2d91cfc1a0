// What the list of records shows, kept in the address, so that a link shows the same.
import { ClearOutlined, DownloadOutlined, PictureOutlined } from '@ant-design/icons';
import { Button, Dropdown, Input, Select, Slider, Space } from 'antd';
import { useEffect, useState } from 'react';

import { api, withQuery } from '../../api/client';
import type { Device, Label } from '../../api/types';
import { TimeRange } from '../../components/TimeRange';
import { replaceQuery } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useResource, useSettled } from '../../lib/useResource';
import { useSession } from '../../session';
import { eventTexts, reasons } from './words';

const T = texts({
  name: ['Name', '姓名'],
  id: ['Id', '编号'],
  device: ['Camera or terminal', '摄像机或终端'],
  group: ['Group', '分组'],
  type: ['Type', '类型'],
  reason: ['Outcome', '结果'],
  score: ['Similarity', '相似度'],
  clear: ['Clear the filters', '清除筛选'],
  export: ['Export', '导出'],
  csv: ['Table (CSV)', '表格（CSV）'],
  zip: ['With pictures (ZIP)', '含图片（ZIP）'],
  byPicture: ['Search by picture', '以图搜图'],
  employee: ['Employee', '员工'],
  visitor: ['Visitor', '访客'],
  blacklist: ['Blacklist', '黑名单'],
  stranger: ['Stranger', '陌生人'],
  vip: ['VIP', '贵宾'],
  seen: ['Strangers', '陌生人记忆'],
  seenBefore: ['seen before', '来过'],
  number: ['stranger {id}', '陌生人 {id}'],
});
const R = eventTexts;

export interface Filter {
  from?: number;
  to?: number;
  name: string;
  identity_id: string;
  stream: string;
  group: string;
  type: string;
  reason: string;
  /** The number of one, or "again" for all who were here before. */
  stranger: string;
  low?: number;
  high?: number;
}

const numberOf = (text: string | null) => (text === null || text === '' || Number.isNaN(Number(text)) ? undefined : Number(text));

export function filterOf(query: URLSearchParams): Filter {
  const text = (name: string) => query.get(name) ?? '';
  return {
    from: numberOf(query.get('from')),
    to: numberOf(query.get('to')),
    name: text('name'),
    identity_id: text('identity_id'),
    stream: text('stream'),
    group: text('group'),
    type: text('type'),
    reason: text('reason'),
    stranger: text('stranger'),
    low: numberOf(query.get('low')),
    high: numberOf(query.get('high')),
  };
}

/** As the box wants it. */
export const filterQuery = (filter: Filter) => ({
  datetime_gte: filter.from === undefined ? undefined : filter.from / 1000,
  datetime_lte: filter.to === undefined ? undefined : filter.to / 1000,
  name: filter.name,
  identity_id: filter.identity_id,
  streams: filter.stream,
  groups: filter.group,
  userType: filter.type,
  reason: filter.reason,
  stranger: filter.stranger === 'again' ? undefined : filter.stranger,
  seen_before: filter.stranger === 'again' || undefined,
  score_min: filter.low,
  score_max: filter.high,
});

/** A text that is looked for once typing rests. */
function TextFilter({ name, value, label }: { name: 'name' | 'identity_id'; value: string; label: string }) {
  const [typed, setTyped] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    setShown(value);
    setTyped(value);
  }
  const settled = useSettled(typed.trim(), 400);
  useEffect(() => {
    if (settled !== value) replaceQuery({ [name]: settled, page: '', event: '' });
    // Only what is typed changes the address; the address changes what is typed above.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [settled, name]);
  return <Input className="filter-text" allowClear placeholder={label} aria-label={label} value={typed} onChange={(event) => setTyped(event.target.value)} />;
}

interface FiltersProps {
  filter: Filter;
  devices: Device[];
  onSearchByPicture: () => void;
}

export function Filters({ filter, devices, onSearchByPicture }: FiltersProps) {
  const t = useTexts(T);
  const r = useTexts(R);
  const { may } = useSession();
  const groups = useResource((signal) => api.get<{ data: { groups_list: Label[] } }>('/SophonFogSys/api/groups', { limit: 1000 }, signal), []);
  const set = (changes: Record<string, string | number | undefined>) => replaceQuery({ ...changes, page: '', event: '' });
  const types = [t('employee'), t('visitor'), t('blacklist'), t('stranger'), t('vip')];
  const any = Object.values(filter).some((value) => value !== undefined && value !== '');
  return (
    <div className="toolbar">
      <TimeRange value={filter} onChange={({ from, to }) => set({ from, to })} />
      <TextFilter name="name" value={filter.name} label={t('name')} />
      <TextFilter name="identity_id" value={filter.identity_id} label={t('id')} />
      <Select
        className="filter-choice"
        allowClear
        placeholder={t('device')}
        aria-label={t('device')}
        value={filter.stream || undefined}
        options={devices.map((device) => ({ value: device.ep_id, label: device.device_name || device.ep_id }))}
        onChange={(stream: string | undefined) => set({ stream })}
      />
      <Select
        className="filter-choice"
        allowClear
        placeholder={t('group')}
        aria-label={t('group')}
        value={filter.group || undefined}
        options={(groups.data?.data.groups_list ?? []).map(({ name }) => ({ value: name, label: name }))}
        onChange={(group: string | undefined) => set({ group })}
      />
      <Select
        className="filter-choice"
        allowClear
        placeholder={t('type')}
        aria-label={t('type')}
        value={filter.type || undefined}
        options={types.map((label, index) => ({ value: String(index + 1), label }))}
        onChange={(type: string | undefined) => set({ type })}
      />
      <Select
        className="filter-choice"
        allowClear
        placeholder={t('reason')}
        aria-label={t('reason')}
        value={filter.reason || undefined}
        options={reasons.map((reason) => ({ value: reason, label: r(reason) }))}
        onChange={(reason: string | undefined) => set({ reason })}
      />
      <Select
        className="filter-choice"
        allowClear
        placeholder={t('seen')}
        aria-label={t('seen')}
        value={filter.stranger || undefined}
        options={[
          { value: 'again', label: t('seenBefore') },
          ...(filter.stranger && filter.stranger !== 'again' ? [{ value: filter.stranger, label: t('number', { id: filter.stranger }) }] : []),
        ]}
        onChange={(stranger: string | undefined) => set({ stranger })}
      />
      <span className="filter-score">
        <span className="quiet">{t('score')}</span>
        <Slider
          key={`${filter.low}-${filter.high}`}
          range
          min={0}
          max={1}
          step={0.01}
          defaultValue={[filter.low ?? 0, filter.high ?? 1]}
          ariaLabelForHandle={[`${t('score')} ≥`, `${t('score')} ≤`]}
          onChangeComplete={([low, high]) => set({ low: low === 0 ? undefined : low, high: high === 1 ? undefined : high })}
        />
      </span>
      <Space className="toolbar-rest">
        {any && (
          <Button
            icon={<ClearOutlined />}
            aria-label={t('clear')}
            onClick={() => set(Object.fromEntries(Object.keys(filter).map((name) => [name, undefined])))}
          />
        )}
        <Button icon={<PictureOutlined />} onClick={onSearchByPicture}>
          {t('byPicture')}
        </Button>
        {may('operator') && (
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                { key: 'csv', label: <a href={withQuery('/api/events/export', { ...filterQuery(filter), format: 'csv' })}>{t('csv')}</a> },
                { key: 'zip', label: <a href={withQuery('/api/events/export', { ...filterQuery(filter), format: 'zip' })}>{t('zip')}</a> },
              ],
            }}
          >
            <Button icon={<DownloadOutlined />}>{t('export')}</Button>
          </Dropdown>
        )}
      </Space>
    </div>
  );
}
