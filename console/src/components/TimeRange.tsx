// From when to when, with shortcuts; both ends in ms, or undefined for no bound:
//
//   <TimeRange value={{ from, to }} onChange={({ from, to }) => …} />
import { DatePicker, Space } from 'antd';
import dayjs from 'dayjs';

import { texts, useTexts } from '../lib/texts';

const T = texts({
  hour: ['Last hour', '最近 1 小时'],
  today: ['Today', '今天'],
  week: ['Last 7 days', '最近 7 天'],
  month: ['Last 30 days', '最近 30 天'],
  label: ['Time range', '时间范围'],
});

export interface Range {
  from?: number;
  to?: number;
}

export function TimeRange({ value, onChange }: { value: Range; onChange: (range: Range) => void }) {
  const t = useTexts(T);
  const now = dayjs();
  return (
    <Space.Compact>
      <DatePicker.RangePicker
        aria-label={t('label')}
        showTime={{ format: 'HH:mm' }}
        format="YYYY-MM-DD HH:mm"
        allowEmpty
        value={[value.from === undefined ? null : dayjs(value.from), value.to === undefined ? null : dayjs(value.to)]}
        presets={[
          { label: t('hour'), value: [now.subtract(1, 'hour'), now] },
          { label: t('today'), value: [now.startOf('day'), now.endOf('day')] },
          { label: t('week'), value: [now.subtract(7, 'day'), now] },
          { label: t('month'), value: [now.subtract(30, 'day'), now] },
        ]}
        onChange={(range) => onChange({ from: range?.[0]?.valueOf(), to: range?.[1]?.valueOf() })}
      />
    </Space.Compact>
  );
}
