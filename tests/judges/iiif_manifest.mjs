// Reads a manifest from standard input with @allmaps/iiif-parser and prints what it understood; fails where it is wrong.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { readFileSync } from 'node:fs'

const here = createRequire(pathToFileURL(`${process.argv[2]}/package.json`))
const { Manifest } = await import(pathToFileURL(here.resolve('@allmaps/iiif-parser')))
const manifest = Manifest.parse(JSON.parse(readFileSync(0, 'utf8')))
const canvases = manifest.canvases.map((canvas) => ({
  uri: canvas.uri,
  label: canvas.label,
  width: canvas.width,
  height: canvas.height,
  service: canvas.image.uri,
}))
console.log(JSON.stringify({ uri: manifest.uri, label: manifest.label, metadata: manifest.metadata ?? [], canvases }))
