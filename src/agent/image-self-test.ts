import { EdgesmithError } from '../contract/errors.ts'

/** A PNG of 2 × 2 pixels, made with sharp 0.35.5 from the values below: `sharp(pixels, {raw: {width: 2, height: 2, channels: 3}}).png()`. */
const PICTURE =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAFklEQVQI12P4z8DA0PCfgeeEEgMDAwAeMQN13utAVgAAAABJRU5ErkJggg=='
const PIXELS = [255, 0, 0, 0, 128, 255, 12, 200, 34, 0, 0, 0]

/**
 * Loads the image library and decodes a tiny picture.
 * @throws EdgesmithError `DEVICE_UNSUPPORTED` when the library does not load or gives other pixels
 */
export async function imageSelfTest(): Promise<void> {
  const pixels = await decode().catch((error: Error) => {
    throw failed(`it cannot be used: ${error.message.split('\n', 1)[0]}`, null)
  })
  if (PIXELS.some((value, index) => pixels[index] !== value)) throw failed(`it decodes wrong pixels: ${pixels.join(', ')}`, [...pixels])
}

async function decode(): Promise<Uint8Array> {
  const { imagePixels } = await import('../engine/images/image-file.ts')
  const steps = { width: 2, height: 2, resize: 'stretch', filter: 'nearest', colour: 'rgb' } as const
  return imagePixels(Buffer.from(PICTURE, 'base64'), { ...steps, pad: [0, 0, 0] }, 'the picture of the self-test')
}

function failed(what: string, found: readonly number[] | null): EdgesmithError {
  return new EdgesmithError('DEVICE_UNSUPPORTED', `The image library does not work on this device: ${what}.`, {
    hint: 'Serve the model without "image" in its preprocessing; the device then takes values only.',
    details: { expected: PIXELS, found },
  })
}
