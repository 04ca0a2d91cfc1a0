// The photos of a person: those that count already, and new ones with their verdicts.
import { DeleteOutlined } from '@ant-design/icons';
import { Alert, Button, Space } from 'antd';
import type { ReactNode } from 'react';

import type { QualityLevel } from '../../api/types';
import { PictureInput } from '../../components/PictureInput';
import { FaceBoxes, QualityVerdict, useQuality } from '../../components/QualityVerdict';
import { releasePicture, type Picture } from '../../lib/picture';
import { texts, useTexts } from '../../lib/texts';
import { GOOD_FACES, MOST_FACES } from './types';

const T = texts({
  add: ['Add photos', '添加照片'],
  photo: ['Photo {n}', '照片 {n}'],
  remove: ['Leave photo {n} away', '不使用照片 {n}'],
  few: ['{n} of 5 photos. Three are much better than one: slightly different angles and light make recognition surer.', '已有 {n}/5 张照片。三张比一张好得多：略有不同的角度和光线使识别更可靠。'],
  enough: ['{n} of 5 photos: that is plenty.', '已有 {n}/5 张照片，已足够。'],
  over: ['Only the newest five count; the oldest ones give way.', '仅保留最新的五张，较早的将被替换。'],
});

export interface NewPhoto {
  key: string;
  picture: Picture;
}

function NewPhotoRow({ photo, index, level, onChange }: { photo: NewPhoto; index: number; level: QualityLevel; onChange: (picture: Picture | undefined) => void }) {
  const t = useTexts(T);
  const quality = useQuality(photo.picture, level);
  return (
    <div className="new-photo">
      <PictureInput value={photo.picture} onChange={onChange} label={t('photo', { n: index + 1 })}>
        <FaceBoxes picture={photo.picture} faces={quality.faces} />
      </PictureInput>
      <QualityVerdict quality={quality} />
      <Button size="small" type="text" icon={<DeleteOutlined />} aria-label={t('remove', { n: index + 1 })} onClick={() => onChange(undefined)} />
    </div>
  );
}

interface Properties {
  /** How many count already; `children` shows them. */
  enrolled: number;
  children?: ReactNode;
  photos: NewPhoto[];
  onPhotos: (photos: NewPhoto[]) => void;
  level: QualityLevel;
}

export function Photos({ enrolled, children, photos, onPhotos, level }: Properties) {
  const t = useTexts(T);
  const n = enrolled + photos.length;
  const add = (pictures: Picture[]) => onPhotos([...photos, ...pictures.map((picture) => ({ key: picture.url, picture }))].slice(0, MOST_FACES));
  const change = (index: number, picture: Picture | undefined) => {
    const before = photos[index];
    if (before && before.picture !== picture) releasePicture(before.picture);
    onPhotos(picture ? photos.map((photo, i) => (i === index ? { key: photo.key, picture } : photo)) : photos.filter((_, i) => i !== index));
  };
  return (
    <Space orientation="vertical" className="wide">
      {children}
      {photos.map((photo, index) => (
        <NewPhotoRow key={photo.key} photo={photo} index={index} level={level} onChange={(picture) => change(index, picture)} />
      ))}
      {photos.length < MOST_FACES && <PictureInput onMany={add} label={t('add')} />}
      {n > 0 && <Alert type={n < GOOD_FACES ? 'info' : 'success'} title={n > MOST_FACES ? t('over') : t(n < GOOD_FACES ? 'few' : 'enough', { n })} />}
    </Space>
  );
}
