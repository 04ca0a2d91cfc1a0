// Who in the history looks like a picture: strangers are found, too.
import { Alert, Modal, Slider, Space } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../../api/client';
import type { BoxEvent } from '../../api/types';
import { FaceThumb } from '../../components/FaceThumb';
import { PictureInput } from '../../components/PictureInput';
import { ScoreBar } from '../../components/ScoreBar';
import { EmptyState, ErrorState, Loading } from '../../components/States';
import { useFormat } from '../../lib/format';
import { releasePicture, toBase64, type Picture } from '../../lib/picture';
import { texts, useTexts } from '../../lib/texts';
import { useResource, useSettled } from '../../lib/useResource';

const T = texts({
  title: ['Search by picture', '以图搜图'],
  photo: ['Picture of a face', '人脸图片'],
  least: ['At least this similar', '最低相似度'],
  none: ['Nobody like this was seen', '没有相似的记录'],
  noneHint: ['Lower the similarity, or try a sharper picture.', '可降低相似度，或换一张更清晰的图片。'],
  found: ['{n} records, the most similar first', '{n} 条记录，按相似度排序'],
  stranger: ['stranger', '陌生人'],
});

const SHOWN = 60;

interface Props {
  open: boolean;
  onClose: () => void;
  onChoose: (event: BoxEvent) => void;
}

function Found({ picture, threshold, onChoose }: { picture: Picture; threshold: number; onChoose: (event: BoxEvent) => void }) {
  const t = useTexts(T);
  const format = useFormat();
  const search = useResource(
    async (signal) => {
      const body = { face_image_base64: await toBase64(picture.blob), threshold, limit: SHOWN, sort: 'score', reverse: true };
      return api.post<{ event_list: BoxEvent[]; total_count: number }>('/SophonMatch/api/picturesearch', body, signal);
    },
    [picture.url, threshold],
  );
  if (search.error) return <ErrorState error={search.error} onRetry={search.reload} />;
  if (!search.data) return <Loading rows={3} />;
  if (search.data.event_list.length === 0) return <EmptyState title={t('none')} hint={t('noneHint')} />;
  return (
    <>
      <Alert type="success" title={t('found', { n: search.data.total_count })} />
      <ul className="found-faces">
        {search.data.event_list.map((event) => {
          const name = event.verdict === 'known' ? event.identity_name || event.identity_id : t('stranger');
          return (
            <li key={event._id}>
              <FaceThumb eventId={event._id} kind="face" size={88} name={name} onClick={() => onChoose(event)} />
              <span>{name}</span>
              <span className="quiet">{format.moment(event.timestamp)}</span>
              <ScoreBar score={event.score} />
            </li>
          );
        })}
      </ul>
    </>
  );
}

export function PictureSearch({ open, onClose, onChoose }: Props) {
  const t = useTexts(T);
  const [picture, setPicture] = useState<Picture>();
  const [least, setLeast] = useState(0.45);
  const threshold = useSettled(least, 300);
  useEffect(() => () => picture && releasePicture(picture), [picture]);
  return (
    <Modal open={open} width={760} title={t('title')} footer={null} onCancel={onClose} destroyOnHidden>
      <Space orientation="vertical" className="wide">
        <PictureInput value={picture} onChange={setPicture} label={t('photo')} />
        <span>{t('least')}</span>
        <Slider min={0.2} max={0.9} step={0.01} value={least} onChange={setLeast} ariaLabelForHandle={t('least')} />
        {picture && <Found picture={picture} threshold={threshold} onChoose={onChoose} />}
      </Space>
    </Modal>
  );
}
