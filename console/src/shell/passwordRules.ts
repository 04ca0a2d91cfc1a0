import type { Rule } from 'antd/es/form';

/** What the box asks of a password. */
export const passwordRules = (message: string): Rule[] => [
  { required: true, message },
  { validator: (_, value: string) => ([...(value ?? '')].length >= 12 ? Promise.resolve() : Promise.reject(new Error(message))) },
];
