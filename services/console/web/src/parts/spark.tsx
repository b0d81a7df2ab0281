import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Points } from '../series.js';
import { onTheme } from '../theme.js';

const heightPx = 40;

/** A line without axes: where a number comes from in the last five minutes. The number itself stands beside it. */
export function Spark({ points, version }: { points: Points; version: number }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef(points);
  latest.current = points;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const build = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsFor(element), dataOf(latest.current), element);
    };
    build();
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: heightPx }),
    );
    resize.observe(element);
    const end = onTheme(build);
    return () => {
      end();
      resize.disconnect();
      plot.current?.destroy();
    };
  }, []);
  // The points are the same arrays, longer: their version says when to draw them.
  useEffect(() => plot.current?.setData(dataOf(latest.current)), [version]);
  return <div class="spark" ref={box} aria-hidden="true" />;
}

const dataOf = ([at, values]: Points): uPlot.AlignedData => [[...at], [...values]];

function optionsFor(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  return {
    width: Math.max(20, element.clientWidth),
    height: heightPx,
    padding: [3, 0, 1, 0],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    // From zero: a line that moves by a thousandth shall not look like an alarm.
    scales: { y: { range: (_, __, most) => [0, Math.max(1, (most ?? 0) * 1.1)] } },
    series: [
      {},
      {
        stroke: style.getPropertyValue('--bar-dot'),
        fill: style.getPropertyValue('--spark-fill'),
        width: 1.5,
        points: { show: false },
        spanGaps: false,
      },
    ],
  };
}
