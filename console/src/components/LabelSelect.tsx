// Groups or permission groups, to choose one or several of by name:
//
//   <LabelSelect kind="groups" value={name} onChange={setName} placeholder={t('group')} />
//   <LabelSelect kind="permissions" multiple value={names} onChange={setNames} />
import { Select } from 'antd';

import { api } from '../api/client';
import type { Label } from '../api/types';
import { useResource } from '../lib/useResource';

type Kind = 'groups' | 'permissions';
interface Lists {
  groups_list?: Label[];
  permissions_list?: Label[];
}

interface Common {
  kind: Kind;
  placeholder?: string;
  id?: string;
  disabled?: boolean;
  label?: string;
}
type Properties = Common &
  ({ multiple: true; value?: string[]; onChange?: (names: string[]) => void } | { multiple?: false; value?: string; onChange?: (name: string | undefined) => void });

export function useLabels(kind: Kind): string[] {
  const labels = useResource((signal) => api.get<{ data: Lists }>(`/SophonFogSys/api/${kind}`, {}, signal), [kind]);
  const { groups_list: groups, permissions_list: permissions } = labels.data?.data ?? {};
  return (groups ?? permissions ?? []).map(({ name }) => name);
}

export function LabelSelect({ kind, placeholder, id, disabled, label, multiple, value, onChange }: Properties) {
  const names = useLabels(kind);
  const options = names.map((name) => ({ value: name, label: name }));
  return multiple ? (
    <Select mode="multiple" id={id} aria-label={label} className="label-select" allowClear showSearch disabled={disabled} placeholder={placeholder} options={options} value={value} onChange={onChange} />
  ) : (
    <Select id={id} aria-label={label} className="label-select" allowClear showSearch disabled={disabled} placeholder={placeholder} options={options} value={value} onChange={onChange} />
  );
}
