// Passing records: the list on the left, the chosen one on the right; below on a phone.
import { Card, Pagination, Tag } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { BoxEvent, Device } from '../api/types';
import { FaceThumb } from '../components/FaceThumb';
import { Await, EmptyState } from '../components/States';
import { useFormat } from '../lib/format';
import { replaceQuery, useRoute } from '../lib/router';
import { texts, useTexts } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { Details } from './records/Details';
import { filterOf, filterQuery, Filters } from './records/Filters';
import { PictureSearch } from './records/PictureSearch';
import { eventTexts, isReason, reasonColor } from './records/words';

const T = texts({
  none: ['No records', '暂无记录'],
  noneHint: ['Nothing matches these filters.', '没有符合筛选条件的记录。'],
  choose: ['Choose a record to see its pictures', '选择一条记录查看图片'],
  show: ['Show the record of {name}', '查看 {name} 的记录'],
});

const PER_PAGE = 20;

interface Answer {
  data: BoxEvent[];
  pagination: { total_count: number };
}

export default function Records() {
  const t = useTexts(T);
  const r = useTexts(eventTexts);
  const format = useFormat();
  const { query } = useRoute();
  const filter = filterOf(query);
  const page = Math.max(1, Number(query.get('page') ?? '1') || 1);
  const [searching, setSearching] = useState(false);
  const [found, setFound] = useState<BoxEvent>();
  const devices = useResource((signal) => api.get<{ data: { devices_list: Device[] } }>('/SophonDevice/api/Devices', {}, signal), []);
  const events = useResource(
    (signal) => api.get<Answer>('/SophonFace/api/events', { ...filterQuery(filter), page: page - 1, per_page: PER_PAGE }, signal),
    [filter, page],
  );
  const known = devices.data?.data.devices_list ?? [];
  const chosen = found ?? events.data?.data.find(({ _id }) => _id === query.get('event'));
  const choose = (event: BoxEvent) => {
    setFound(undefined);
    replaceQuery({ event: event._id });
  };
  const nameOf = (event: BoxEvent) =>
    event.verdict === 'known' ? event.identity_name || event.identity_id : r(event.verdict === 'uncertain' ? 'uncertain' : 'unknown');
  return (
    <>
      <Filters filter={filter} devices={known} onSearchByPicture={() => setSearching(true)} />
      <div className="records">
        <Card className="records-list">
          <Await
            resource={events}
            empty={({ pagination }) => pagination.total_count === 0}
            whenEmpty={<EmptyState title={t('none')} hint={t('noneHint')} />}
          >
            {({ data, pagination }) => (
              <>
                <ul className="record-rows">
                  {data.map((event) => (
                    <li key={event._id}>
                      <button
                        type="button"
                        className={chosen?._id === event._id ? 'record-row record-row-chosen' : 'record-row'}
                        aria-label={t('show', { name: nameOf(event) })}
                        aria-pressed={chosen?._id === event._id}
                        onClick={() => choose(event)}
                      >
                        <FaceThumb eventId={event._id} kind="face" name="" size={44} />
                        <span className="record-words">
                          <strong>{nameOf(event)}</strong>
                          <span className="quiet">
                            {format.moment(event.timestamp)} · {known.find(({ ep_id }) => ep_id === event.ext_data.ep_id)?.device_name || event.ext_data.device_ip || event.group_name}
                          </span>
                        </span>
                        {event.seen_before && <Tag>{r('again', { n: event.seen_count ?? 0 })}</Tag>}
                        <Tag color={reasonColor(event.reason)}>{isReason(event.reason) ? r(event.reason) : event.reason}</Tag>
                      </button>
                    </li>
                  ))}
                </ul>
                <Pagination
                  size="small"
                  current={page}
                  pageSize={PER_PAGE}
                  total={pagination.total_count}
                  showSizeChanger={false}
                  hideOnSinglePage
                  onChange={(next) => replaceQuery({ page: String(next), event: '' })}
                />
              </>
            )}
          </Await>
        </Card>
        <Card className="records-details">
          {chosen ? (
            <Details
              key={chosen._id}
              event={chosen}
              devices={known}
              onDeleted={() => {
                setFound(undefined);
                replaceQuery({ event: '' });
                events.reload();
              }}
            />
          ) : (
            <EmptyState title={t('choose')} />
          )}
        </Card>
      </div>
      <PictureSearch
        open={searching}
        onClose={() => setSearching(false)}
        onChoose={(event) => {
          setFound(event);
          setSearching(false);
        }}
      />
    </>
  );
}
