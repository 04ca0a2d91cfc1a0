// What integrators were promised: every REST call with its fields, as the protocol's documents say, not as the code does. Kept by
// hand; a change here is a change of the wire format.
//
// A field is {kind, required, default, min, max, choices, aliases, minLength, maxLength}; what is left out was not promised.
// `required: undefined` means that it depends on other fields.
const text = (more) => ({ kind: 'text', required: false, ...more });
const bool = (value) => ({ kind: 'boolean', required: false, default: value });
const int = (more) => ({ kind: 'integer', required: false, ...more });
const number = (more) => ({ kind: 'number', required: false, ...more });
const choice = (choices, value) => ({ kind: 'choice', required: false, choices, default: value });
const picture = (more) => ({ kind: 'picture', required: undefined, ...more });
const texts = (more) => ({ kind: 'texts', required: false, ...more });
const numbers = () => ({ kind: 'numbers', required: false });
const objects = () => ({ kind: 'objects', required: false });
const dict = (more) => ({ kind: 'dict', required: false, ...more });
const any = () => ({ required: false });
const must = (field) => ({ ...field, required: true });

const fiqaLevels = ['high', 'middle', 'low', 'custom', 'no'];
const eventFilter = {
  datetime_gte: number(),
  datetime_lte: number(),
  name: text(),
  identity_id: text(),
  score_min: number(),
  score_max: number(),
  userType: int(),
  groups: texts(),
  streams: texts(),
  room: text(),
  stranger: int({ min: 1 }),
  seen_before: bool(false),
};

/** [method, path, encodings of the body (JSON, or JSON and both forms), fields] */
const json = ['json'];
const form = ['json', 'multipart', 'urlencoded'];
const none = [];

export const contract = [
  // Permission groups
  ['POST', '/SophonFogSys/api/permissions', form, { permission_name: must(text()), description: must(text()), info: dict() }],
  ['GET', '/SophonFogSys/api/permissions', none, { permission_name: text() }],
  ['PUT', '/SophonFogSys/api/permissions', form, { permission_name: must(text()), description: must(text()), info: dict() }],
  ['DELETE', '/SophonFogSys/api/permissions', form, { permission_name: must(text()), user_recursive_delete: bool(false) }],
  ['GET', '/SophonFace/api/permissions', none, { 'info.name': text(), exact: bool() }],

  // Groups
  ['POST', '/SophonFogSys/api/groups', form, { group_name: must(text()), description: must(text()), info: dict() }],
  ['GET', '/SophonFogSys/api/groups', none, { group_name: text(), skip_num: int({ default: 0 }), limit: int() }],
  ['PUT', '/SophonFogSys/api/groups', form, { group_name: must(text()), description: must(text()), info: dict() }],
  ['DELETE', '/SophonFogSys/api/groups', form, { group_name: must(text()), user_recursive_delete: bool(false) }],
  ['PUT', '/SophonFogSys/api/GroupUsers', form, { group_name: must(text()), identity_id: must(texts()), with_identity_id: bool(false) }],
  ['DELETE', '/SophonFogSys/api/GroupUsers', form, { group_name: must(text()), identity_id: must(texts()), with_identity_id: bool(false) }],
  ['GET', '/SophonFace/api/groups', none, { 'info.name': text(), exact: bool() }],

  // People
  [
    'POST',
    '/SophonFogSys/api/users',
    form,
    {
      identity_id: must(text({ minLength: 1, maxLength: 64 })),
      reg_photo: picture(),
      group_name: must(text()),
      ignore_exist: bool(false),
      create_no_exit_permission: bool(false),
      fiqa_level: choice(fiqaLevels, 'high'),
      support_single_face: bool(false),
      import_mode: bool(false),
      feature: numbers(),
      need_bring_pic: bool(true),
      need_reg_photo: bool(true),
      info: must(dict()),
    },
  ],
  [
    'GET',
    '/SophonFogSys/api/users',
    none,
    {
      identity_id: text(),
      identity_name: text(),
      group_name: text(),
      limit: int({ default: 10, min: 1, max: 1000 }),
      skip_num: int({ default: 0, min: 0 }),
      need_reg_photo: bool(true),
    },
  ],
  [
    'PUT',
    '/SophonFogSys/api/users',
    form,
    {
      identity_id: must(text()),
      reg_photo: picture(),
      fiqa_level: choice(fiqaLevels, 'high'),
      info: must(dict()),
      create_no_exit_permission: bool(false),
      group_name: text(),
    },
  ],
  ['DELETE', '/SophonFogSys/api/users', form, { identity_id: text(), identity_ids: texts() }],

  // Event feedback
  ['POST', '/SophonFogSys/api/GateControllerMode', form, { controller_mode: { kind: 'choice', choices: ['opendoor', 'alarm', 'avoid'] } }],
  ['GET', '/SophonFogSys/api/GateControllerMode', none, {}],
  ['PUT', '/SophonFogSys/api/EventAction', json, { action: must(objects()) }],

  // Where reports go
  [
    'POST',
    '/SophonFogSys/api/EventServerUrl',
    form,
    {
      event_server_url: must(texts()),
      'content-type': must(choice(['json', 'form-data'])),
      real_need_reg_pic: bool(true),
      real_need_spot_pic: bool(true),
      real_need_recognize_face: bool(true),
      real_need_send_all_person_type: bool(false),
    },
  ],
  ['GET', '/SophonFogSys/api/EventServerUrl', none, {}],
  [
    'POST',
    '/SophonFogSys/api/HistoryEventUrl',
    form,
    {
      history_upload_event_url: must(texts()),
      'content-type': must(choice(['json', 'form-data'])),
      reported_peroid: int({ default: 20, min: 1 }),
      history_need_reg_pic: bool(true),
      history_need_spot_pic: bool(true),
      history_need_recognize_face: bool(true),
      from: choice(['now', 'oldest'], 'now'),
    },
  ],
  ['GET', '/SophonFogSys/api/HistoryEventUrl', none, {}],
  [
    'POST',
    '/SophonFogSys/api/MonitorServerUrl',
    form,
    { monitor_server_url: must(text()), 'content-type': { kind: 'choice', choices: ['json'] }, reported_peroid: int({ min: 1 }) },
  ],
  ['GET', '/SophonFogSys/api/MonitorServerUrl', none, {}],

  // Wipe, platform
  ['POST', '/SophonFogSys/api/WipeData', json, { wipe_options: must(dict()) }],
  ['GET', '/SophonMQ/api/DevSno', none, {}],
  ['PUT', '/SophonMQ/api/DevSno', json, { dev_sno: must(text()) }],
  ['GET', '/SophonMQ/api/LoginUrl', none, {}],
  ['PUT', '/SophonMQ/api/LoginUrl', json, { login_url: must(text()) }],

  // Face services
  ['POST', '/SophonFace/api/FIQA', json, { image_base64_str: picture(), fiqa_level: choice(fiqaLevels) }],
  [
    'POST',
    '/SophonFace/api/detect',
    json,
    {
      image_base64_str: picture(),
      image_url: text(),
      with_feature: bool(),
      with_attribute: bool(),
      with_headpose: bool(),
      with_landmark: bool(),
      max_num_faces: int({ default: 10 }),
    },
  ],
  [
    'POST',
    '/SophonMatch/api/compare',
    json,
    {
      face_image_base64: picture({ aliases: ['image1_base64_str'] }),
      card_image_base64: picture({ aliases: ['image2_base64_str'] }),
      identity_id: text(),
      threshold: { kind: 'number|choice', choices: ['high', 'middle', 'low'], required: false },
      need_save: bool(),
    },
  ],
  [
    'POST',
    '/SophonMatch/api/PictureMatch',
    ['json', 'multipart'],
    {
      rgb_image_base64: picture({ aliases: ['image'] }),
      device_ip: text(),
      group_name: text(),
      permission_name: text(),
      liveness_mode: choice(['off', 'rgb', 'liveness_off', 'liveness_rgb']),
      ir_image_base64: any(),
      image_file_path: any(),
      grab_fiqa_info: dict(),
      compare_time: any(),
      min_face_size: any(),
      need_register_photo: any(),
      need_keep_info: any(),
      with_attribute: any(),
      support_stranger: any(),
    },
  ],
  [
    'POST',
    '/SophonMatch/api/picturesearch',
    json,
    {
      face_image_base64: picture(),
      starttime: any(),
      endtime: any(),
      threshold: any(),
      device_id_list: texts(),
      reverse: any(),
      last_end_timestamp: any(),
      limit: int({ max: 1000 }),
      sort: choice(['time', 'score'], 'time'),
    },
  ],
  ['GET', '/SophonFace/api/events', none, { page: int({ default: 0, min: 0 }), per_page: int({ default: 10, min: 1, max: 100 }), ...eventFilter }],
  ['DELETE', '/SophonFace/api/events', json, { event_id_list: texts(), confirm: bool(), ...eventFilter }],
  ['GET', '/SophonFace/api/event_images/{id}', none, { id: must(text()), kind: choice(['spot', 'face', 'reg']), datetime: any() }],
  ['DELETE', '/SophonFace/api/event_images', json, { image_id_list: must(texts()) }],
  ['GET', '/SophonFace/api/images/{image_id}', none, { image_id: must(text()) }],

  // Devices
  ['POST', '/SophonDevice/api/Devices', json, { devices_list: must(objects()) }],
  ['GET', '/SophonDevice/api/Devices', none, { device_id: text() }],
  ['PUT', '/SophonDevice/api/Devices', json, { devices_list: must(objects()), reset_ftp_password: bool() }],
  ['DELETE', '/SophonDevice/api/Devices', json, { devices_list: objects(), clear_all: bool() }],
  ['POST', '/api/devices/test', json, { device_key: must(text()) }],

  // Our own
  ['GET', '/healthz', none, {}],
  ['GET', '/readyz', none, {}],
  ['GET', '/metrics', none, {}],
  ['GET', '/openapi.json', none, {}],
  ['GET', '/api/settings', none, { key: text() }],
  [
    'GET',
    '/api/people',
    none,
    {
      q: text(),
      group_name: text(),
      permission_name: text(),
      type: int({ default: 0, min: 0, max: 5 }),
      skip_num: int({ default: 0, min: 0 }),
      limit: int({ default: 20, min: 1, max: 1000 }),
    },
  ],
  ['GET', '/api/people/{identity_id}/photos', none, { identity_id: must(text()) }],
  ['DELETE', '/api/people/{identity_id}/photos', form, { identity_id: must(text()), face_id: must(text()), allow_last: bool(false) }],
  ['PUT', '/api/people/{identity_id}/photos', form, { identity_id: must(text()), face_id: must(text()) }],
  ['POST', '/api/people/lookalikes', json, { image_base64_str: must(picture()) }],
  [
    'GET',
    '/api/logs',
    none,
    {
      level: choice(['debug', 'info', 'warn', 'error'], 'debug'),
      room: text(),
      text: text(),
      from: int({ min: 0 }),
      to: int({ min: 0 }),
      before: int({ min: 1 }),
      limit: int({ default: 200, min: 1, max: 2000 }),
    },
  ],
  [
    'GET',
    '/api/strangers',
    none,
    {
      seen_min: int({ default: 0, min: 0 }),
      datetime_gte: number(),
      datetime_lte: number(),
      skip_num: int({ default: 0, min: 0 }),
      limit: int({ default: 20, min: 1, max: 1000 }),
    },
  ],
  ['DELETE', '/api/strangers', json, { confirm: bool(false) }],
  ['GET', '/api/strangers/{id}', none, { id: must(text()) }],
  ['DELETE', '/api/strangers/{id}', none, { id: must(text()) }],
  [
    'POST',
    '/api/strangers/search',
    json,
    { image_base64_str: must(picture()), threshold: { kind: 'number|choice', choices: ['auto'], required: false }, limit: int({ default: 5, min: 1, max: 20 }) },
  ],
  ['POST', '/api/reports/test', form, { kind: must(choice(['realtime', 'history', 'monitor', 'outbox', 'devices'])), url: text() }],
  ['GET', '/api/network', none, {}],
  ['GET', '/api/overview', none, { from: int({ min: 0 }), to: int({ min: 0 }) }],
].map(([method, path, encodings, fields]) => ({ method, path, encodings, fields }));

/** Offered without one fixed list of fields: bodies of any keys, files, streams. */
export const alsoOffered = [
  ['PUT', '/api/settings'],
  ['GET', '/api/stream'],
  ['GET', '/api/logs/download'],
  ['GET', '/api/devices/{device_id}/frame'],
  ['GET', '/api/devices/{device_id}/tracks'],
  ['GET', '/api/devices/{device_id}/live'],
  ['POST', '/api/import'],
  ['GET', '/api/jobs/{id}'],
  ['GET', '/api/export'],
  ['POST', '/api/devices/{device_id}/pad_code'],
  ['DELETE', '/api/devices/{device_id}/terminals'],
  ['POST', '/api/pad/pair'],
  ['GET', '/api/events/export'],
  ['POST', '/api/backup'],
  ['GET', '/api/backup'],
  ['GET', '/api/backup/{backup_id}'],
  ['DELETE', '/api/backup'],
  ['POST', '/api/restore'],
  ['PUT', '/api/restore'],
];

/** {code: [status, HTTP]} of every failure that a REST answer may be. */
export const codes = {
  50072: ['SERVER_PROCESS_FAILED', 500],
  40091: ['PARAM_ERROR', 400],
  40491: ['NOT_FOUND', 404],
  41591: ['CONTENT_TYPE_ERROR', 415],
  40000: ['BAD_REQUEST', 400],
  40001: ['UNSUPPORT_CONTENT_TYPE', 415],
  40002: ['EMPTY_REQUEST_JSON', 400],
  40003: ['IMAGE_ERROR', 400],
  40004: ['NO_FACE', 400],
  40005: ['BOOLEAN_ARGUMENT_ERROR', 400],
  40006: ['LOW_QUALITY_ERROR', 400],
  40007: ['IMAGE_SIZE_TOO_LARGE_ERROR', 400],
  40008: ['EMPTY_GROUP_ERROR', 400],
  40009: ['ENROLL_FACE_SIZE_NOT_ENOUGH_ERROR', 400],
  40010: ['BAD_FEATURE_ERROR', 400],
  40011: ['IDENTITY_EXSIT_ERROR', 400],
  40012: ['GROUP_NAME_ERROR', 400],
  40013: ['GROUP_NOT_LOAD', 503],
  40014: ['STRANGER_NOT_DELETE', 400],
  40015: ['GROUP_LEN_ERROR', 400],
  40400: ['NOT_FOUND', 404],
  40401: ['ID_NOT_FOUND', 404],
  40500: ['METHOD_NOT_ALLOWED', 405],
  40100: ['UNAUTHORIZED', 401],
  40300: ['FORBIDDEN', 403],
  41300: ['PAYLOAD_TOO_LARGE', 413],
  42900: ['TOO_MANY_REQUESTS', 429],
  50100: ['NOT_IMPLEMENTED', 501],
};
