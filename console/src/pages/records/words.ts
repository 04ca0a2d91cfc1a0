// Words for what events say, shared by list and details.
import { texts } from '../../lib/texts';

export const eventTexts = texts({
  passed: ['passed', '通行'],
  stranger: ['stranger', '陌生人'],
  uncertain: ['uncertain', '不确定'],
  no_permission: ['no permission', '无权限'],
  blacklisted: ['blacklisted', '黑名单'],
  liveness: ['not live', '活体未通过'],
  low_quality: ['low quality', '质量不足'],
  unknown: ['unknown', '陌生人'],
  known: ['known', '已识别'],
  again: ['seen {n} ×', '第 {n} 次'],
});

/** What became of the door. */
export const doorTexts = texts({
  opendoor: ['opened', '开门'],
  closedoor: ['closed', '关门'],
  alarm: ['alarm', '报警'],
});
export const isDoorAction = (action: string): action is keyof typeof doorTexts => action in doorTexts;
export type EventWord = keyof typeof eventTexts;

export const reasons = ['passed', 'stranger', 'uncertain', 'no_permission', 'blacklisted', 'liveness', 'low_quality'] as const;

export const reasonColor = (reason: string) =>
  reason === 'passed' ? 'success' : reason === 'uncertain' || reason === 'low_quality' ? 'warning' : 'error';

export const isReason = (reason: string): reason is EventWord => reason in eventTexts;
