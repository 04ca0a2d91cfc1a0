// Where a visitor puts a photo: drop it, choose a file, paste it, or use the camera; then cut it out if need be.
//
//   <PictureInput value={picture} onChange={setPicture} label={t('photo')} />
//   multiple: hands over several at once by onMany; crop: false leaves the button away
//
// The pictures it hands over are the caller's, who calls releasePicture() on what is no longer shown.
import { CameraOutlined, DeleteOutlined, InboxOutlined, ScissorOutlined } from '@ant-design/icons';
import { App, Button, Modal, Space } from 'antd';
import { useRef, useState, type ClipboardEvent, type DragEvent, type ReactNode } from 'react';

import { cropPicture, readPicture, type Box, type Picture } from '../lib/picture';
import { texts, useTexts } from '../lib/texts';
import { RectangleEditor } from './RectangleEditor';
import { WebcamDialog } from './Webcam';

const T = texts({
  drop: ['Drop a photo here, paste it, or', '将照片拖放或粘贴到此处，或'],
  choose: ['choose a file', '选择文件'],
  camera: ['Camera', '摄像头'],
  crop: ['Cut out', '裁剪'],
  remove: ['Remove the photo', '移除照片'],
  unreadable: ['{name} is no picture that can be read', '无法读取图片 {name}'],
  cropTitle: ['Cut out the face, with some room around it', '裁剪人脸，四周留出空间'],
  cropBox: ['Part that is kept', '保留区域'],
  ok: ['Use this part', '使用此区域'],
  cancel: ['Cancel', '取消'],
});

const SHOWN_HEIGHT = 340; // px, most

interface CropProps {
  picture: Picture;
  onClose: () => void;
  onPicture: (picture: Picture) => void;
}

function CropDialog({ picture, onClose, onPicture }: CropProps) {
  const t = useTexts(T);
  const side = Math.min(picture.width, picture.height) * 0.8;
  const [box, setBox] = useState<Box>([
    (picture.width - side) / 2,
    (picture.height - side) / 2,
    (picture.width + side) / 2,
    (picture.height + side) / 2,
  ]);
  const cut = async () => {
    onPicture(await cropPicture(picture, box));
    onClose();
  };
  return (
    <Modal open title={t('cropTitle')} okText={t('ok')} cancelText={t('cancel')} width={640} onOk={() => void cut()} onCancel={onClose}>
      <RectangleEditor src={picture.url} width={picture.width} height={picture.height} value={box} onChange={setBox} label={t('cropBox')} least={64} />
    </Modal>
  );
}

interface Properties {
  value?: Picture;
  onChange?: (picture: Picture | undefined) => void;
  /** Takes several at once, instead of onChange. */
  onMany?: (pictures: Picture[]) => void;
  label: string;
  crop?: boolean;
  /** Shown over the picture, e.g. boxes of faces. */
  children?: ReactNode;
}

export function PictureInput({ value, onChange, onMany, label, crop = true, children }: Properties) {
  const t = useTexts(T);
  const { message } = App.useApp();
  const file = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [camera, setCamera] = useState(false);
  const [cropping, setCropping] = useState(false);

  const take = (pictures: Picture[]) => {
    if (onMany) onMany(pictures);
    else if (pictures[0]) onChange?.(pictures[0]);
  };
  const read = async (files: Iterable<File>) => {
    const pictures: Picture[] = [];
    for (const each of onMany ? files : [...files].slice(0, 1)) {
      try {
        pictures.push(await readPicture(each));
      } catch {
        void message.error(t('unreadable', { name: each.name }));
      }
    }
    if (pictures.length > 0) take(pictures);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files);
  };
  const onPaste = (event: ClipboardEvent) => {
    if (event.clipboardData.files.length > 0) void read(event.clipboardData.files);
  };

  return (
    <div className="picture-input">
      {value ? (
        <figure className="picture-shown">
          <div className="picture-frame" style={{ aspectRatio: `${value.width} / ${value.height}`, width: `min(100%, ${Math.round((SHOWN_HEIGHT * value.width) / value.height)}px)` }}>
            <img src={value.url} alt={label} />
            {children}
          </div>
          <Space wrap>
            {crop && (
              <Button icon={<ScissorOutlined />} onClick={() => setCropping(true)}>
                {t('crop')}
              </Button>
            )}
            <Button icon={<DeleteOutlined />} aria-label={t('remove')} onClick={() => onChange?.(undefined)} />
          </Space>
        </figure>
      ) : (
        <div
          className={over ? 'drop drop-over' : 'drop'}
          role="group"
          aria-label={label}
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={onDrop}
          onPaste={onPaste}
        >
          <InboxOutlined className="drop-icon" aria-hidden />
          <span>{t('drop')}</span>
          <Space wrap>
            <Button onClick={() => file.current?.click()}>{t('choose')}</Button>
            <Button icon={<CameraOutlined />} onClick={() => setCamera(true)}>
              {t('camera')}
            </Button>
          </Space>
        </div>
      )}
      <input
        ref={file}
        type="file"
        accept="image/*"
        multiple={onMany !== undefined}
        className="file-input"
        aria-label={label}
        tabIndex={-1}
        onChange={(event) => {
          void read([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <WebcamDialog open={camera} onClose={() => setCamera(false)} onPicture={(picture) => take([picture])} />
      {cropping && value && <CropDialog picture={value} onClose={() => setCropping(false)} onPicture={(picture) => onChange?.(picture)} />}
    </div>
  );
}
