// Reads a NIfTI file with nifti-reader-js, as viewers in browsers do; its voxels are bytes in the file's order.
import { answerEach, bytes, installed } from './answer.mjs'

const nifti = await installed('nifti-reader-js/dist/nifti.js')

await answerEach(async (where) => {
  const found = await bytes(where)
  const file = nifti.isCompressed(found) ? nifti.decompress(found) : found
  if (!nifti.isNIFTI(file)) throw new Error('no NIfTI')
  const header = nifti.readHeader(file)
  const data = new Uint8Array(nifti.readImage(header, file))
  const { numBitsPerVoxel } = header
  return { numBitsPerVoxel, arrays: [{ shape: [data.length], dtype: 'uint8', data }] }
})
