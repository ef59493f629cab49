import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { fetchNpmFile, type NpmFile, type NpmProgram } from './npm-file.ts'

/** Where the image library may lie already, and the npm to fetch it with otherwise. */
export interface ImageLibraryForDevices {
  /** `node_modules/@img`: holds the library for this computer's own processor. */
  readonly imageLibraryFolder?: string | undefined
  /** Program and first arguments; default `npm`. */
  readonly npm?: NpmProgram | undefined
}

/** A file of the image library: either a file here, or fetched; `content` makes of both what goes to devices. */
interface ImageLibraryFile {
  /** Its name there. */
  readonly name: string
  readonly spec: string
  readonly path: string | null
  fetch(cacheFolder: string, reporter?: JobReporter, signal?: AbortSignal): Promise<Readable>
  content(original: Readable): Readable
}

/** Where sharp's native file looks for libvips: beside the package it comes in. */
const RUN_PATH_START = '$ORIGIN/../../sharp-libvips-linux-'

/** What npm installs for sharp 0.35.5 on Linux, with the hashes of package-lock.json. */
export const imageLibraryPackages = {
  x64: {
    binding: {
      spec: '@img/sharp-linux-x64@0.35.5',
      integrity: 'sha512-SxFtLTeJInhAA9Q836kux2vZNeOBQEx658qvbboZScr0wIARym3IcGmW7KpVD5sbVg0Ojy+udFQdayYIZyoNog==',
      member: 'package/lib/sharp-linux-x64-0.35.5.node',
    },
    libvips: {
      spec: '@img/sharp-libvips-linux-x64@1.3.4',
      integrity: 'sha512-GJ//SSXbnwSDes02umB3nDJLFcQzw8a18V8fyhqr6tV515tOEMdImjjxj1AoafMRz56F3PHgftnj1QEKSU1zkw==',
      member: 'package/lib/libvips-cpp.so.8.18.7',
    },
  },
  arm64: {
    binding: {
      spec: '@img/sharp-linux-arm64@0.35.5',
      integrity: 'sha512-LYVx5JTsOM2CBzmxreh+nl64/3H6Xb09iSLknqH47z2T2DFFxDeFLP5y4dJwe6H7uGQlHPyEEtIqyo3DYsRwdQ==',
      member: 'package/lib/sharp-linux-arm64-0.35.5.node',
    },
    libvips: {
      spec: '@img/sharp-libvips-linux-arm64@1.3.4',
      integrity: 'sha512-Y3dgX/6lE2QhQb+Gxy0WZxfg9MEm/JBjamZpS2IklP7xIQoKN4hzAm7KcMVGtaVDt3neE9OKBC7vAfonA/Lr1A==',
      member: 'package/lib/libvips-cpp.so.8.18.7',
    },
  },
} as const

/** The files of the image library that go to devices of an architecture: sharp's native file and libvips, which it finds beside itself there. */
export function openImageLibrary(architecture: 'x64' | 'arm64', options: ImageLibraryForDevices): readonly ImageLibraryFile[] {
  const { binding, libvips } = imageLibraryPackages[architecture]
  return [
    { ...libraryFile(binding, options), name: 'sharp.node', content: foundBeside },
    { ...libraryFile(libvips, options), name: 'libvips-cpp.so.8.18.7', content: (original) => original },
  ]
}

function libraryFile(
  part: Pick<NpmFile, 'spec' | 'integrity' | 'member'>,
  { imageLibraryFolder, npm = ['npm'] }: ImageLibraryForDevices,
): Pick<ImageLibraryFile, 'spec' | 'path' | 'fetch'> {
  const { spec, member } = part
  const package_ = spec.slice('@img/'.length, spec.lastIndexOf('@'))
  const path = imageLibraryFolder === undefined ? null : join(imageLibraryFolder, package_, member.slice('package/'.length))
  const file = { ...part, what: 'The image library for this kind of device' }
  return {
    spec,
    path: path !== null && existsSync(path) ? path : null,
    fetch: (cacheFolder, reporter, signal) => fetchNpmFile(file, npm, cacheFolder, reporter, signal),
  }
}

/**
 * sharp's native file names folders of npm packages in which it looks for libvips (its run path). On a device all files lie in one folder:
 * the list is cut off behind its first `$ORIGIN`, which is that folder. It has half a megabyte and is held whole.
 */
function foundBeside(original: Readable): Readable {
  return Readable.from(changed(original), { objectMode: false })
}

async function* changed(original: Readable): AsyncGenerator<Buffer, void> {
  const bytes = await buffer(original)
  const at = bytes.indexOf(RUN_PATH_START)
  if (at < 0 || bytes.indexOf(RUN_PATH_START, at + 1) >= 0) {
    throw new EdgesmithError('BUNDLE_CORRUPT', `sharp.node does not name ${RUN_PATH_START}… once, as was expected.`, {
      hint: 'Install the dependencies again: npm ci',
    })
  }
  // The end of the text; what stands behind it is not read.
  bytes[at + '$ORIGIN'.length] = 0
  yield bytes
}
