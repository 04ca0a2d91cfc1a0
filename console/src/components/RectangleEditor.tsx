// A rectangle on a picture, moved and sized with mouse, finger or keyboard. For cutting out a face, and for the region of
// interest of a camera.
//
//   <RectangleEditor src={picture.url} width={…} height={…} value={box} onChange={setBox} label="…" />
//
// width, height: of the picture, which `value` counts in. Keyboard: arrows move, Shift and arrows size; with Alt in single
// pixels. `least`: smallest side, in pixels of the picture.
import { useCallback, useRef, type KeyboardEvent, type PointerEvent } from 'react';

import type { Box } from '../lib/picture';
import { texts, useTexts } from '../lib/texts';

const T = texts({
  keys: ['{label}. Arrow keys move it, Shift and arrow keys size it.', '{label}。方向键移动，Shift 加方向键调整大小。'],
});

interface Properties {
  src: string;
  width: number;
  height: number;
  value: Box;
  onChange: (box: Box) => void;
  label: string;
  least?: number;
}

/** Which sides a handle moves: left, top, right, bottom. */
type Sides = readonly [boolean, boolean, boolean, boolean];

const handles: { name: string; x: number; y: number; sides: Sides }[] = [
  { name: 'nw', x: 0, y: 0, sides: [true, true, false, false] },
  { name: 'n', x: 0.5, y: 0, sides: [false, true, false, false] },
  { name: 'ne', x: 1, y: 0, sides: [false, true, true, false] },
  { name: 'e', x: 1, y: 0.5, sides: [false, false, true, false] },
  { name: 'se', x: 1, y: 1, sides: [false, false, true, true] },
  { name: 's', x: 0.5, y: 1, sides: [false, false, false, true] },
  { name: 'sw', x: 0, y: 1, sides: [true, false, false, true] },
  { name: 'w', x: 0, y: 0.5, sides: [true, false, false, false] },
];
const whole: Sides = [true, true, true, true];

const within = (value: number, low: number, high: number) => Math.min(Math.max(value, low), Math.max(low, high));

/** `box` with some sides moved, inside the picture and no smaller than `least`. */
function moved(box: Box, sides: Sides, dx: number, dy: number, width: number, height: number, least: number): Box {
  const [left, top, right, bottom] = box;
  if (sides === whole) {
    const x = within(left + dx, 0, width - (right - left));
    const y = within(top + dy, 0, height - (bottom - top));
    return [x, y, x + right - left, y + bottom - top];
  }
  return [
    sides[0] ? within(left + dx, 0, right - least) : left,
    sides[1] ? within(top + dy, 0, bottom - least) : top,
    sides[2] ? within(right + dx, left + least, width) : right,
    sides[3] ? within(bottom + dy, top + least, height) : bottom,
  ];
}

export function RectangleEditor({ src, width, height, value, onChange, label, least = 16 }: Properties) {
  const t = useTexts(T);
  const frame = useRef<HTMLDivElement>(null);
  const drag = useRef<{ x: number; y: number; sides: Sides; box: Box }>();

  const grip = useCallback(
    (sides: Sides) => ({
      onPointerDown: (event: PointerEvent) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        drag.current = { x: event.clientX, y: event.clientY, sides, box: value };
      },
      onPointerMove: (event: PointerEvent) => {
        const from = drag.current;
        const shown = frame.current?.getBoundingClientRect().width;
        if (!from || !shown) return;
        const scale = width / shown;
        onChange(moved(from.box, from.sides, (event.clientX - from.x) * scale, (event.clientY - from.y) * scale, width, height, least));
      },
      onPointerUp: () => {
        drag.current = undefined;
      },
      onPointerCancel: () => {
        drag.current = undefined;
      },
    }),
    [height, least, onChange, value, width],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.altKey ? 1 : Math.max(1, Math.round(width / 100));
    const dx = event.key === 'ArrowLeft' ? -step : event.key === 'ArrowRight' ? step : 0;
    const dy = event.key === 'ArrowUp' ? -step : event.key === 'ArrowDown' ? step : 0;
    if (dx === 0 && dy === 0) return;
    event.preventDefault();
    onChange(moved(value, event.shiftKey ? [false, false, true, true] : whole, dx, dy, width, height, least));
  };

  const [left, top, right, bottom] = value;
  const place = {
    left: `${(left / width) * 100}%`,
    top: `${(top / height) * 100}%`,
    width: `${((right - left) / width) * 100}%`,
    height: `${((bottom - top) / height) * 100}%`,
  };
  const coordinates = value.map(Math.round).join(', ');
  return (
    <div className="rectangle-editor" ref={frame} style={{ aspectRatio: `${width} / ${height}` }}>
      <img src={src} alt="" draggable={false} />
      <div
        className="rectangle"
        role="slider"
        tabIndex={0}
        aria-label={t('keys', { label })}
        aria-valuetext={coordinates}
        aria-valuenow={Math.round(left)}
        aria-valuemin={0}
        aria-valuemax={width}
        style={place}
        onKeyDown={onKeyDown}
        {...grip(whole)}
      >
        {handles.map(({ name, x, y, sides }) => (
          <span key={name} className={`rectangle-handle rectangle-handle-${name}`} style={{ left: `${x * 100}%`, top: `${y * 100}%` }} {...grip(sides)} />
        ))}
      </div>
    </div>
  );
}
