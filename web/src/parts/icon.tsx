/** Small line drawings for buttons; what a button does is said by its label. */

const PATHS: Record<string, string> = {
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  fit: "M3.5 7V3.5H7M13 3.5h3.5V7M16.5 13v3.5H13M7 16.5H3.5V13M7 7h6v6H7z",
  actual: "M5 6.5v7M5 6.5L3.5 8M14.5 6.5v7M14.5 6.5L13 8M9.75 8.5v.01M9.75 12v.01",
  full: "M8 12l-4.5 4.5M3.5 12.5v4h4M12 8l4.500-4.500M16.500 7.500v-4h-4",
  copy: "M7 7V4.500A1 1 0 0 1 8 3.500h7.500a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1H13M4.500 7H12a1 1 0 0 1 1 1v7.500a1 1 0 0 1-1 1H4.500a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1z",
  done: "M4 10.500l4 4 8-9",
  download: "M10 3.500v9M6.500 9l3.500 3.500L13.500 9M4 16.500h12",
  open: "M11 4h5v5M16 4l-7 7M8 5H5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-3",
};

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name] ?? ""} />
    </svg>
  );
}
