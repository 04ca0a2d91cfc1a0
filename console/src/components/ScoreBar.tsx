// A similarity from 0 to 1 as a bar and a number, with the threshold as a mark when it is given:
//
//   <ScoreBar score={event.score} threshold={event.threshold} />
import { useFormat } from '../lib/format';
import { texts, useTexts } from '../lib/texts';

const T = texts({
  similarity: ['similarity {score}', '相似度 {score}'],
  against: ['similarity {score}, threshold {threshold}', '相似度 {score}，阈值 {threshold}'],
});

export function ScoreBar({ score, threshold }: { score: number; threshold?: number }) {
  const t = useTexts(T);
  const format = useFormat();
  const share = Math.min(Math.max(score, 0), 1);
  const passed = threshold === undefined || score >= threshold;
  const label =
    threshold === undefined
      ? t('similarity', { score: format.score(score) })
      : t('against', { score: format.score(score), threshold: format.score(threshold) });
  return (
    <span className="score-bar" role="img" aria-label={label} title={label}>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden>
        <rect className="score-bar-track" width="100" height="6" rx="3" />
        <rect className={passed ? 'score-bar-yes' : 'score-bar-no'} width={share * 100} height="6" rx="3" />
        {threshold !== undefined && <rect className="score-bar-mark" x={Math.min(threshold, 1) * 100 - 0.5} width="1" height="6" />}
      </svg>
      <span>{format.score(score)}</span>
    </span>
  );
}
