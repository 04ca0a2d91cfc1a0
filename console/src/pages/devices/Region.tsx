// The part of the picture in which faces count, drawn on a picture of the camera.
import { Button, Space } from 'antd';
import { useState } from 'react';

import { RectangleEditor } from '../../components/RectangleEditor';
import type { Box } from '../../lib/picture';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  draw: ['Draw a region', '绘制区域'],
  clear: ['Whole picture', '全画面'],
  whole: ['Faces count in the whole picture.', '全画面内的人脸均有效。'],
  part: ['Only faces whose centre is inside count: {box}', '仅区域内的人脸有效：{box}'],
  label: ['Region in which faces count', '有效区域'],
  noPicture: ['There is no picture of this camera yet: test it, or wait for the first one.', '暂无该摄像机画面：请先测试，或等待首张图片。'],
});

interface Properties {
  /** [] for the whole picture; pixels of the full picture. */
  value?: number[];
  onChange?: (box: number[]) => void;
  /** Picture of the camera, of any size; undefined while there is none. */
  picture?: string;
}

export function Region({ value = [], onChange, picture }: Properties) {
  const t = useTexts(T);
  const [size, setSize] = useState<{ src: string; width: number; height: number }>();
  const shown = size && size.src === picture ? size : undefined;
  const box = value.length === 4 ? (value as Box) : undefined;
  return (
    <Space orientation="vertical" className="wide">
      <span className="quiet">{box ? t('part', { box: box.join(', ') }) : picture ? t('whole') : `${t('whole')} ${t('noPicture')}`}</span>
      {picture && !shown && <img className="region-picture" src={picture} alt="" onLoad={({ currentTarget: image }) => setSize({ src: picture, width: image.naturalWidth, height: image.naturalHeight })} />}
      {picture && shown && !box && <img className="region-picture" src={picture} alt="" />}
      {picture && shown && box && (
        <RectangleEditor src={picture} width={shown.width} height={shown.height} value={box} onChange={(next) => onChange?.(next.map(Math.round))} label={t('label')} least={32} />
      )}
      <Space>
        {!box && (
          <Button
            disabled={!shown}
            onClick={() => shown && onChange?.([shown.width * 0.2, shown.height * 0.2, shown.width * 0.8, shown.height * 0.8].map(Math.round))}
          >
            {t('draw')}
          </Button>
        )}
        {box && <Button onClick={() => onChange?.([])}>{t('clear')}</Button>}
      </Space>
    </Space>
  );
}
