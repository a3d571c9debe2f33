/** A plate with its wells, one of which can be chosen. */

import { plural } from "../format.ts";
import type { Plate } from "../plate.ts";

type Choice = { plate: Plate<unknown>; chosen: string | null; choose: (well: string | null) => void };

export function PlateMap({ plate, chosen, choose }: Choice) {
  const well = (name: string) => {
    const fields = plate.fields.get(name)?.length ?? 0;
    const title = fields > 0 ? `${name}, ${plural(fields, "field")}` : `${name}, empty`;
    return (
      <button
        type="button"
        aria-label={title}
        title={title}
        aria-pressed={name === chosen}
        disabled={fields === 0}
        onClick={() => choose(name === chosen ? null : name)}
      />
    );
  };
  return (
    <div class="plate">
      <table aria-label="Wells">
        <thead>
          <tr>
            <td />
            {plate.columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {plate.rows.map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {plate.columns.map((column) => (
                <td key={column}>{well(`${row}${column}`)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
