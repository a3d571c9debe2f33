// Reads manifests, each on a line, with @allmaps/iiif-parser and tells what it understood.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { answerEach } from './answer.mjs'

const here = createRequire(pathToFileURL(`${process.argv[2]}/package.json`))
const { Manifest } = await import(pathToFileURL(here.resolve('@allmaps/iiif-parser')))

await answerEach((line) => {
  const manifest = Manifest.parse(JSON.parse(line))
  const canvases = manifest.canvases.map((canvas) => ({
    uri: canvas.uri,
    label: canvas.label,
    width: canvas.width,
    height: canvas.height,
    service: canvas.image.uri,
  }))
  return { uri: manifest.uri, label: manifest.label, metadata: manifest.metadata ?? [], canvases }
})
