/** Sliders through a stack: one for each axis besides the plane's. */

import type { Axis } from "../api.ts";
import { quantity } from "../format.ts";
import type { Position } from "../view.ts";

const WORDS = { z: "Depth z", t: "Time t" } as const;

/** Where the server's own view stands along an axis: the middle plane, the first time point. */
const DEFAULTS = { z: (size: number) => Math.floor(size / 2), t: () => 0 };

type Props = { axes: Axis[]; position: Position; onChange: (position: Position) => void };

export function Sliders({ axes, position, onChange }: Props) {
  const stacks = axes.filter(
    (axis): axis is Axis & { name: "z" | "t" } => (axis.name === "z" || axis.name === "t") && axis.size > 1,
  );
  if (stacks.length === 0) return null;
  return (
    <div class="sliders">
      {stacks.map((axis) => (
        <Slider
          key={axis.name}
          axis={axis}
          label={WORDS[axis.name]}
          value={position[axis.name] ?? DEFAULTS[axis.name](axis.size)}
          onChange={(value) => onChange({ ...position, [axis.name]: value })}
        />
      ))}
    </div>
  );
}

type SliderProps = { axis: Axis; label: string; value: number; onChange: (value: number) => void };

function Slider({ axis, label, value, onChange }: SliderProps) {
  const physical = axis.spacing !== null && axis.unit !== null ? quantity(value * axis.spacing, axis.unit) : null;
  return (
    <label class="slider">
      <span class="slider-name">{label}</span>
      <input
        type="range"
        name={axis.name}
        min={0}
        max={axis.size - 1}
        value={value}
        aria-valuetext={`${value} of ${axis.size - 1}${physical ? `, ${physical}` : ""}`}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
      <output>
        <b>{value}</b> / {axis.size - 1}
        {physical && <span class="physical">{physical}</span>}
      </output>
    </label>
  );
}
