/** Builds the web application and the Neuroglancer page into the Python package. */

import path from "node:path";
import { rspack } from "@rspack/core";
import { ThirdPartyNotices } from "./notices.mjs";

const here = import.meta.dirname;
const ownIcon = (name) => path.join(here, `src/neuroglancer/icons/${name}.svg`);

// What a page served offline can need of Neuroglancer: no data source of a cloud.
const neuroglancerParts = [
  "neuroglancer/datasource:none_by_default",
  ...["precomputed", "zarr", "n5", "nifti", "deepzoom"].map((name) => `neuroglancer/datasource/${name}:enabled`),
  "neuroglancer/kvstore:none_by_default",
  ...["byte_range", "gzip", "http", "zip"].map((name) => `neuroglancer/kvstore/${name}:enabled`),
];

const page = (chunk, template, filename) =>
  new rspack.HtmlRspackPlugin({
    favicon: "./src/mark.svg",
    chunks: [chunk],
    template,
    filename,
    scriptLoading: "defer",
    inject: "head",
  });

/** @returns {import("@rspack/core").Configuration} */
export default (_env, { mode = "production" }) => ({
  mode,
  context: here,
  target: ["web", "es2022"],
  entry: {
    main: "./src/main.tsx",
    neuroglancer: "./src/neuroglancer/main.ts",
    reference: "./src/reference/main.ts",
  },
  output: {
    path: path.resolve(here, process.env.DIASCOPE_WEB ?? "../src/diascope/access/web"),
    publicPath: "/",
    filename: "assets/[name].[contenthash:10].js",
    chunkFilename: "assets/[name].[contenthash:10].js",
    cssFilename: "assets/[name].[contenthash:10].css",
    cssChunkFilename: "assets/[name].[contenthash:10].css",
    assetModuleFilename: "assets/[name].[contenthash:10][ext]",
    workerChunkLoading: "import-scripts",
    clean: true,
  },
  devtool: mode === "production" ? false : "source-map",
  resolve: {
    extensions: [".tsx", ".ts", ".js"],
    extensionAlias: { ".js": [".ts", ".tsx", ".js"] },
    conditionNames: [...neuroglancerParts, "..."],
    alias: Object.fromEntries(
      ["code-alt", "controls-alt", "layers"].map((name) => [`ikonate/icons/${name}.svg`, ownIcon(name)]),
    ),
  },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        exclude: /node_modules/,
        loader: "builtin:swc-loader",
        options: {
          jsc: {
            parser: { syntax: "typescript", tsx: true },
            transform: { react: { runtime: "automatic", importSource: "preact" } },
            target: "es2022",
          },
        },
        type: "javascript/auto",
      },
      { test: /\.css$/, type: "css/auto" },
      { test: /\.(wasm|woff2|png)$/, type: "asset/resource" },
      { test: /\.svg$/, resourceQuery: { not: [/raw/] }, type: "asset/resource" },
      { resourceQuery: /raw/, type: "asset/source" },
    ],
  },
  plugins: [
    page("main", "./src/index.html", "index.html"),
    page("neuroglancer", "./src/neuroglancer/index.html", "neuroglancer/index.html"),
    page("reference", "./src/reference/index.html", "reference/index.html"),
    new ThirdPartyNotices("third-party-notices.txt"),
  ],
  performance: false,
});
