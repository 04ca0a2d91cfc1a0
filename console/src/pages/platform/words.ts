// The states of the link to the platform, and of its queues.
import { texts, useTexts } from '../../lib/texts';

const link = texts({
  off: ['not connected to any platform', '未接入平台'],
  logging_in: ['logging in', '登录中'],
  connecting: ['connecting to the broker', '正在连接消息服务器'],
  declaring: ['preparing the queues', '正在准备队列'],
  listening: ['connected', '已连接'],
  paused: ['connected, paused: the box is full', '已连接，暂停接收'],
  waiting: ['no connection, tries again', '未连接，等待重试'],
});
const queue = texts({
  closed: ['closed', '已关闭'],
  consuming: ['receives', '接收中'],
  paused: ['paused', '已暂停'],
});

/** A word for a state; one that is not known is shown as it came. */
export function useLinkState(): (state: string) => string {
  const t = useTexts(link);
  return (state) => (state in link ? t(state as keyof typeof link) : state);
}

export function useQueueState(): (state: string) => string {
  const t = useTexts(queue);
  return (state) => (state in queue ? t(state as keyof typeof queue) : state);
}
