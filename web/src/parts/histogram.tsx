/** How often which intensities occur in a channel. */

import type { ChannelStatistics } from "../api.ts";
import { number } from "../format.ts";

const WIDTH = 256;
const HEIGHT = 44;

type Props = { measured: ChannelStatistics; colour: string | null; window: [number, number] | null };

export function Histogram({ measured, colour, window }: Props) {
  const { min, max, mean, std, histogram } = measured;
  if (min === undefined || max === undefined || !histogram)
    return <p class="quiet">No pixel here is a finite number.</p>;
  const [low, high] = histogram.edges;
  const at = (value: number) => ((value - low) / (high - low || 1)) * WIDTH;
  return (
    <div class="histogram">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {window && (
          <rect class="window" x={at(window[0])} width={Math.max(at(window[1]) - at(window[0]), 0)} height={HEIGHT} />
        )}
        <path d={outline(histogram.counts)} style={colour ? { fill: colour } : {}} />
      </svg>
      <p class="histogram-text">
        <span>{number(min)}</span>
        {mean !== undefined && std !== undefined && (
          <span>
            mean {number(mean)} ± {number(std)}
          </span>
        )}
        <span>{number(max)}</span>
      </p>
    </div>
  );
}

/** The counts as an area; by their square root, so that rare intensities are seen beside a background. */
function outline(counts: number[]): string {
  const highest = Math.sqrt(Math.max(...counts, 1));
  const step = WIDTH / counts.length;
  const tops = counts.map((count, k) => {
    const y = (HEIGHT - (Math.sqrt(count) / highest) * (HEIGHT - 2)).toFixed(1);
    return `${(k * step).toFixed(1)},${y} ${((k + 1) * step).toFixed(1)},${y}`;
  });
  return `M0,${HEIGHT} L${tops.join(" ")} L${WIDTH},${HEIGHT} Z`;
}
