// What the box answers, as far as the console reads it. Names are those of the wire.

export type Role = 'viewer' | 'operator' | 'admin';

export interface Session {
  set_up: boolean;
  mode: 'open' | 'closed';
  account: { name: string; role: Role } | null;
  box_name: string;
  version: string;
}

export interface Pagination {
  skip_num: number;
  limit: number;
  num_pages: number;
  total_count: number;
}

/** 1 employee, 2 visitor, 3 blacklist, 4 stranger, 5 VIP */
export type PersonType = 1 | 2 | 3 | 4 | 5;

export interface PersonInfo {
  name: string;
  type?: PersonType;
  image_id?: string;
  image_ids?: string[];
  face_ids?: string[];
  permission_ids?: string[];
  permission_names?: string[];
  [key: string]: unknown;
}

/** One of GET /SophonFogSys/api/users. */
export interface Person {
  identity_id: string;
  reg_photo: string;
  group_name: string[];
  info: PersonInfo;
}

export interface Label {
  name: string;
  description: string;
  [key: string]: unknown;
}

export type Verdict = 'known' | 'uncertain' | 'unknown';

/** One of GET /SophonFace/api/events, and of the stream's `event`. */
export interface BoxEvent {
  _id: string;
  identity_id: string;
  identity_name: string;
  group_name: string;
  /** ms */
  timestamp: number;
  score: number;
  recognition_score?: number;
  action: string;
  reason: string;
  verdict: Verdict;
  threshold: number;
  margin: number;
  best: { identity_id: string; score: number };
  room: string;
  spot_pic_id: string;
  recognize_face_pic_id: string;
  reg_pic_id: string;
  ext_data: {
    event_id: string;
    dev_sno: string;
    device_ip: string;
    ep_id: string;
    device_type: string;
    person_type: number;
    grab_fiqa_info: Record<string, unknown>;
    box_fiqa_info: Record<string, unknown>;
    liveness?: number;
    mask: number;
    reason: string;
    supersedes: string;
  };
}

/** "0" gate PAD, "1" capture camera (FTP), "2" and "3" network camera, "4" door PAD */
export type EndpointType = '0' | '1' | '2' | '3' | '4';

export interface NetRelay {
  ip?: string;
  net_port?: string | number;
  door_port?: string | number;
  delay_time?: string | number;
  relay_type?: 'modbus' | 'http' | 'tcp';
  channels?: number;
  alarm_port?: string | number;
  [key: string]: unknown;
}

/** One of GET /SophonDevice/api/Devices. */
export interface Device {
  device_id: string;
  device_name: string;
  device_key: string;
  device_type: string;
  ep_type: EndpointType;
  ep_id: string;
  device_ip: string;
  group_id: string;
  permission_id: string;
  direction: 0 | 1;
  threshold: number | 'auto';
  fiqa_level: string;
  liveness_mode: 'off' | 'rgb';
  roi_area: number[];
  min_face_size: number;
  dedup_seconds: number;
  is_monitor: boolean;
  memo: string;
  device_attr: Record<string, unknown>;
  netRelay: NetRelay | null;
  status: 'online' | 'offline';
  /** ms; 0: never */
  last_seen: number;
  frames: number;
  faces: number;
  drops: number;
  reconnects: number;
  ftp?: { host: string; port: number; user: string; password: string; directory: string };
  [key: string]: unknown;
}

export interface Job {
  job_id: string;
  type: string;
  state: string;
  created: number | null;
  started: number | null;
  ended: number | null;
  progress: { total: number; done: number; failed: number; ignored: number };
  can_retry: boolean;
  error: { code: number; message: string } | null;
}

/** The answer of POST /SophonFace/api/FIQA, one element a face. */
export interface FaceQuality {
  bbox: [number, number, number, number];
  success: boolean;
  fails: string[];
  fiqa_result?: unknown;
  info?: Record<string, unknown>;
  score: number;
}
