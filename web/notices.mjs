/** The licences of every package that the build takes code from, beside the code. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { rspack } from "@rspack/core";

export class ThirdPartyNotices {
  constructor(filename) {
    this.filename = filename;
  }

  apply(compiler) {
    compiler.hooks.thisCompilation.tap("ThirdPartyNotices", (compilation) => {
      const stage = rspack.Compilation.PROCESS_ASSETS_STAGE_ADDITIONAL;
      compilation.hooks.processAssets.tap({ name: "ThirdPartyNotices", stage }, () => {
        const notices = [...packagesOf(compilation.modules)].sort().map(notice);
        compilation.emitAsset(this.filename, new rspack.sources.RawSource(notices.join(`\n\n${"-".repeat(80)}\n\n`)));
      });
    });
  }
}

function packagesOf(modules) {
  const folders = new Set();
  for (const module of modules) {
    const found = /^.*node_modules\/((@[^/]+\/)?[^/]+)/.exec(module.nameForCondition?.() ?? "");
    if (found) folders.add(found[0]);
  }
  return folders;
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  const text = file && existsSync(path.join(folder, file)) ? readFileSync(path.join(folder, file), "utf8").trim() : "";
  return `${name} ${version} (${license})\n\n${text}`;
}
