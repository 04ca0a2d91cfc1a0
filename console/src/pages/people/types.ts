// Words that several parts of the people pages share.
import type { PersonType } from '../../api/types';
import { texts, useTexts } from '../../lib/texts';

const names = texts({
  employee: ['Employee', '员工'],
  visitor: ['Visitor', '访客'],
  blacklist: ['Blacklist', '黑名单'],
  stranger: ['Stranger', '陌生人'],
  vip: ['VIP', '贵宾'],
});

const words = ['employee', 'visitor', 'blacklist', 'stranger', 'vip'] as const;

/** What a person's type is called. */
export function useTypeName(): (type: number) => string {
  const t = useTexts(names);
  return (type) => t(words[type - 1] ?? 'employee');
}

export const personTypes: PersonType[] = [1, 2, 3, 4, 5];

export const typeColors: Record<PersonType, string | undefined> = { 1: undefined, 2: 'blue', 3: 'red', 4: 'orange', 5: 'gold' };

/** Faces that count for one person. */
export const MOST_FACES = 5;
/** From so many on, another photo helps little. */
export const GOOD_FACES = 3;
