// One person: everything the box keeps of them, and their photos. Without `identityId` a new one.
import { Alert, App, Button, Collapse, Drawer, Form, Input, Radio, Select, Space } from 'antd';
import { useEffect, useState } from 'react';

import { api } from '../../api/client';
import type { Person, QualityLevel } from '../../api/types';
import { eventPictureUrl } from '../../components/FaceThumb';
import { LabelSelect } from '../../components/LabelSelect';
import { Await, ErrorState } from '../../components/States';
import { useAct } from '../../components/useAct';
import { randomId } from '../../lib/id';
import { useFormat } from '../../lib/format';
import { readPicture, releasePicture, toBase64, type Picture } from '../../lib/picture';
import { href } from '../../lib/router';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';
import { useSession } from '../../session';
import { EnrolledPhotos } from './EnrolledPhotos';
import { Lookalikes } from './Lookalikes';
import { Photos, type NewPhoto } from './Photos';
import { personTypes, useTypeName } from './types';

const T = texts({
  addTitle: ['New person', '新增人员'],
  id: ['Id', '编号'],
  idHint: ['Unique; can’t be changed later. Left empty, the box makes one.', '唯一，之后不可更改。留空则自动生成。'],
  name: ['Name', '姓名'],
  nameNeeded: ['A person needs a name', '请输入姓名'],
  type: ['Type', '类型'],
  groups: ['Groups', '分组'],
  permissions: ['Permission groups', '权限组'],
  permissionsHint: ['Where this person may pass. Without any: everywhere where everybody may.', '决定可通行的位置。未选择时为默认权限。'],
  more: ['More', '更多信息'],
  card: ['Card number', '卡号'],
  department: ['Department', '部门'],
  jobNumber: ['Job number', '工号'],
  title: ['Title', '职务'],
  mobile: ['Mobile', '手机'],
  email: ['E-mail', '邮箱'],
  startTime: ['Visit from', '来访开始'],
  endTime: ['Visit until', '来访结束'],
  Interviewee: ['Visits', '被访人'],
  comeFrom: ['Comes from', '来访单位'],
  message: ['Welcome message', '欢迎语'],
  descriptor: ['Remark', '备注'],
  photos: ['Photos', '照片'],
  level: ['How strictly photos are judged', '照片质量要求'],
  high: ['Strict', '严格'],
  middle: ['Normal', '普通'],
  low: ['Lax', '宽松'],
  replace: ['These photos', '新照片'],
  adds: ['are added', '追加'],
  replaces: ['take the place of all earlier ones', '替换全部旧照片'],
  save: ['Save', '保存'],
  cancel: ['Cancel', '取消'],
  saved: ['Saved', '已保存'],
  records: ['Records of this person', '通行记录'],
  noPhoto: ['Without a photo this person is known to the box but never recognised.', '没有照片的人员无法被识别。'],
  past: ['Was here {n} times as a stranger, since {since}', '曾作为陌生人到访 {n} 次，自 {since} 起'],
  partly: ['The person is saved. Photo {n} was refused: {reason}', '人员已保存。照片 {n} 被拒绝：{reason}'],
});

const extras = ['card', 'department', 'jobNumber', 'title', 'mobile', 'email', 'descriptor'] as const;
const visitorExtras = ['startTime', 'endTime', 'Interviewee', 'comeFrom', 'message'] as const;
/** Names in info.ext_info; the card's differs from ours. */
const wire = (key: string) => (key === 'card' ? 'visit_card_number' : key);

interface Values {
  identity_id?: string;
  name: string;
  type: number;
  groups: string[];
  permissions: string[];
  extra: Record<string, string | undefined>;
}

function valuesOf(person: Person | undefined): Values {
  const info = person?.info;
  const stored = (info?.ext_info ?? {}) as Record<string, unknown>;
  return {
    identity_id: person?.identity_id,
    name: info?.name ?? '',
    type: info?.type ?? 1,
    groups: person?.group_name ?? ['default_group'],
    permissions: (info?.permission_names ?? []).filter((name) => name !== '0'),
    extra: Object.fromEntries([...extras, ...visitorExtras].map((key) => [key, stored[wire(key)] === undefined ? undefined : String(stored[wire(key)])])),
  };
}

/** info as it is sent: what the form doesn't show stays. */
function infoOf(values: Values, person: Person | undefined): Record<string, unknown> {
  const stored = { ...((person?.info.ext_info ?? {}) as Record<string, unknown>) };
  for (const [key, value] of Object.entries(values.extra ?? {})) {
    if (value) stored[wire(key)] = value;
    else delete stored[wire(key)];
  }
  return {
    name: values.name.trim(),
    type: values.type,
    permission_ids: values.permissions.length > 0 ? values.permissions : ['0'],
    ext_info: stored,
  };
}

/** How often somebody was here before the box knew them. */
interface Past {
  seen_as_stranger?: { seen_count: number; first_seen: number }[];
}

/** The picture of an event's scene; its face where no scene is kept. */
async function pictureOf(eventId: string): Promise<Picture | undefined> {
  for (const kind of ['spot', 'face'] as const) {
    const answer = await fetch(eventPictureUrl(eventId, kind));
    if (answer.ok) return readPicture(await answer.blob(), `${eventId}.jpg`);
  }
  return undefined;
}

interface FormProps {
  person?: Person;
  /** An event whose picture is the first photo. */
  photoOf?: string;
  onDone: (changed: boolean) => void;
  /** Something has changed although nobody has saved yet. */
  onTouched: () => void;
}

function PersonForm({ person, photoOf, onDone, onTouched }: FormProps) {
  const t = useTexts(T);
  const typeName = useTypeName();
  const { may } = useSession();
  const [form] = Form.useForm<Values>();
  const format = useFormat();
  const { message } = App.useApp();
  const [photos, setPhotos] = useState<NewPhoto[]>([]);
  const [level, setLevel] = useState<QualityLevel>('high');
  const [replace, setReplace] = useState(false);
  const [partly, setPartly] = useState<string>();
  const type = Form.useWatch('type', form) ?? person?.info.type ?? 1;
  // Taking photos away needs no "Save".
  const [enrolled, setEnrolled] = useState(person?.info.face_ids?.length ?? 0);

  useEffect(
    () => () => {
      photos.forEach(({ picture }) => releasePicture(picture));
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps -- when the form goes, not when a photo comes
    [],
  );

  useEffect(() => {
    let left = false;
    if (photoOf)
      void pictureOf(photoOf).then((picture) => {
        if (left && picture) releasePicture(picture);
        else if (picture) setPhotos((before) => [{ key: picture.url, picture }, ...before]);
      });
    return () => {
      left = true;
    };
  }, [photoOf]);

  // The first photo goes with the person, all or nothing; each further one adds a face.
  const save = useAct(
    async (values: Values) => {
      const identityId = person?.identity_id ?? (values.identity_id?.trim() || randomId());
      const encoded = await Promise.all(photos.map(({ picture }) => toBase64(picture.blob)));
      const common = { identity_id: identityId, group_name: values.groups.join(','), fiqa_level: level };
      const info = infoOf(values, person);
      let sent = 0;
      if (person) {
        await api.put('/SophonFogSys/api/users', { ...common, info, reg_photo: replace ? (encoded[0] ?? '') : '' });
        sent = replace && encoded.length > 0 ? 1 : 0;
      } else {
        const { data } = await api.post<{ data: Past }>('/SophonFogSys/api/users', { ...common, info, need_reg_photo: false, need_bring_pic: encoded.length > 0, ...(encoded[0] ? { reg_photo: encoded[0] } : {}) });
        sent = Math.min(1, encoded.length);
        const [past] = data.seen_as_stranger ?? [];
        if (past) void message.info(t('past', { n: past.seen_count, since: format.dateTime(past.first_seen) }), 8);
      }
      for (; sent < encoded.length; sent++) {
        try {
          await api.post('/SophonFogSys/api/users', { ...common, info: {}, reg_photo: encoded[sent], ignore_exist: true, need_reg_photo: false });
        } catch (error) {
          setPartly(t('partly', { n: sent + 1, reason: error instanceof Error ? error.message : String(error) }));
          return false;
        }
      }
      return true;
    },
    undefined,
    { quiet: true },
  );

  const finish = async (values: Values) => {
    setPartly(undefined);
    if (await save.run(values)) onDone(true);
  };

  return (
    <Form form={form} layout="vertical" disabled={!may('operator')} initialValues={valuesOf(person)} onFinish={(values) => void finish({ ...valuesOf(person), ...values })}>
      <Form.Item label={t('photos')}>
        <Photos enrolled={enrolled} photos={photos} onPhotos={setPhotos} level={level}>
          {person && enrolled > 0 && (
            <EnrolledPhotos
              identityId={person.identity_id}
              onChanged={(count) => {
                setEnrolled(count);
                onTouched();
              }}
            />
          )}
        </Photos>
      </Form.Item>
      {enrolled > 0 && photos.length > 0 && (
        <Form.Item label={t('replace')}>
          <Radio.Group
            value={replace}
            onChange={(event) => setReplace(event.target.value as boolean)}
            options={[
              { value: false, label: t('adds') },
              { value: true, label: t('replaces') },
            ]}
          />
        </Form.Item>
      )}
      {photos[0] && <Lookalikes picture={photos[0].picture} except={person?.identity_id} />}
      {enrolled + photos.length === 0 && <p className="quiet">{t('noPhoto')}</p>}
      <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('nameNeeded') }]}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="identity_id" label={t('id')} extra={person ? undefined : t('idHint')}>
        <Input disabled={person !== undefined} maxLength={64} />
      </Form.Item>
      <Form.Item name="type" label={t('type')}>
        <Select options={personTypes.map((value) => ({ value, label: typeName(value) }))} />
      </Form.Item>
      <Form.Item name="groups" label={t('groups')}>
        <LabelSelect kind="groups" multiple />
      </Form.Item>
      <Form.Item name="permissions" label={t('permissions')} extra={t('permissionsHint')}>
        <LabelSelect kind="permissions" multiple />
      </Form.Item>
      {type === 2 &&
        visitorExtras.map((key) => (
          <Form.Item key={key} name={['extra', key]} label={t(key)}>
            <Input maxLength={200} placeholder={key.endsWith('Time') ? '2026-01-31 09:00:00' : undefined} />
          </Form.Item>
        ))}
      <Collapse
        ghost
        items={[
          {
            key: 'more',
            label: t('more'),
            forceRender: true,
            children: (
              <>
                {extras.map((key) => (
                  <Form.Item key={key} name={['extra', key]} label={t(key)}>
                    <Input maxLength={200} />
                  </Form.Item>
                ))}
                <Form.Item label={t('level')}>
                  <Radio.Group value={level} onChange={(event) => setLevel(event.target.value as QualityLevel)} options={(['high', 'middle', 'low'] as const).map((value) => ({ value, label: t(value) }))} />
                </Form.Item>
              </>
            ),
          },
        ]}
      />
      {save.error && <ErrorState error={save.error} />}
      {partly && <Alert type="warning" showIcon title={partly} />}
      <Space className="form-end">
        <Button type="primary" htmlType="submit" loading={save.busy}>
          {t('save')}
        </Button>
        <Button onClick={() => onDone(partly !== undefined)} disabled={false}>
          {t('cancel')}
        </Button>
        {person && <a href={href('/records', { identity_id: person.identity_id })}>{t('records')}</a>}
      </Space>
    </Form>
  );
}

function ExistingPerson({ identityId, onName, ...rest }: Omit<FormProps, 'person'> & { identityId: string; onName: (name: string) => void }) {
  const person = useResource(
    (signal) => api.get<{ data: { identities_list: Person[] } }>('/SophonFogSys/api/users', { identity_id: identityId, need_reg_photo: false }, signal),
    [identityId],
  );
  const name = person.data?.data.identities_list[0]?.info.name;
  useEffect(() => onName(name ?? ''), [name, onName]);
  return <Await resource={person}>{({ data }) => <PersonForm person={data.identities_list[0]} {...rest} />}</Await>;
}

interface Properties {
  open: boolean;
  /** Undefined: a new person. */
  identityId?: string;
  photoOf?: string;
  onClose: (changed: boolean) => void;
}

export function PersonEditor({ open, identityId, photoOf, onClose }: Properties) {
  const t = useTexts(T);
  const [name, setName] = useState('');
  // Each opening begins with a fresh form, also while the last one is still sliding away.
  const [opening, setOpening] = useState({ open, round: 0 });
  const [touched, setTouched] = useState(false);
  if (opening.open !== open) {
    setOpening({ open, round: opening.round + (open ? 1 : 0) });
    setTouched(false);
  }
  const close = (changed: boolean) => onClose(changed || touched);
  const common = { onDone: close, onTouched: () => setTouched(true) };
  return (
    <Drawer open={open} size={520} title={identityId === undefined ? t('addTitle') : name || identityId} onClose={() => close(false)} destroyOnHidden>
      {identityId === undefined ? (
        <PersonForm key={opening.round} photoOf={photoOf} {...common} />
      ) : (
        <ExistingPerson key={opening.round} {...common} identityId={identityId} onName={setName} />
      )}
    </Drawer>
  );
}
