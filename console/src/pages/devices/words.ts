// Words that several parts of the device pages share.
import type { EndpointType } from '../../api/types';
import { texts } from '../../lib/texts';

export const typeTexts = texts({
  gate: ['Gate terminal', '闸机终端'],
  ftp: ['Capture camera (FTP)', '抓拍摄像机（FTP）'],
  video: ['Video camera, one person at a time', '网络摄像机（单人）'],
  crowd: ['Video camera, several people', '网络摄像机（多人）'],
  door: ['Door terminal', '门禁终端'],
});
const keys = ['gate', 'ftp', 'video', 'crowd', 'door'] as const;

export const typeKey = (type: EndpointType) => keys[Number(type)] ?? 'gate';
export const isVideo = (type: EndpointType) => type === '2' || type === '3';
