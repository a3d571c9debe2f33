/** Wells of a plate, told by the names of its images: row, column and field, such as `B/3/1`. */

const NAME = /^([A-Z]|A[A-F])\/0*([1-9]\d?)\/[^/]+$/;
const MOST_COLUMNS = 48;

export type Plate<T> = {
  /** From the first that plates have to the last that this one has images of. */
  rows: string[];
  columns: number[];
  /** The images of each well, such as `B3`. */
  fields: Map<string, T[]>;
};

/** The plate that images make, null where one of them lies in no well or all lie in one. */
export function plateOf<T extends { name: string }>(images: T[]): Plate<T> | null {
  const fields = new Map<string, T[]>();
  let [rows, columns] = [0, 0];
  for (const image of images) {
    const [, row, column] = NAME.exec(image.name) ?? [];
    if (row === undefined || Number(column) > MOST_COLUMNS) return null;
    const well = `${row}${Number(column)}`;
    fields.set(well, [...(fields.get(well) ?? []), image]);
    rows = Math.max(rows, rowNumber(row));
    columns = Math.max(columns, Number(column));
  }
  if (fields.size < 2) return null;
  return {
    rows: Array.from({ length: rows }, (_, k) => rowName(k + 1)),
    columns: Array.from({ length: columns }, (_, k) => k + 1),
    fields,
  };
}

function rowNumber(name: string): number {
  return [...name].reduce((sum, letter) => 26 * sum + letter.charCodeAt(0) - 64, 0);
}

function rowName(row: number): string {
  return (row > 26 ? "A" : "") + String.fromCharCode(65 + ((row - 1) % 26));
}
