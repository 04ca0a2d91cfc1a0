// Warns before somebody is enrolled who looks like a person the box knows already: "looks like Li Lei, 10086, 0.93".
import { Alert } from 'antd';

import { api } from '../../api/client';
import { FaceThumb } from '../../components/FaceThumb';
import { useFormat } from '../../lib/format';
import { toBase64, type Picture } from '../../lib/picture';
import { texts, useTexts } from '../../lib/texts';
import { useResource } from '../../lib/useResource';

const T = texts({
  like: ['Looks like {name}, {id}, {score}', '与 {name}（{id}）相似，{score}'],
  hint: ['If this is the same person, add the photo there instead.', '如为同一人，请将照片添加到该人员。'],
});

interface Lookalike {
  identity_id: string;
  name: string;
  image_id: string;
  score: number;
}

export function Lookalikes({ picture, except }: { picture: Picture; except?: string }) {
  const t = useTexts(T);
  const format = useFormat();
  const found = useResource(
    async (signal) => api.post<{ data: { people_list: Lookalike[] } }>('/api/people/lookalikes', { image_base64_str: await toBase64(picture.blob) }, signal),
    [picture.url],
  );
  const others = (found.data?.data.people_list ?? []).filter(({ identity_id }) => identity_id !== except);
  return others.map((person) => (
    <Alert
      key={person.identity_id}
      className="lookalike"
      type="warning"
      icon={<FaceThumb imageId={person.image_id} name={person.name} size={48} />}
      showIcon
      title={t('like', { name: person.name, id: person.identity_id, score: format.score(person.score) })}
      description={t('hint')}
    />
  ));
}
