import { availableParallelism } from 'node:os'
import type { ImageSteps } from '../../../contract/dataset.ts'
import { EdgesmithError } from '../../../contract/errors.ts'
import { CoreError } from '../../../core/core-error.ts'
import { type PrepareElements, preparerFor } from '../../../core/datasets/prepare-samples.ts'
import type { SamplePlan } from '../../../core/datasets/sample-plan.ts'
import { HttpError } from '../http-error.ts'
import { type ModelSignature, planRequest, type SampleInput } from '../model-signature.ts'
import type { Sample } from '../predict-request.ts'
import type { Asker } from '../predictor.ts'
import { ImageTurns } from './image-turns.ts'

/**
 * Pixels of one image, and of all that are decoded at the same time: frames of 8K video fit. Most files are decoded row by row; those that cannot be
 * (progressive, interlaced, lying on their side) take 3 bytes a pixel, 110 MB.
 */
const MOST_PIXELS = 36_000_000
/** A WebP is decoded whole and takes 8 bytes a pixel: it counts for as many pixels more. */
const WEBP_WEIGHT = 2.5
/** A BMP is taken apart on the thread that answers; this many pixels take it some ten milliseconds. */
const MOST_BMP_PIXELS = 4_000_000
/** Decoded in Node's own threads, of which there are 4. Images wait here, and not in front of those, which read files and addresses for others too. */
const turns = new ImageTurns(Math.max(1, Math.min(4, availableParallelism())), MOST_PIXELS)

type ImageLibrary = typeof import('../../../engine/images/image-file.ts')

/** The input of a model that takes image files: its only one, with a preprocessing that says how they become pixels. Else null. */
export function imageInput({ inputs }: ModelSignature): { readonly input: SampleInput; readonly image: ImageSteps } | null {
  const [input] = inputs
  const image = input?.steps.image
  // The core's type names only what it needs of steps that came whole out of the release.
  return inputs.length === 1 && input && image ? { input, image: image as ImageSteps } : null
}

/**
 * An image file as the model takes it: decoded, turned upright, resized and cut as the preprocessing says, by the code that does so for
 * datasets. Decoding happens in Node's own threads.
 *
 * @param asker whose image is not decoded any more when its turn comes and it is over
 * @throws HttpError `UNSUPPORTED_MEDIA_TYPE` for a model that takes none, and where the server came without its image library;
 *   `INVALID_INPUT` for a file that cannot be read, has too many pixels, or gives values the model cannot take; `DEADLINE_EXCEEDED`
 */
export async function readImageSample(bytes: Uint8Array, signature: ModelSignature, asker: Asker): Promise<Sample> {
  const taken = imageInput(signature)
  if (!taken) {
    throw new HttpError(
      'UNSUPPORTED_MEDIA_TYPE',
      'This model takes no image files: its preprocessing does not say how they become its input.',
      {
        hint: 'Send values as application/json. Releases whose preprocessing has "image" take image files.',
      },
    )
  }
  const { input, image } = taken
  const library = await imageLibrary()
  const { weight, mostPixels } = costOf(bytes)
  const decode = async () => {
    const facts = await library.imageFacts(bytes, 'the image', mostPixels)
    return turns.take(facts.width * facts.height * weight, asker, () => library.imagePixels(bytes, image, 'the image', mostPixels, facts))
  }
  const pixels = await decode().catch((error: unknown) => unreadable(error, mostPixels))
  const plan = input.plan ?? planned([image.height, image.width, image.colour === 'grey' ? 1 : 3], input)
  const values = preparerOf(plan)(pixels, 1, (index) => {
    throw new HttpError('INVALID_INPUT', `The image: value ${index} (counted from 0) is too large for ${plan.target} after preprocessing.`)
  })
  return Object.fromEntries([[input.port.name, { type: plan.target, dims: plan.dims, values }]])
}

let library: Promise<ImageLibrary> | undefined

/** Loads the image library, which takes a moment the first time. @throws HttpError `UNSUPPORTED_MEDIA_TYPE` where it is not there */
export function imageLibrary(): Promise<ImageLibrary> {
  library ??= import('../../../engine/images/image-file.ts').catch((error: NodeJS.ErrnoException) => {
    const isMissing = error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND'
    const reason = isMissing ? 'it was installed without the library for that' : (error.message.split('\n', 1)[0] ?? '')
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', `This server cannot read images: ${reason}.`, {
      hint: isMissing
        ? 'Deploy the release again: its preprocessing has "image", so the library comes with it.'
        : 'Send values as application/json.',
    })
  })
  return library
}

/** How many pixels a file of this kind may have, and how many each counts for. */
function costOf(bytes: Uint8Array): { readonly weight: number; readonly mostPixels: number } {
  const starts = (at: number, text: string) => text === String.fromCharCode(...bytes.subarray(at, at + text.length))
  if (starts(0, 'BM')) return { weight: 1, mostPixels: MOST_BMP_PIXELS }
  if (starts(0, 'RIFF') && starts(8, 'WEBP')) return { weight: WEBP_WEIGHT, mostPixels: MOST_PIXELS / WEBP_WEIGHT }
  return { weight: 1, mostPixels: MOST_PIXELS }
}

/** Tables of a plan, made once. */
const preparers = new WeakMap<SamplePlan, PrepareElements>()

function preparerOf(plan: SamplePlan): PrepareElements {
  const known = preparers.get(plan) ?? preparerFor(plan, 'uint8')
  preparers.set(plan, known)
  return known
}

function planned(dims: readonly number[], input: SampleInput): SamplePlan {
  try {
    return planRequest(dims, input, 'the image')
  } catch (error) {
    if (error instanceof CoreError) throw new HttpError('INVALID_INPUT', error.message, { hint: error.hint })
    throw error
  }
}

function unreadable(error: unknown, mostPixels: number): never {
  if (!(error instanceof EdgesmithError) || (error.code !== 'IMAGE_UNREADABLE' && error.code !== 'TOO_LARGE')) throw error
  const other = mostPixels < MOST_PIXELS ? ', or a JPEG or PNG, which may be larger' : ''
  throw new HttpError('INVALID_INPUT', capital(error.message), {
    hint: error.code === 'TOO_LARGE' ? `Send a smaller image${other}.` : undefined,
  })
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
