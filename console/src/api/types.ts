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
  /** The face wears a mask; the threshold is that for masked faces. */
  masked: boolean;
  best: { identity_id: string; score: number };
  room: string;
  spot_pic_id: string;
  recognize_face_pic_id: string;
  reg_pic_id: string;
  /** Of a stranger who is remembered, all of these. */
  stranger_id?: number;
  seen_before?: boolean;
  seen_count?: number;
  /** ms */
  first_seen?: number;
  ext_data: {
    event_id: string;
    dev_sno: string;
    device_ip: string;
    ep_id: string;
    device_type: string;
    person_type: number;
    grab_fiqa_info: Record<string, unknown>;
    box_fiqa_info: Partial<FaceQuality> & { age?: number; sex?: number };
    liveness?: number;
    mask: number;
    reason: string;
    supersedes: string;
  };
}

/** One of GET /api/strangers; times in ms. */
export interface Stranger {
  stranger_id: number;
  /** Of a search by picture. */
  score?: number;
  seen_count: number;
  first_seen: number;
  last_seen: number;
  expires: number;
  events: number;
  /** The newest event that is still there, or ''. */
  event_id: string;
  device_id: string;
  spot_pic_id: string;
  recognize_face_pic_id: string;
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

/** What the box measured on a face. */
export interface QualityInfo {
  brightness: number;
  clarity: number;
  /** px, of the shorter side */
  face_size: number;
  feature: number;
  headpose: { pitch_angle: number; roll_angle: number; yaw_angle: number };
  mask: number;
  /** Whether left eye, right eye and mouth can be seen. */
  occlusion: [boolean, boolean, boolean];
  partial: boolean;
}

export type QualityItem = 'face_size' | 'headpose' | 'occlusion' | 'clarity' | 'mask' | 'partial' | 'brightness' | 'feature';
export type QualityLevel = 'high' | 'middle' | 'low' | 'custom' | 'no';

/** One face of the answer of POST /SophonFace/api/FIQA, largest first. */
export interface FaceQuality {
  bbox: [number, number, number, number];
  /** Items that hold, and that don't. */
  success: QualityItem[];
  fails: QualityItem[];
  fiqa_result: boolean;
  info: QualityInfo;
  score: number;
}

/** One of GET /api/people: what a list shows of a person. */
export interface PersonRow {
  identity_id: string;
  name: string;
  type: PersonType;
  /** '' without photo */
  image_id: string;
  faces: number;
  group_names: string[];
  permission_names: string[];
  card: string;
  department: string;
  /** ms */
  created: number;
  updated: number;
}

export interface PeopleAnswer {
  data: { people_list: PersonRow[]; pagination: Pagination };
}
