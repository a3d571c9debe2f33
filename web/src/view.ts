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

/** The address of the same file in another view: `…/{view}/{stem}{suffix}`, with or without a slash at the end. */
export function inView(url: string, view: string): string {
  return url.replace(/[^/]+(\/[^/]+\/?)$/, `${view}$1`);
}
