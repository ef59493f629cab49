import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { indexOfHighest } from '../../scripts/training/accuracy.ts'
import { FASHION_MNIST_LABELS } from '../../scripts/training/fashion-mnist.ts'
import { type ManifestFile, readManifest } from '../../scripts/training/manifest.ts'
import { decodeModel } from '../../src/core/onnx/model-file.ts'

const FOLDER = join(import.meta.dirname, '../../models')
const manifest = readManifest(FOLDER)
const entryOf = (path: string) => manifest.files.find((file) => file.path === path) as ManifestFile
const bytesOf = (path: string) => readFileSync(join(FOLDER, path))

/** Values of one array of an .npz file, its header left out; the shape is the manifest's. */
function npzArray(path: string, name: string): { readonly bytes: ArrayBuffer; readonly header: string } {
  const member = unzipSync(bytesOf(path))[`${name}.npy`] as Uint8Array
  const start = 10 + (member[8] as number) + 256 * (member[9] as number)
  return { header: new TextDecoder().decode(member.subarray(10, start)), bytes: member.slice(start).buffer }
}

describe('models/MANIFEST.json', () => {
  test('lists every file of the folder', () => {
    const documents = ['LICENSE-fashion-mnist.txt', 'MANIFEST.json', 'README.md']
    expect(readdirSync(FOLDER).sort()).toEqual([...manifest.files.map(({ path }) => path), ...documents].sort())
    expect(manifest.files.map(({ path }) => path)).toEqual([
      'fashion-cnn.onnx',
      'fashion-mnist-calibration.npz',
      'fashion-mnist-test.npz',
      'fashion-mobilenet.onnx',
    ])
  })

  test.each(manifest.files)('$path has its hash, its size and a licence notice', ({ path, sha256, sizeBytes, licence }) => {
    expect(existsSync(join(FOLDER, licence.notice))).toBe(true)
    const bytes = bytesOf(path)
    expect(bytes.length).toBe(sizeBytes)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    expect(bytes.length).toBeLessThan(2_000_000)
  })
})

describe('sample data', () => {
  test.each([
    ['fashion-mnist-test.npz', 2000, [200, 200, 200, 200, 200, 200, 200, 200, 200, 200]],
    ['fashion-mnist-calibration.npz', 512, [52, 52, 51, 51, 51, 51, 51, 51, 51, 51]],
  ])('%s', (path, count, perClass) => {
    const [input, labels] = [npzArray(path, 'input'), npzArray(path, 'labels')]
    expect(input.header).toContain(`'descr': '<f4', 'fortran_order': False, 'shape': (${count}, 1, 28, 28)`)
    expect(labels.header).toContain(`'descr': '<i8', 'fortran_order': False, 'shape': (${count},)`)
    const pixels = new Float32Array(input.bytes)
    expect(pixels.length).toBe(count * 784)
    expect(pixels.every((pixel) => pixel === Math.fround(Math.round(pixel * 255) / 255))).toBe(true)
    expect(pixels.reduce((highest, pixel) => Math.max(highest, pixel), 0)).toBe(1)
    const numbers = Array.from(new BigInt64Array(labels.bytes), Number)
    expect(perClass.map((_, label) => numbers.filter((entry) => entry === label).length)).toEqual(perClass)

    const entry = entryOf(path)
    expect(readFileSync(join(FOLDER, entry.licence.notice), 'utf8')).toContain('Zalando SE')
  })
})

describe.each([
  ['fashion-cnn.onnx', { Conv: 4, Gemm: 2, MaxPool: 3 }, 200_000],
  ['fashion-mobilenet.onnx', { BatchNormalization: 13, Add: 3, GlobalAveragePool: 1, Gemm: 1 }, 100_000],
])('%s', (path, operators, leastBytes) => {
  let images: Float32Array
  let labels: BigInt64Array
  let session: InferenceSession
  beforeAll(async () => {
    images = new Float32Array(npzArray('fashion-mnist-test.npz', 'input').bytes)
    labels = new BigInt64Array(npzArray('fashion-mnist-test.npz', 'labels').bytes)
    session = await InferenceSession.create(bytesOf(path), { intraOpNumThreads: 2 })
    return () => session.release()
  })

  const probabilitiesOf = async (start: number, count: number): Promise<Float32Array> => {
    const input = new Tensor('float32', images.subarray(start * 784, (start + count) * 784), [count, 1, 28, 28])
    const { probabilities } = await session.run({ input })
    expect(probabilities?.dims).toEqual([count, 10])
    return probabilities?.data as Float32Array
  }

  test('has the documented input and output, opset 17, standard operators with readable names', () => {
    const entry = entryOf(path)
    const port = (ports: readonly InferenceSession.ValueMetadata[]) =>
      ports.map((value) => (value.isTensor ? { name: value.name, type: value.type, shape: [...value.shape] } : value.name))
    expect(port(session.inputMetadata)).toEqual([{ name: 'input', type: 'float32', shape: ['N', 1, 28, 28] }])
    expect(port(session.inputMetadata)).toEqual(entry.inputs)
    expect(port(session.outputMetadata)).toEqual([{ name: 'probabilities', type: 'float32', shape: ['N', 10] }])
    expect(port(session.outputMetadata)).toEqual(entry.outputs)

    const model = decodeModel(bytesOf(path), path)
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 17n]])
    const nodes = model.graph?.node ?? []
    for (const [opType, count] of Object.entries(operators)) {
      expect(nodes.filter((node) => node.opType === opType).length, opType).toBe(count)
    }
    for (const node of nodes) expect(node.name).toMatch(new RegExp(`^/([a-z0-9]+/)*${node.opType}$`))
    expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length)
    expect(bytesOf(path).length).toBeGreaterThan(leastBytes)
  })

  test('carries labels, author, licence, dataset and accuracy', () => {
    const metadata = new Map(decodeModel(bytesOf(path), path).metadataProps.map(({ key, value }) => [key, value]))
    expect(JSON.parse(metadata.get('edgesmith.labels') ?? '')).toEqual(FASHION_MNIST_LABELS)
    expect(metadata.get('author')).toBe('Edgesmith')
    expect(metadata.get('license')).toBe('MIT')
    expect(metadata.get('dataset')).toContain('Fashion-MNIST')
    expect(metadata.get('accuracy')).toBe(`${entryOf(path).accuracy?.test.correct} of 10000 Fashion-MNIST test images`)
  })

  test('is right on at least 89 % of all test images, and on exactly as many of the sample as its manifest says', async () => {
    const accuracy = entryOf(path).accuracy
    expect(accuracy?.test.samples).toBe(10_000)
    expect(accuracy?.test.correct).toBeGreaterThanOrEqual(8900)
    expect(accuracy?.sample.samples).toBe(labels.length)
    let correct = 0
    for (let start = 0; start < labels.length; start += 250) {
      const probabilities = await probabilitiesOf(start, 250)
      for (let row = 0; row < 250; row++) {
        const scores = probabilities.subarray(row * 10, (row + 1) * 10)
        expect(Math.abs(scores.reduce((sum, score) => sum + score, 0) - 1)).toBeLessThan(1e-4)
        if (indexOfHighest(scores) === Number(labels[start + row])) correct += 1
      }
    }
    expect(correct).toBe(accuracy?.sample.correct)
  })

  test('gives the same for one image as for the same image in a batch', async () => {
    const [alone, batch] = [await probabilitiesOf(3, 1), await probabilitiesOf(0, 8)]
    for (const [index, value] of alone.entries()) expect(Math.abs(value - (batch[30 + index] as number))).toBeLessThan(1e-5)
  })
})
