/** The images that a file of several holds. */

import { useMemo, useState } from "preact/hooks";
import type { Scene, SceneRole } from "../api.ts";
import { number } from "../format.ts";
import { plateOf } from "../plate.ts";
import { ImageCard } from "./grid.tsx";
import { PlateMap } from "./plate.tsx";

const TITLES: Record<SceneRole, string> = { image: "Images", labels: "Labels", associated: "Associated images" };
const ROLES: SceneRole[] = ["image", "labels", "associated"];
const PAGE = 60;

/** Those besides the one at `current`, by what they are to the file. */
export function Scenes({ scenes, current }: { scenes: Scene[]; current: string | null }) {
  return ROLES.map((role) => {
    const found = scenes.filter((scene) => scene.role === role && scene.path !== current);
    const title = role === "image" && current !== null ? "Other images in this file" : TITLES[role];
    return found.length === 0 ? null : <Cards key={role} title={title} scenes={found} />;
  });
}

/** Those of a plate can be chosen by their well. */
function Cards({ title, scenes }: { title: string; scenes: Scene[] }) {
  const plate = useMemo(() => plateOf(scenes), [scenes]);
  const [well, setWell] = useState<string | null>(null);
  const chosen = (well !== null && plate?.fields.get(well)) || scenes;
  return (
    <section class="scenes">
      <h2>
        {title} <span class="where">{number(scenes.length)}</span>
      </h2>
      {plate && <PlateMap plate={plate} chosen={well} choose={setWell} />}
      <Page key={well} scenes={chosen} />
    </section>
  );
}

function Page({ scenes }: { scenes: Scene[] }) {
  const [shown, setShown] = useState(PAGE);
  return (
    <>
      <ul class="cards">
        {scenes.slice(0, shown).map((scene) => (
          <li key={scene.path}>
            <ImageCard name={shortName(scene)} path={scene.path} />
          </li>
        ))}
      </ul>
      {shown < scenes.length && (
        <p class="more">
          <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}

/** The name without the folder that its role puts it in. */
function shortName({ name, role }: Scene): string {
  return role !== "image" && name.startsWith(`${role}/`) ? name.slice(role.length + 1) : name;
}
