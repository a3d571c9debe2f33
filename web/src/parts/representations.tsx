/** Every representation of an image: its address, and the exact steps to open it in each tool. */

import { useState } from "preact/hooks";
import type { Representation } from "../api.ts";
import { CopyButton } from "./copy.tsx";
import { Icon } from "./icon.tsx";

export function RepresentationList({ all }: { all: Representation[] }) {
  const [tool, setTool] = useState<string | null>(null);
  const tools = [...new Set(all.flatMap((one) => one.steps.map((step) => step.tool)))].sort((a, b) =>
    a.localeCompare(b),
  );
  const fits = (one: Representation) => tool === null || one.steps.some((step) => step.tool === tool);
  const held = all.filter((one) => one.refused === null && fits(one));
  const refused = tool === null ? all.filter((one) => one.refused !== null) : [];
  return (
    <section class="representations" aria-labelledby="representations">
      <h2 id="representations">Open it in your tool</h2>
      <p class="quiet">The same pixels in every format, made as they are asked for. Nothing is converted or copied.</p>
      <fieldset class="tool-choice">
        <legend class="unseen">Tool</legend>
        {[null, ...tools].map((each) => (
          <button type="button" key={each} class="chip" aria-pressed={tool === each} onClick={() => setTool(each)}>
            {each ?? "All formats"}
          </button>
        ))}
      </fieldset>
      <ul>
        {held.map((one) => (
          <li key={one.layout}>
            <Held one={one} tool={tool} />
          </li>
        ))}
        {refused.map((one) => (
          <li key={one.layout} class="representation refused">
            <h3>{one.title}</h3>
            <p>{one.refused}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Held({ one, tool }: { one: Representation; tool: string | null }) {
  const url = new URL(one.url, location.origin).href;
  const steps = one.steps.filter((step) => tool === null || step.tool === tool);
  return (
    <article class="representation" aria-label={one.title}>
      <div class="representation-head">
        <h3>{one.title}</h3>
        {one.view !== "original" && (
          <span class="badge" title={`The view that this representation shows: ${one.view}`}>
            {one.view}
          </span>
        )}
        {!one.is_folder && !one.picture && (
          <a class="button" href={one.url} download>
            <Icon name="download" /> Download
          </a>
        )}
      </div>
      <div class="address">
        <code class="url">{url}</code>
        <CopyButton text={url} what={`the address of ${one.title}`} />
      </div>
      {steps.length > 0 && (
        <details open={tool !== null}>
          <summary>
            {tool === null ? `How to open it in ${steps.map((step) => step.tool).join(", ")}` : `In ${tool}`}
          </summary>
          <dl class="steps">
            {steps.map((step) => (
              <div key={step.tool}>
                <dt>{step.tool}</dt>
                <dd>
                  <pre>{step.text}</pre>
                  <CopyButton text={step.text} what={`the steps for ${step.tool}`} />
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </article>
  );
}
