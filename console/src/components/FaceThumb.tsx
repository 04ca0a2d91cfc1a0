// A face or a scene, by what the box calls it. Loads when it comes into view; without a picture it shows a silhouette.
//
//   <FaceThumb imageId={person.info.image_id} name={person.info.name} />   an enrolled photo
//   <FaceThumb eventId={event._id} kind="face" name={event.identity_name} />   of an event: spot, face or reg
//   size: pixels; onClick makes it a button
import { UserOutlined } from '@ant-design/icons';
import { useState } from 'react';

import { withQuery } from '../api/client';

export type EventPicture = 'spot' | 'face' | 'reg';

interface FaceThumbProps {
  imageId?: string;
  eventId?: string;
  kind?: EventPicture;
  name: string;
  size?: number;
  onClick?: () => void;
}

export const photoUrl = (imageId: string) => `/SophonFace/api/images/${encodeURIComponent(imageId)}`;
export const eventPictureUrl = (eventId: string, kind: EventPicture) =>
  withQuery(`/SophonFace/api/event_images/${encodeURIComponent(eventId)}`, { kind });

export function FaceThumb({ imageId, eventId, kind = 'face', name, size = 56, onClick }: FaceThumbProps) {
  const url = imageId ? photoUrl(imageId) : eventId ? eventPictureUrl(eventId, kind) : '';
  const [failed, setFailed] = useState('');
  const picture =
    url && failed !== url ? (
      <img className="face-thumb" src={url} alt={name} width={size} height={size} loading="lazy" onError={() => setFailed(url)} />
    ) : (
      <span className="face-thumb face-thumb-none" role="img" aria-label={name} style={{ width: size, height: size, fontSize: size / 2 }}>
        <UserOutlined aria-hidden />
      </span>
    );
  return onClick ? (
    <button type="button" className="plain-button" onClick={onClick} aria-label={name}>
      {picture}
    </button>
  ) : (
    picture
  );
}
