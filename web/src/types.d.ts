declare module "*.svg?raw" {
  const text: string;
  export default text;
}
declare module "*.css";
declare module "@fontsource-variable/inter";
declare module "neuroglancer";
declare module "swagger-ui-dist/swagger-ui-bundle.js" {
  export default function SwaggerUIBundle(options: Record<string, unknown>): unknown;
}
declare module "neuroglancer/unstable/ui/default_viewer_setup.js" {
  export function setupDefaultViewer(): unknown;
}
