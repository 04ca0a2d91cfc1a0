// Passes and strangers by hours, as bars of a hand-drawn chart; the table behind it is for screen readers.
import { useState } from 'react';

import '../../components/chart.css';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  passed: ['passed', '通过'],
  refused: ['not let in', '未放行'],
  title: ['Passes by hour', '每小时通行'],
  hour: ['Hour', '时段'],
});

export interface Hour {
  /** ms */
  start: number;
  passed: number;
  refused: number;
}

const WIDTH = 720;
const HEIGHT = 180;
const FOOT = 20;
const SIDE = 36;

/** A round number that is at least `value`, with three lines between. */
function niceTop(value: number): number {
  if (value <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((factor) => factor * power).find((top) => top >= value) ?? value;
}

export function HourChart({ hours }: { hours: Hour[] }) {
  const t = useTexts(T);
  const format = useFormat();
  const [pointed, setPointed] = useState<number>();
  const top = niceTop(Math.max(...hours.map(({ passed, refused }) => passed + refused), 0));
  const slot = (WIDTH - SIDE) / hours.length;
  const y = (value: number) => (HEIGHT - FOOT) * (1 - value / top) + 4;
  const hour = pointed === undefined ? undefined : hours[pointed];
  const word = (ms: number) => format.time(ms).slice(0, 5);
  return (
    <figure className="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 8}`} aria-hidden onMouseLeave={() => setPointed(undefined)}>
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line className="chart-line" x1={SIDE} x2={WIDTH} y1={y(top * share)} y2={y(top * share)} />
            <text className="chart-text" x={SIDE - 6} y={y(top * share) + 4} textAnchor="end">
              {Number.isInteger(top * share) ? format.number(top * share) : ''}
            </text>
          </g>
        ))}
        {hours.map(({ start, passed, refused }, index) => {
          const x = SIDE + index * slot;
          return (
            <g key={start} onMouseEnter={() => setPointed(index)}>
              <rect className="chart-hit" x={x} y={0} width={slot} height={HEIGHT} />
              <rect className="chart-passed" x={x + slot * 0.15} width={slot * 0.7} y={y(passed)} height={y(0) - y(passed)} />
              <rect className="chart-refused" x={x + slot * 0.15} width={slot * 0.7} y={y(passed + refused)} height={y(passed) - y(passed + refused)} />
              {index % 3 === 0 && (
                <text className="chart-text" x={x + slot / 2} y={HEIGHT + 4} textAnchor="middle">
                  {word(start)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <figcaption>
        <span className="chart-key chart-key-passed" /> {t('passed')} {hour && <strong>{format.number(hour.passed)}</strong>}
        <span className="chart-key chart-key-refused" /> {t('refused')} {hour && <strong>{format.number(hour.refused)}</strong>}
        {hour && (
          <span className="quiet">
            {word(hour.start)}–{word(hour.start + 3600000)}
          </span>
        )}
      </figcaption>
      <table className="for-readers">
        <caption>{t('title')}</caption>
        <thead>
          <tr>
            <th>{t('hour')}</th>
            <th>{t('passed')}</th>
            <th>{t('refused')}</th>
          </tr>
        </thead>
        <tbody>
          {hours.map(({ start, passed, refused }) => (
            <tr key={start}>
              <td>{word(start)}</td>
              <td>{passed}</td>
              <td>{refused}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
