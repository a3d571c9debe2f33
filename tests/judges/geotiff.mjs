// Reads every plane of an OME-TIFF over HTTP with geotiff.js, which asks for ranges and never for all of it.
import { answerEach, installed } from './answer.mjs'

const { fromUrl } = await installed('geotiff/dist-module/geotiff.js')

await answerEach(async (where) => {
  const tiff = await fromUrl(where, { allowFullFile: false })
  const arrays = []
  for (let index = 0; index < (await tiff.getImageCount()); index += 1) {
    const image = await tiff.getImage(index)
    const data = await image.readRasters({ interleave: true })
    const dtype = data.constructor.name.replace('Array', '').toLowerCase()
    arrays.push({ shape: [image.getHeight(), image.getWidth(), image.getSamplesPerPixel()], dtype, data })
  }
  return { arrays }
})
