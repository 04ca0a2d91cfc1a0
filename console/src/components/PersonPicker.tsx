// One person, found by name, id or card while typing:
//
//   <PersonPicker value={identityId} onChange={(identityId) => …} />
import { Select } from 'antd';
import { useState } from 'react';

import { api } from '../api/client';
import type { PeopleAnswer } from '../api/types';
import { texts, useTexts } from '../lib/texts';
import { useResource, useSettled } from '../lib/useResource';
import { FaceThumb } from './FaceThumb';

const T = texts({
  label: ['Person', '人员'],
  hint: ['Name, id or card', '姓名、编号或卡号'],
  none: ['Nobody found', '未找到'],
});

export function PersonPicker({ value, onChange }: { value?: string; onChange?: (identityId: string | undefined) => void }) {
  const t = useTexts(T);
  const [typed, setTyped] = useState('');
  const q = useSettled(typed.trim());
  const people = useResource((signal) => api.get<PeopleAnswer>('/api/people', { q, limit: 20 }, signal), [q]);
  const options = (people.data?.data.people_list ?? []).map((person) => ({
    value: person.identity_id,
    label: (
      <span className="person-option">
        <FaceThumb imageId={person.image_id} name="" size={28} /> {person.name} <span className="quiet">{person.identity_id}</span>
      </span>
    ),
  }));
  return (
    <Select
      aria-label={t('label')}
      className="person-picker"
      allowClear
      showSearch={{ filterOption: false, onSearch: setTyped }}
      placeholder={t('hint')}
      loading={people.loading}
      notFoundContent={t('none')}
      value={value}
      options={options}
      onChange={(next: string | undefined) => onChange?.(next)}
    />
  );
}
