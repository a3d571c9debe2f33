/** A button that copies a text, and says that it did. */

import { useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    setDone(await copied(text));
    setTimeout(() => setDone(false), 1600);
  };
  return (
    <button type="button" class={`button copy${done ? " done" : ""}`} onClick={copy} aria-label={`Copy ${what}`}>
      <Icon name={done ? "done" : "copy"} />
      <span aria-live="polite">{done ? "Copied" : "Copy"}</span>
    </button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedFromSelection(text);
  }
}

/** The old way: over plain HTTP from another machine there is no clipboard interface. */
function copiedFromSelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
