/** What is known of an image: axes, channels, levels, its place in the world, and what else its file says. */

import type { ComponentChildren } from "preact";
import { type ChannelStatistics, type Description, statistics, stored } from "../api.ts";
import { useAsync } from "../async.ts";
import { number, quantity, symbol } from "../format.ts";
import { storedAddress } from "../paths.ts";
import { Histogram } from "./histogram.tsx";
import { ProblemNote } from "./problem.tsx";

const KINDS = { intensity: "Intensities", labels: "Labels", rgb: "Colour picture" };

/** Of places in micrometres, which stages tell by the nanometre. */
const STAGE_DIGITS = 9;

export function Facts({ image }: { image: Description }) {
  const { metadata } = image;
  const place = (["x", "y", "z"] as const).flatMap((axis) => {
    const value = metadata.position[axis];
    return value === undefined ? [] : [`${axis} ${number(value, STAGE_DIGITS)} µm`];
  });
  return (
    <section class="facts" aria-labelledby="facts">
      <h2 id="facts">About this image</h2>
      <dl class="pairs">
        <Pair name="Format">{image.format || "unknown"}</Pair>
        <Pair name="Content">{KINDS[image.kind]}</Pair>
        <Pair name="Pixel type">
          <code>{image.dtype}</code>
        </Pair>
        {metadata.acquired && <Pair name="Acquired">{metadata.acquired}</Pair>}
        {metadata.instrument && <Pair name="Instrument">{metadata.instrument}</Pair>}
        {metadata.objective && <Pair name="Objective">{metadata.objective}</Pair>}
        {metadata.magnification !== null && <Pair name="Magnification">{number(metadata.magnification)}×</Pair>}
        {metadata.aperture !== null && <Pair name="Numerical aperture">{number(metadata.aperture)}</Pair>}
        {place.length > 0 && <Pair name="Stage position">{place.join(", ")}</Pair>}
        {metadata.rescale && (
          <Pair name="Measured value">
            {number(metadata.rescale[0])} · pixel + {number(metadata.rescale[1])}
          </Pair>
        )}
        {metadata.description && <Pair name="Description">{metadata.description}</Pair>}
        <Pair name="Stored as">
          <StoredFiles image={image} />
        </Pair>
      </dl>
      <Axes image={image} />
      <Channels image={image} />
      <Levels image={image} />
      {image.world && <World world={image.world} />}
      {Object.keys(metadata.extra).length > 0 && (
        <details>
          <summary>Everything else the file says</summary>
          <pre class="json">{JSON.stringify(metadata.extra, null, 2)}</pre>
        </details>
      )}
    </section>
  );
}

function Pair({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Links to the file or files as they lie in the repository, once they are known. */
function StoredFiles({ image }: { image: Description }) {
  const folder = storedAddress(image.stored);
  const [listed] = useAsync((signal) => stored(folder, signal), [folder]);
  const files = listed.state === "done" ? listed.value.entries : [];
  if (files.length === 0 || files.length > MOST_FILES) return <a href={folder}>its own files</a>;
  return (
    <ul class="stored">
      {files.map(({ name, url }) => (
        <li key={name}>
          <a href={url}>{name}</a>
        </li>
      ))}
    </ul>
  );
}

const MOST_FILES = 12;

function Axes({ image }: { image: Description }) {
  return (
    <div class="scroll">
      <table>
        <caption>Axes</caption>
        <thead>
          <tr>
            <th scope="col">Axis</th>
            <th scope="col" class="figure">
              Size
            </th>
            <th scope="col" class="figure">
              Pixel
            </th>
            <th scope="col" class="figure">
              Extent
            </th>
          </tr>
        </thead>
        <tbody>
          {image.axes.map(({ name, type, unit, size, spacing }) => {
            const isMeasured = spacing !== null && unit !== null;
            return (
              <tr key={name}>
                <th scope="row">
                  <b class="axis">{name}</b> <span class="quiet">{type}</span>
                </th>
                <td class="figure">{number(size)}</td>
                <td class="figure">{isMeasured ? quantity(spacing, unit) : "–"}</td>
                <td class="figure">{isMeasured ? quantity(size * spacing, unit) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Channels({ image }: { image: Description }) {
  const [measured, again] = useAsync((signal) => statistics(image.path, signal), [image.path]);
  const found = measured.state === "done" ? measured.value.channels : [];
  const count = Math.max(image.channels.length, found.length);
  return (
    <div class="channels">
      <h3>{image.kind === "labels" ? "Labels" : count === 1 ? "Intensity" : "Channels"}</h3>
      {measured.state === "failed" && <ProblemNote problem={measured.problem} again={again} />}
      <ul>
        {Array.from({ length: count }, (_, c) => (
          <ChannelRow key={c} image={image} index={c} measured={found[c]} />
        ))}
      </ul>
    </div>
  );
}

const RGB = ["#e5484d", "#30a46c", "#3e63dd", "#8b8d98"];

type ChannelProps = { image: Description; index: number; measured: ChannelStatistics | undefined };

function ChannelRow({ image, index, measured }: ChannelProps) {
  const channel = image.channels[index];
  const colour = channel?.colour ? `#${channel.colour}` : null;
  const shown = image.kind === "rgb" ? (RGB[index] ?? null) : colour;
  const several = image.channels.length > 1 || image.kind === "rgb";
  const light = [
    channel?.excitation ? `excited at ${number(channel.excitation)} nm` : "",
    channel?.emission ? `emits at ${number(channel.emission)} nm` : "",
  ].filter(Boolean);
  return (
    <li>
      <div class="channel-head">
        {shown && <span class="swatch" style={{ background: shown }} />}
        <b>{channel?.name || measured?.name || (several ? `Channel ${index}` : "All pixels")}</b>
        {colour && image.kind !== "rgb" && <code class="quiet">{colour}</code>}
        {light.length > 0 && <span class="quiet">{light.join(", ")}</span>}
        {channel?.window && (
          <span class="quiet">
            shown from {number(channel.window[0])} to {number(channel.window[1])}
          </span>
        )}
      </div>
      {measured && <Histogram measured={measured} colour={shown} window={channel?.window ?? null} />}
    </li>
  );
}

function Levels({ image }: { image: Description }) {
  const names = image.axes.map((axis) => axis.name).join(" ");
  const spaces = image.axes.flatMap((axis, k) => (axis.type === "space" ? [k] : []));
  const unit = image.axes[spaces[0] ?? 0]?.unit ?? null;
  return (
    <details>
      <summary>
        {image.levels.length} {image.levels.length === 1 ? "level" : "levels"} of resolution
      </summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Level</th>
              <th scope="col">Shape ({names})</th>
              <th scope="col">Pixel{unit ? ` in ${symbol(unit)}` : ""}</th>
              <th scope="col">Chunks</th>
            </tr>
          </thead>
          <tbody>
            {image.levels.map((level, k) => (
              <tr key={k}>
                <th scope="row">{k}</th>
                <td>{level.shape.map((n) => number(n)).join(" × ")}</td>
                <td>{spaces.map((at) => number(level.scale[at] ?? 1)).join(" × ")}</td>
                <td>{level.chunk_shape.map((n) => number(n)).join(" × ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function World({ world }: { world: NonNullable<Description["world"]> }) {
  return (
    <details>
      <summary>Place in the world: {world.space}</summary>
      <p class="quiet">From the image's x, y, z to millimetres in the space “{world.space}”.</p>
      <table class="matrix" aria-label="Affine matrix">
        <tbody>
          {world.matrix.map((row, i) => (
            <tr key={i}>
              {row.map((value, j) => (
                <td key={j} class="figure">
                  {number(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
