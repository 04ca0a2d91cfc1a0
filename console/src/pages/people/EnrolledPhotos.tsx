// The photos that count for a person already: each can be taken away, or made the one that stands for the person. Both
// happen at once, without the form's "Save".
import { DeleteOutlined, StarFilled, StarOutlined } from '@ant-design/icons';
import { Button, Popconfirm, Space } from 'antd';
import { useState } from 'react';

import { api } from '../../api/client';
import { FaceThumb } from '../../components/FaceThumb';
import { Await } from '../../components/States';
import { useAct } from '../../components/useAct';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';

const T = texts({
  photo: ['Enrolled photo {n}', '已注册照片 {n}'],
  remove: ['Delete enrolled photo {n}', '删除已注册照片 {n}'],
  removeAsk: ['Delete this photo at once? The others stay.', '立即删除此照片？其他照片保留。'],
  removeLast: ['This is the only photo: without it this person is not recognised any more. Delete it at once?', '这是唯一的照片：删除后将无法识别此人。立即删除？'],
  removed: ['The photo is deleted', '照片已删除'],
  confirm: ['Delete', '删除'],
  cancel: ['Keep it', '保留'],
  prefer: ['Show photo {n} for this person', '用照片 {n} 代表此人'],
  preferred: ['Shown for this person from now on', '已设为此人的照片'],
  portrait: ['Photo {n} is shown for this person', '照片 {n} 代表此人'],
});

interface Photo {
  face_id: string;
  image_id: string;
  portrait: boolean;
}

type Answer = { data: { photos: Photo[] } };

interface ItemProperties {
  photo: Photo;
  n: number;
  only: boolean;
  path: string;
  onChanged: (photos: Photo[]) => void;
}

function Item({ photo, n, only, path, onChanged }: ItemProperties) {
  const t = useTexts(T);
  const { may } = useSession();
  const { face_id } = photo;
  const remove = useAct(async () => onChanged((await api.delete<Answer>(path, { face_id, allow_last: only })).data.photos), t('removed'));
  const prefer = useAct(async () => onChanged((await api.put<Answer>(path, { face_id })).data.photos), t('preferred'));
  return (
    <div className="enrolled-photo">
      <FaceThumb imageId={photo.image_id} name={t('photo', { n })} size={88} />
      {may('operator') && (
        <Space size={0}>
          {photo.portrait ? (
            <Button size="small" type="text" icon={<StarFilled />} disabled aria-label={t('portrait', { n })} title={t('portrait', { n })} />
          ) : (
            <Button size="small" type="text" icon={<StarOutlined />} loading={prefer.busy} aria-label={t('prefer', { n })} title={t('prefer', { n })} onClick={() => void prefer.run()} />
          )}
          <Popconfirm title={t(only ? 'removeLast' : 'removeAsk')} okText={t('confirm')} cancelText={t('cancel')} okButtonProps={{ danger: true }} onConfirm={() => remove.run()}>
            <Button size="small" type="text" danger icon={<DeleteOutlined />} loading={remove.busy} aria-label={t('remove', { n })} title={t('remove', { n })} />
          </Popconfirm>
        </Space>
      )}
    </div>
  );
}

interface Properties {
  identityId: string;
  /** After each change; how many there are now. */
  onChanged: (count: number) => void;
}

export function EnrolledPhotos({ identityId, onChanged }: Properties) {
  const path = `/api/people/${encodeURIComponent(identityId)}/photos`;
  const stored = useResource((signal) => api.get<Answer>(path, {}, signal), [path]);
  const [changed, setChanged] = useState<Photo[]>();
  return (
    <Await resource={stored} rows={1}>
      {({ data }) => {
        const photos = changed ?? data.photos;
        return (
          <Space wrap>
            {photos.map((photo, index) => (
              <Item
                key={photo.face_id}
                photo={photo}
                n={index + 1}
                only={photos.length === 1}
                path={path}
                onChanged={(next) => {
                  setChanged(next);
                  onChanged(next.length);
                }}
              />
            ))}
          </Space>
        );
      }}
    </Await>
  );
}
