/** The view segment of addresses: operations in order, such as `render,z=12,t=3`. */

/** Which index along an axis is shown; an axis that is left out is shown at its default. */
export type Position = { z?: number; t?: number };

/** The view that shows of any image what a viewer shows at first sight, at a position. */
export function renderView(position: Position): string {
  const given = (["z", "t"] as const).flatMap((axis) =>
    position[axis] === undefined ? [] : [`${axis}=${position[axis]}`],
  );
  return ["render", ...given].join(",");
}

/** One operation of a view, with the parameters that are given. */
export type Step = { name: string; values: Record<string, string> };

export const ORIGINAL = "original";

/** The operations of a view, in order. */
export function stepsOf(view: string): Step[] {
  if (view === ORIGINAL || view === "") return [];
  return view.split("~").map((text) => {
    const [name = "", ...pairs] = text.split(",");
    return {
      name,
      values: Object.fromEntries(pairs.map((pair) => [before(pair), pair.slice(before(pair).length + 1)])),
    };
  });
}

function before(pair: string): string {
  return pair.split("=", 1)[0] ?? "";
}

/** The view of operations in order; what is empty is left out, and a comma within a value, which none can have, is `;`. */
export function viewOf(steps: Step[]): string {
  const texts = steps.map(({ name, values }) => {
    const given = Object.entries(values).filter(([, value]) => value.trim() !== "");
    return [name, ...given.map(([key, value]) => `${key}=${value.trim().replaceAll(",", ";")}`)].join(",");
  });
  return texts.join("~") || ORIGINAL;
}

/** The address of the same file in another view: `…/{view}/{stem}{suffix}`, with or without a slash at the end. */
export function inView(url: string, view: string): string {
  return url.replace(/[^/]+(\/[^/]+\/?)$/, `${view}$1`);
}
