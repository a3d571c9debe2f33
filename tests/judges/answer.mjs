// How the judges from npm answer: to each line of standard input a line of JSON, then the bytes of the arrays it tells of.
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const packages = process.argv[2]

/** A module of an installed package, by its path: the packages do not lie above this file, where import would look. */
export const installed = (path) => import(pathToFileURL(`${packages}/node_modules/${path}`))

const write = (head, bodies = []) => {
  const size = bodies.reduce((total, body) => total + body.length, 0)
  process.stdout.write(Buffer.concat([Buffer.from(`${JSON.stringify({ ...head, size })}\n`), ...bodies]))
}

const answer = ({ arrays = [], ...facts }) => {
  const heads = arrays.map(({ shape, dtype }) => ({ shape, dtype }))
  const bodies = arrays.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  write({ ...facts, arrays: heads }, bodies)
}

/** Answers each line with what `read` makes of it: facts and arrays, each {shape, dtype, data} in C order. */
export const answerEach = async (read) => {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await read(line))
    } catch (error) {
      const told = `${error.constructor.name}: ${error.message}`
      write({ error: told.replace(/\s+/g, ' ').slice(0, 300) })
    }
  }
}

/** The bytes of a file, by path or URL. */
export const bytes = async (where) => {
  if (!where.startsWith('http')) return Uint8Array.from(await readFile(where)).buffer
  const response = await fetch(where)
  if (!response.ok) throw new Error(`${where} answered ${response.status}`)
  return response.arrayBuffer()
}
