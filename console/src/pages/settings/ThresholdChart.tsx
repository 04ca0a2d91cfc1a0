// Where the scores of strangers and of the right people lie, and the threshold between them; hand-drawn. A threshold is
// about rare scores, so the height is the logarithm of the share. The sentences beside it say the same in words.
import '../../components/chart.css';
import { useFormat } from '../../lib/format';
import { texts, useTexts } from '../../lib/texts';

const T = texts({
  strangers: ['different people', '不同的人'],
  genuine: ['the same person', '同一个人'],
  now: ['threshold {score}', '阈值 {score}'],
  next: ['then {score}', '将为 {score}'],
  axis: ['similarity', '相似度'],
  logarithmic: ['share of comparisons, logarithmic', '比对占比（对数）'],
});

export interface Scores {
  from: number;
  to: number;
  /** Share of comparisons in each bin. */
  strangers: number[];
  genuine: number[];
}

const WIDTH = 720;
const HEIGHT = 200;
const FOOT = 20;
const SIDE = 44;
const LOWEST = -0.1;
const HIGHEST = 1;
const DECADES = 7; // from 1 down

const xOf = (score: number) => SIDE + ((score - LOWEST) / (HIGHEST - LOWEST)) * (WIDTH - SIDE);
const yOf = (share: number) => 4 + (HEIGHT - FOOT - 4) * Math.min(1, -Math.log10(Math.max(share, 10 ** -DECADES)) / DECADES);

/** The outline of the bins that can be seen, as steps. */
function outline({ from, to }: Scores, shares: number[]): string {
  const width = (to - from) / shares.length;
  const base = yOf(0);
  const steps = shares.flatMap((share, index) => {
    const score = from + index * width;
    return score + width <= LOWEST + width / 2 || score >= HIGHEST ? [] : [`L${xOf(score).toFixed(1)} ${yOf(share).toFixed(1)}H${xOf(score + width).toFixed(1)}`];
  });
  return `M${xOf(LOWEST)} ${base}${steps.join('')}V${base}Z`;
}

function Line({ score, name, text, row }: { score: number; name: string; text: string; row: number }) {
  const x = xOf(score);
  const left = x > WIDTH - 130;
  return (
    <g>
      <line className={name} x1={x} x2={x} y1={0} y2={HEIGHT - FOOT} />
      <text className="chart-text threshold-word" x={left ? x - 5 : x + 5} y={14 + 14 * row} textAnchor={left ? 'end' : 'start'}>
        {text}
      </text>
    </g>
  );
}

export function ThresholdChart({ scores, threshold, next }: { scores: Scores; threshold: number; next?: number }) {
  const t = useTexts(T);
  const format = useFormat();
  return (
    <figure className="chart threshold-chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 8}`} aria-hidden>
        {[0, 2, 4, 6].map((decade) => (
          <g key={decade}>
            <line className="chart-line" x1={SIDE} x2={WIDTH} y1={yOf(10 ** -decade)} y2={yOf(10 ** -decade)} />
            <text className="chart-text" x={SIDE - 6} y={yOf(10 ** -decade) + 4} textAnchor="end">
              {decade === 0 ? '1' : `10⁻${'⁰¹²³⁴⁵⁶'[decade]}`}
            </text>
          </g>
        ))}
        <path className="threshold-strangers" d={outline(scores, scores.strangers)} />
        <path className="threshold-genuine" d={outline(scores, scores.genuine)} />
        {[0, 0.2, 0.4, 0.6, 0.8, 1].map((score) => (
          <text key={score} className="chart-text" x={xOf(score)} y={HEIGHT + 4} textAnchor={score === 1 ? 'end' : 'middle'}>
            {format.score(score)}
          </text>
        ))}
        <Line score={threshold} name="threshold-now" text={t('now', { score: threshold.toFixed(3) })} row={0} />
        {next !== undefined && <Line score={next} name="threshold-next" text={t('next', { score: next.toFixed(3) })} row={1} />}
      </svg>
      <figcaption>
        <span className="chart-key threshold-key-strangers" /> {t('strangers')}
        <span className="chart-key threshold-key-genuine" /> {t('genuine')}
        <span className="quiet">
          {t('axis')} · {t('logarithmic')}
        </span>
      </figcaption>
    </figure>
  );
}
