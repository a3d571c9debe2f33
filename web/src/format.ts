/** Numbers and physical quantities as people read them. */

const SYMBOLS: Record<string, string> = {
  picometer: "pm",
  angstrom: "Å",
  nanometer: "nm",
  micrometer: "µm",
  millimeter: "mm",
  centimeter: "cm",
  meter: "m",
  kilometer: "km",
  nanosecond: "ns",
  microsecond: "µs",
  millisecond: "ms",
  second: "s",
  minute: "min",
  hour: "h",
};

const METRES: Record<string, number> = {
  picometer: 1e-12,
  angstrom: 1e-10,
  nanometer: 1e-9,
  micrometer: 1e-6,
  millimeter: 1e-3,
  centimeter: 1e-2,
  meter: 1,
  kilometer: 1e3,
};

const LENGTHS = [
  [1e-12, "pm"],
  [1e-9, "nm"],
  [1e-6, "µm"],
  [1e-3, "mm"],
  [1, "m"],
] as const;

/** The symbol of a unit that UDUNITS-2 names, or the name itself. */
export function symbol(unit: string | null): string {
  return unit === null ? "" : (SYMBOLS[unit] ?? unit);
}

/** One of this unit in metres; null where it is no length. */
export function metres(unit: string | null): number | null {
  return unit === null ? null : (METRES[unit] ?? null);
}

/** A number with at most so many significant digits, thin-spaced in thousands. */
export function number(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return grouped(String(value));
  const size = Math.abs(value);
  if (size >= 1e7 || size < 1e-4) return value.toExponential(digits - 1).replace(/\.?0+e/, "e");
  return grouped(String(Number(value.toPrecision(digits))));
}

function grouped(text: string): string {
  const [whole = "", ...fraction] = text.split(".");
  return [whole.replace(/(?<=\d)(?=(\d{3})+$)/g, whole.replace("-", "").length > 4 ? "\u202f" : ""), ...fraction].join(
    ".",
  );
}

/** A quantity with its unit's symbol. */
export function quantity(value: number, unit: string | null): string {
  const text = number(value);
  return unit ? `${text} ${symbol(unit)}` : text;
}

/** A length in metres in the unit in which its number is easiest to read. */
export function length(value: number): string {
  const [factor, unit] = LENGTHS.findLast(([factor]) => Math.abs(value) >= factor * 0.9999) ?? LENGTHS[0];
  return `${number(value / factor, 3)} ${unit}`;
}

/** The largest of 1, 2, 5 times a power of ten that is not over the value. */
export function roundLength(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([5, 2, 1].find((step) => step * power <= value * (1 + 1e-9)) ?? 1) * power;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
