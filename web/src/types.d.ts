declare module "*.svg?raw" {
  const text: string;
  export default text;
}
declare module "*.css";
declare module "@fontsource-variable/inter";
declare module "neuroglancer";
declare module "neuroglancer/unstable/ui/default_viewer_setup.js" {
  export function setupDefaultViewer(): unknown;
}
