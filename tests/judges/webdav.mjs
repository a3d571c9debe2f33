// Copies a folder of a WebDAV server with the npm package webdav: every file with the size that its folder told.
import { answerEach, installed } from './answer.mjs'

const { createClient } = await installed('webdav/dist/node/index.js')

await answerEach(async (where) => {
  const client = createClient(where)
  const files = []
  const arrays = []
  const folders = ['/']
  while (folders.length > 0) {
    for (const entry of await client.getDirectoryContents(folders.pop())) {
      if (entry.type === 'directory') {
        folders.push(entry.filename)
      } else {
        const data = new Uint8Array(await client.getFileContents(entry.filename))
        const { size } = await client.stat(entry.filename)
        if (size !== entry.size) throw new Error(`${entry.filename} has the sizes ${size} and ${entry.size}`)
        files.push({ path: entry.filename.slice(1), size: entry.size })
        arrays.push({ shape: [data.length], dtype: 'uint8', data })
      }
    }
  }
  return { files, arrays }
})
