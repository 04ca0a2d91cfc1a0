// A photo from this computer's camera. Browsers allow it on the box's own computer and over HTTPS only, which is said
// where it is not possible.
//
//   <WebcamDialog open={open} onClose={…} onPicture={(picture) => …} />
import { Alert, Modal } from 'antd';
import { useEffect, useRef, useState } from 'react';

import { grabFrame, type Picture } from '../lib/picture';
import { texts, useTexts } from '../lib/texts';

const T = texts({
  title: ['Photo from this computer’s camera', '使用本机摄像头拍照'],
  take: ['Take the photo', '拍照'],
  cancel: ['Cancel', '取消'],
  hint: ['Look straight into the camera, with light from the front.', '请正对摄像头，光线从正面照射。'],
  insecure: ['A browser lets a page use the camera only over HTTPS, or on the box’s own computer. Open the console over HTTPS, or choose a file.',
    '浏览器仅允许在 HTTPS 或主机上使用摄像头。请通过 HTTPS 打开控制台，或选择照片文件。'],
  refused: ['The browser was not allowed to use the camera.', '浏览器未获准使用摄像头。'],
  none: ['There is no camera at this computer, or another program uses it.', '本机没有摄像头，或被其他程序占用。'],
});

export const webcamIsPossible = () => window.isSecureContext && navigator.mediaDevices !== undefined;

/** The camera's picture in a <video>, and why there is none. */
export function useWebcam(active: boolean) {
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<'starting' | 'running' | 'insecure' | 'refused' | 'none'>('starting');
  useEffect(() => {
    if (!active) return undefined;
    let stream: MediaStream | undefined;
    let left = false;
    const start = async () => {
      if (!webcamIsPossible()) return 'insecure' as const;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } } });
      } catch (error) {
        return error instanceof DOMException && error.name === 'NotAllowedError' ? ('refused' as const) : ('none' as const);
      }
      if (left) {
        stream.getTracks().forEach((track) => track.stop());
      } else if (video.current) {
        video.current.srcObject = stream;
        await video.current.play().catch(() => undefined);
      }
      return 'running' as const;
    };
    void start().then((next) => !left && setState(next));
    return () => {
      left = true;
      stream?.getTracks().forEach((track) => track.stop());
      setState('starting');
    };
  }, [active]);
  return { video, state };
}

function Camera({ onReady }: { onReady: (video: HTMLVideoElement | null) => void }) {
  const t = useTexts(T);
  const { video, state } = useWebcam(true);
  useEffect(() => {
    onReady(state === 'running' ? video.current : null);
  }, [onReady, state, video]);
  if (state === 'insecure' || state === 'refused' || state === 'none') return <Alert type="warning" showIcon title={t(state)} />;
  return (
    <>
      <video ref={video} className="webcam" muted playsInline aria-label={t('title')} />
      <p className="quiet">{t('hint')}</p>
    </>
  );
}

interface Properties {
  open: boolean;
  onClose: () => void;
  onPicture: (picture: Picture) => void;
}

export function WebcamDialog({ open, onClose, onPicture }: Properties) {
  const t = useTexts(T);
  const [video, setVideo] = useState<HTMLVideoElement | null>(null);
  const take = async () => {
    if (!video) return;
    onPicture(await grabFrame(video, 'camera.jpg'));
    onClose();
  };
  return (
    <Modal open={open} title={t('title')} okText={t('take')} cancelText={t('cancel')} okButtonProps={{ disabled: !video }} onOk={() => void take()} onCancel={onClose} destroyOnHidden>
      <Camera onReady={setVideo} />
    </Modal>
  );
}
