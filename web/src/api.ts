/** The REST part of the server. */

import { encoded } from "./paths.ts";

export type What = "folder" | "image" | "file";
export type Entry = { name: string; path: string; what: What };
export type Listing = { path: string; entries: Entry[]; next: string | null };
/** `indexed` is the share of the known folders that were looked into, null where they are walked instead. */
export type Found = { results: Entry[]; complete: boolean; indexed: number | null };

export type Axis = { name: string; type: string; unit: string | null; size: number; spacing: number | null };
export type Level = { shape: number[]; chunk_shape: number[]; scale: number[]; translation: number[] };
export type Channel = {
  name: string;
  colour: string | null;
  window: [number, number] | null;
  excitation: number | null;
  emission: number | null;
};
export type SceneRole = "image" | "labels" | "associated";
export type Scene = { name: string; path: string; role: SceneRole };

export type Dataset = { path: string; name: string; format: string; stored: string; scenes: Scene[] };
export type Metadata = {
  description: string;
  acquired: string | null;
  magnification: number | null;
  objective: string;
  aperture: number | null;
  instrument: string;
  /** In micrometres along x, y and z, of what the file tells. */
  position: Partial<Record<"x" | "y" | "z", number>>;
  rescale: [number, number] | null;
  extra: Record<string, unknown>;
};
export type Description = Dataset & {
  kind: "intensity" | "labels" | "rgb";
  dtype: string;
  axes: Axis[];
  levels: Level[];
  channels: Channel[];
  world: { matrix: number[][]; space: string } | null;
  metadata: Metadata;
};

export type Step = { tool: string; text: string };
export type Representation = {
  layout: string;
  title: string;
  view: string;
  url: string;
  is_folder: boolean;
  picture: boolean;
  refused: string | null;
  steps: Step[];
};
export type Representations = { path: string; view: string; representations: Representation[] };

/** Of a channel without a single finite pixel there is only the count of none. */
export type ChannelStatistics = {
  name: string;
  count: number;
  min?: number;
  max?: number;
  mean?: number;
  std?: number;
  percentiles?: Record<string, number>;
  histogram?: { counts: number[]; edges: [number, number] };
};
export type Statistics = { level: number; channels: ChannelStatistics[] };

/** Why a call failed, as problem details (RFC 9457) tell it. */
export class Problem extends Error {
  readonly title: string;
  readonly status: number;

  constructor(title: string, detail: string, status: number) {
    super(detail);
    this.title = title;
    this.status = status;
  }
}

/** Whether a description is that of one image, not of a file of several. */
export function isImage(described: Dataset | Description): described is Description {
  return "axes" in described;
}

export function repositories(signal?: AbortSignal): Promise<{ repositories: { name: string }[] }> {
  return answer("/api/repositories", signal);
}

export function list(path: string, limit: number, after: string | null, signal?: AbortSignal): Promise<Listing> {
  const query = new URLSearchParams({ limit: String(limit), ...(after === null ? {} : { after }) });
  return answer(`/api/list/${encoded(path)}?${query}`, signal);
}

export function search(text: string, repository: string | null, signal?: AbortSignal): Promise<Found> {
  const query = new URLSearchParams({ q: text, limit: "200", ...(repository ? { repository } : {}) });
  return answer(`/api/search?${query}`, signal);
}

export function image(path: string, signal?: AbortSignal): Promise<Dataset | Description> {
  return answer(`/api/image/${encoded(path)}`, signal);
}

export function representations(path: string, view: string, signal?: AbortSignal): Promise<Representations> {
  return answer(`/api/representations/${encoded(path)}?${new URLSearchParams({ view })}`, signal);
}

/** A parameter as it is written in a view. */
export type Parameter = {
  name: string;
  type: "number" | "integer" | "boolean" | "choice" | "text";
  choices: string[];
  required: boolean;
  default: string | null;
  written: string;
  description: string;
};
export type Operation = { name: string; title: string; description: string; parameters: Parameter[] };

export function operations(signal?: AbortSignal): Promise<{ operations: Operation[] }> {
  return answer("/api/operations", signal);
}

export function statistics(path: string, signal?: AbortSignal): Promise<Statistics> {
  return answer(`/api/statistics/${encoded(path)}`, signal);
}

/** The files in a folder below `/data/`. */
export function stored(folder: string, signal?: AbortSignal): Promise<{ entries: { name: string; url: string }[] }> {
  return answer(folder, signal);
}

/** The JSON at an address of this server; every way in which that can fail is a Problem. */
export async function answer<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await fetch(url, { signal: signal ?? null }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Problem("The server does not answer", "Check that Diascope is running, then try again.", 0);
  });
  if (!response.ok) throw await problemOf(response);
  return response.json().catch(() => {
    throw new Problem("The server's answer is not understood", `${url} is no JSON.`, response.status);
  });
}

/** The problem that a failed response tells of. */
export async function problemOf(response: Response): Promise<Problem> {
  const told: unknown = await response.json().catch(() => null);
  const { title, detail } = (typeof told === "object" && told !== null ? told : {}) as Record<string, unknown>;
  const kind = typeof title === "string" && title ? title : `The server answered ${response.status}`;
  return new Problem(kind, typeof detail === "string" ? detail : response.statusText, response.status);
}
