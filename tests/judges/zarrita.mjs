// Reads every level of an OME-Zarr image with zarrita, as browsers do.
import { answerEach, installed } from './answer.mjs'

const zarr = await installed('zarrita/dist/src/index.js')
const { default: FetchStore } = await installed('@zarrita/storage/dist/src/fetch.js')
const { default: FileSystemStore } = await installed('@zarrita/storage/dist/src/fs.js')

await answerEach(async (where) => {
  const root = zarr.root(where.startsWith('http') ? new FetchStore(where) : new FileSystemStore(where))
  const { attrs } = await zarr.open(root, { kind: 'group' })
  const arrays = []
  for (const { path } of (attrs.ome ?? attrs).multiscales[0].datasets) {
    const array = await zarr.open(root.resolve(path), { kind: 'array' })
    const { data, shape } = await zarr.get(array)
    arrays.push({ shape, dtype: array.dtype, data })
  }
  return { arrays }
})
