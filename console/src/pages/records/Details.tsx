// One record: the scene, the face beside the enrolled photo, and everything the box noted.
import { Button, Descriptions, Image, Popconfirm, Space, Tag } from 'antd';

import { api } from '../../api/client';
import type { BoxEvent, Device } from '../../api/types';
import { eventPictureUrl, FaceThumb } from '../../components/FaceThumb';
import { useFailWords } from '../../components/QualityVerdict';
import { ScoreBar } from '../../components/ScoreBar';
import { useAct } from '../../components/useAct';
import { useFormat } from '../../lib/format';
import { Go, navigate } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useSession } from '../../session';
import { doorTexts, eventTexts, isDoorAction, isReason, reasonColor } from './words';

const T = texts({
  scene: ['Picture of the scene', '现场图片'],
  face: ['Face', '抓拍人脸'],
  enrolled: ['Enrolled photo', '注册照片'],
  time: ['Time', '时间'],
  person: ['Person', '人员'],
  nearest: ['Nearest person', '最接近的人员'],
  device: ['Camera or terminal', '摄像机或终端'],
  group: ['Group', '分组'],
  outcome: ['Outcome', '结果'],
  similarity: ['Similarity', '相似度'],
  margin: ['Ahead of the next person', '领先第二名'],
  liveness: ['Live face', '活体概率'],
  mask: ['Mask', '口罩'],
  masked: ['The face wears a mask: a threshold of its own', '佩戴口罩：使用专用阈值'],
  door: ['Door', '门禁动作'],
  supersedes: ['Instead of', '替代事件'],
  quality: ['Quality', '质量'],
  age: ['Age and sex', '年龄与性别'],
  female: ['female', '女'],
  male: ['male', '男'],
  notThis: ['Not this person', '不是此人'],
  notThisAsk: ['This face will not be taken for {name} any more.', '此人脸将不再被识别为 {name}。'],
  notThisDone: ['Remembered', '已记住'],
  confirm: ['Confirm', '确认'],
  cancel: ['Cancel', '取消'],
  delete: ['Delete', '删除'],
  deleteAsk: ['Delete this record with its pictures?', '删除此记录及其图片？'],
  deleted: ['Deleted', '已删除'],
  id: ['Record', '记录编号'],
  stranger: ['Stranger', '陌生人'],
  firstTime: ['number {id}, here for the first time', '编号 {id}，首次出现'],
  again: ['number {id}, seen before: {n} times since {since}', '编号 {id}，自 {since} 起第 {n} 次出现'],
  enrol: ['Enrol this stranger', '注册此陌生人'],
});

interface DetailsProps {
  event: BoxEvent;
  devices: Device[];
  onDeleted: () => void;
}

function Actions({ event, onDeleted }: Omit<DetailsProps, 'devices'>) {
  const t = useTexts(T);
  const { may } = useSession();
  const reject = useAct(() => api.post(`/api/events/${event._id}/not_this_person`, {}), t('notThisDone'));
  const remove = useAct(async () => {
    await api.delete('/SophonFace/api/events', { event_id_list: [event._id] });
    onDeleted();
  }, t('deleted'));
  if (!may('operator')) return null;
  const nobody = event.verdict === 'unknown';
  const candidate = event.verdict === 'known' ? event.identity_name || event.identity_id : event.best.identity_id;
  return (
    <Space wrap>
      {nobody && <Button onClick={() => navigate('/people', { add: 1, event: event._id })}>{t('enrol')}</Button>}
      {candidate && (
        <Popconfirm title={t('notThisAsk', { name: candidate })} okText={t('confirm')} cancelText={t('cancel')} onConfirm={() => reject.run()}>
          <Button loading={reject.busy}>{t('notThis')}</Button>
        </Popconfirm>
      )}
      <Popconfirm title={t('deleteAsk')} okText={t('delete')} cancelText={t('cancel')} okButtonProps={{ danger: true }} onConfirm={() => remove.run()}>
        <Button danger loading={remove.busy}>
          {t('delete')}
        </Button>
      </Popconfirm>
    </Space>
  );
}

function ageAndSex(info: { age?: number; sex?: number }, words: { female: string; male: string }): string {
  const parts: string[] = [];
  if (info.age !== undefined && info.age > 0) parts.push(String(Math.round(info.age)));
  if (info.sex === 0) parts.push(words.male);
  if (info.sex === 1) parts.push(words.female);
  return parts.join(' · ');
}

export function Details({ event, devices, onDeleted }: DetailsProps) {
  const t = useTexts(T);
  const r = useTexts(eventTexts);
  const d = useTexts(doorTexts);
  const format = useFormat();
  const known = event.verdict === 'known';
  const device = devices.find(({ ep_id }) => ep_id === event.ext_data.ep_id);
  const failWords = useFailWords();
  const { fails, info, ...whoever } = event.ext_data.box_fiqa_info;
  const person = ageAndSex(whoever, { female: t('female'), male: t('male') });
  const faults = fails && info ? failWords({ fails, info }) : [];
  const items = [
    { key: 'time', label: t('time'), children: format.dateTime(event.timestamp) },
    {
      key: 'outcome',
      label: t('outcome'),
      children: <Tag color={reasonColor(event.reason)}>{isReason(event.reason) ? r(event.reason) : event.reason}</Tag>,
    },
    known
      ? { key: 'person', label: t('person'), children: <Go to={`/people/${encodeURIComponent(event.identity_id)}`}>{`${event.identity_name} (${event.identity_id})`}</Go> }
      : event.best.identity_id && {
          key: 'nearest',
          label: t('nearest'),
          children: (
            <>
              <Go to={`/people/${encodeURIComponent(event.best.identity_id)}`}>{event.best.identity_id}</Go> {format.score(event.best.score)}
            </>
          ),
        },
    { key: 'score', label: t('similarity'), children: <ScoreBar score={known ? event.score : event.best.score} threshold={event.threshold} /> },
    event.stranger_id !== undefined && {
      key: 'stranger',
      label: t('stranger'),
      children: (
        <Go to="/records" query={{ stranger: event.stranger_id }}>
          {event.seen_before
            ? t('again', { id: event.stranger_id, n: event.seen_count ?? 0, since: format.dateTime(event.first_seen ?? event.timestamp) })
            : t('firstTime', { id: event.stranger_id })}
        </Go>
      ),
    },
    known && { key: 'margin', label: t('margin'), children: format.score(event.margin) },
    (device ?? event.ext_data.ep_id) && { key: 'device', label: t('device'), children: device?.device_name || event.ext_data.ep_id },
    event.group_name && { key: 'group', label: t('group'), children: event.group_name },
    event.action && { key: 'door', label: t('door'), children: isDoorAction(event.action) ? d(event.action) : event.action },
    event.ext_data.liveness !== undefined && { key: 'liveness', label: t('liveness'), children: format.score(event.ext_data.liveness) },
    event.masked && { key: 'mask', label: t('mask'), children: t('masked') },
    faults.length > 0 && { key: 'quality', label: t('quality'), children: faults.join(' · ') },
    person && { key: 'age', label: t('age'), children: person },
    event.ext_data.supersedes && { key: 'supersedes', label: t('supersedes'), children: <code>{event.ext_data.supersedes}</code> },
    { key: 'id', label: t('id'), children: <code className="excerpt">{event._id}</code> },
  ].filter((item): item is Exclude<typeof item, false | '' | undefined | null> => Boolean(item));
  return (
    <article className="record">
      {event.spot_pic_id ? (
        <Image className="record-scene" src={eventPictureUrl(event._id, 'spot')} alt={t('scene')} />
      ) : null}
      <div className="record-faces">
        <figure>
          <FaceThumb eventId={event._id} kind="face" name={t('face')} size={112} />
          <figcaption className="quiet">{t('face')}</figcaption>
        </figure>
        {known && event.reg_pic_id && (
          <figure>
            <FaceThumb eventId={event._id} kind="reg" name={t('enrolled')} size={112} />
            <figcaption className="quiet">{t('enrolled')}</figcaption>
          </figure>
        )}
      </div>
      <Descriptions column={1} size="small" items={items} />
      <Actions event={event} onDeleted={onDeleted} />
    </article>
  );
}
