// What the box thinks of a photo, in plain words, as soon as the photo is there.
//
//   const quality = useQuality(picture, 'high');
//   <PictureInput …><FaceBoxes picture={picture} faces={quality.faces} /></PictureInput>
//   <QualityVerdict quality={quality} />
//
// quality.passed: whether the largest face is good enough; undefined while that is not known.
import { CheckCircleFilled, CloseCircleFilled, WarningFilled } from '@ant-design/icons';
import { Spin } from 'antd';

import { api, type ApiError } from '../api/client';
import type { FaceQuality, QualityInfo, QualityItem, QualityLevel } from '../api/types';
import { toBase64, type Picture } from '../lib/picture';
import { texts, useTexts, type Translate } from '../lib/texts';
import { useResource } from '../lib/useResource';
import { ErrorState } from './States';

const T = texts({
  looking: ['The box looks at the photo', '主机正在检查照片'],
  good: ['A good photo', '照片合格'],
  bad: ['Not good enough', '照片不合格'],
  none: ['No face found', '未检测到人脸'],
  noneHint: ['The face should fill a good part of the photo and look into the camera.', '人脸应占照片的较大部分并正对镜头。'],
  several: ['{n} faces; the largest one counts', '检测到 {n} 张人脸，以最大的一张为准'],
  face_size: ['face too small: {value} px', '人脸过小：{value} 像素'],
  turned: ['face turned too far: {value}°', '人脸偏转过大：{value}°'],
  up: ['face looks up or down too far: {value}°', '抬头或低头过大：{value}°'],
  tilted: ['head tilted too far: {value}°', '头部倾斜过大：{value}°'],
  occlusion: ['not to be seen: {value}', '被遮挡：{value}'],
  leftEye: ['left eye', '左眼'],
  rightEye: ['right eye', '右眼'],
  mouth: ['mouth', '嘴部'],
  clarity: ['blurred: {value}', '图像模糊：{value}'],
  mask: ['the face wears a mask', '佩戴口罩'],
  partial: ['the face is cut off by the edge', '人脸被画面边缘截断'],
  brightness: ['badly lit: too dark, or too bright in parts', '光线不佳：过暗或局部过亮'],
  feature: ['hard to tell apart: turned away, covered or blurred', '特征不清晰：偏转、遮挡或模糊'],
});
type Key = keyof typeof T;

export interface Quality {
  faces: FaceQuality[];
  passed: boolean | undefined;
  loading: boolean;
  error: ApiError | undefined;
}

const NO_FACE = 40004;
/** A face counts as masked from this probability on. */
const MASKED = 0.5;

export function useQuality(picture: Picture | undefined, level: QualityLevel): Quality {
  const resource = useResource<FaceQuality[] | undefined>(
    async (signal) => {
      if (!picture) return undefined;
      const body = { image_base64_str: await toBase64(picture.blob), fiqa_level: level };
      return (await api.post<{ data: FaceQuality[] }>('/SophonFace/api/FIQA', body, signal)).data;
    },
    [picture?.url, level],
  );
  const noFace = resource.error?.code === NO_FACE;
  const fresh = picture !== undefined && !resource.loading;
  const faces = (fresh && !noFace && resource.data) || [];
  return {
    faces,
    passed: !fresh || (resource.error && !noFace) ? undefined : noFace ? false : faces[0]?.fiqa_result,
    loading: picture !== undefined && resource.loading,
    error: picture && !noFace ? resource.error : undefined,
  };
}

function pose(info: QualityInfo, t: Translate<Key>): string {
  const { pitch_angle: pitch, yaw_angle: yaw, roll_angle: roll } = info.headpose;
  const most = Math.max(Math.abs(pitch), Math.abs(yaw), Math.abs(roll));
  const value = Math.round(most);
  if (most === Math.abs(yaw)) return t('turned', { value });
  return most === Math.abs(pitch) ? t('up', { value }) : t('tilted', { value });
}

/** One item in words. */
function explain(item: QualityItem, info: QualityInfo, t: Translate<Key>): string {
  switch (item) {
    case 'face_size':
      return t('face_size', { value: Math.round(info.face_size) });
    case 'headpose':
      return pose(info, t);
    case 'occlusion': {
      const parts = (['leftEye', 'rightEye', 'mouth'] as const).filter((_, index) => !info.occlusion[index]);
      return t('occlusion', { value: parts.map((part) => t(part)).join(', ') });
    }
    case 'clarity':
      return t('clarity', { value: info.clarity.toFixed(2) });
    default:
      return t(item);
  }
}

export function useFailWords(): (face: Pick<FaceQuality, 'fails' | 'info'>) => string[] {
  const t = useTexts(T);
  return ({ fails, info }) => fails.map((item) => explain(item, info, t));
}

export function QualityVerdict({ quality }: { quality: Quality }) {
  const t = useTexts(T);
  const words = useFailWords();
  const { faces, passed, loading, error } = quality;
  const face = faces[0];
  return (
    <div className="verdict" role="status">
      {loading && (
        <>
          <Spin size="small" /> {t('looking')}
        </>
      )}
      {error && <ErrorState error={error} />}
      {passed === true && (
        <span className="good">
          <CheckCircleFilled aria-hidden /> {t('good')}
        </span>
      )}
      {passed === false && !face && (
        <>
          <span className="bad">
            <CloseCircleFilled aria-hidden /> {t('none')}
          </span>
          <div className="quiet">{t('noneHint')}</div>
        </>
      )}
      {passed === false && face && (
        <>
          <span className="bad">
            <CloseCircleFilled aria-hidden /> {t('bad')}
          </span>
          <ul>
            {words(face).map((word) => (
              <li key={word}>{word}</li>
            ))}
          </ul>
        </>
      )}
      {face && face.info.mask > MASKED && !face.fails.includes('mask') && (
        <div className="warn">
          <WarningFilled aria-hidden /> {t('mask')}
        </div>
      )}
      {faces.length > 1 && (
        <div className="warn">
          <WarningFilled aria-hidden /> {t('several', { n: faces.length })}
        </div>
      )}
    </div>
  );
}

/** Boxes around the faces of a picture, laid over it; the first one counts. */
export function FaceBoxes({ picture, faces }: { picture: { width: number; height: number }; faces: { bbox: readonly number[]; fiqa_result?: boolean }[] }) {
  return (
    <svg className="face-boxes" viewBox={`0 0 ${picture.width} ${picture.height}`} aria-hidden>
      {faces.map(({ bbox: [left = 0, top = 0, right = 0, bottom = 0], fiqa_result }, index) => (
        <rect
          key={index}
          className={index > 0 ? 'face-box-other' : fiqa_result === false ? 'face-box-bad' : 'face-box'}
          x={left}
          y={top}
          width={right - left}
          height={bottom - top}
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </svg>
  );
}
