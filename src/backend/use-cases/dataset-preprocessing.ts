import { randomUUID } from 'node:crypto'
import type { Dataset, DatasetReport, Preprocessing } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { withMadeFiles } from './dataset-files.ts'
import { wholeSource } from './dataset-source.ts'

/** What changes in a dataset. */
type Change = Pick<Dataset, 'files' | 'preprocessing' | 'report'>

/**
 * Changes how the samples of a dataset become model inputs; with another geometry the pixels are made again from the image files. Splits
 * that had the same description change with it. A dataset that results refer to stays as it is, and a copy gets the new description.
 *
 * @throws EdgesmithError `USAGE` for image geometry without image files; what the engine says
 */
export async function setPreprocessing(services: Services, id: string, wanted: Preprocessing, context: JobContext): Promise<Dataset> {
  const { datasets, blobs } = services
  const dataset = datasets.get(id)
  const preprocessing = withGeometry(dataset, wanted)
  if (same(preprocessing, dataset.preprocessing)) return dataset
  return withMadeFiles(services, context.signal, async ({ folder, keep }) => {
    const remade = same(preprocessing.image, dataset.preprocessing.image)
      ? undefined
      : await remakeImages(services, dataset, preprocessing, folder, context)
    const files = remade && {
      images: await keep({ role: 'array', name: 'images', path: remade.imagesPath }),
      hashes: await keep({ role: 'hashes', name: 'hashes', path: remade.hashesPath }),
    }
    const changeOf = async (member: Dataset): Promise<Change> => {
      if (!files || !remade) return { files: member.files, preprocessing, report: member.report }
      const changed = {
        ...member,
        preprocessing,
        files: member.files.map((file) =>
          file.role === 'hashes' ? files.hashes : file.role === 'array' && file.name === 'images' ? files.images : file,
        ),
      }
      const isWhole = !member.files.some(({ role }) => role === 'rows')
      const report = isWhole ? remade.report : await describe(services, changed, context)
      return { files: changed.files, preprocessing, report: keptFacts(report, member.report) }
    }
    const members = datasets.hasResults(id) ? [dataset] : [dataset, ...splitsAlike(services, dataset)]
    const changes: { readonly member: Dataset; readonly change: Change }[] = []
    for (const member of members) changes.push({ member, change: await changeOf(member) })
    const result = datasets.transaction(() => {
      if (datasets.hasResults(id)) return copyOf(services, dataset, changes[0]?.change as Change)
      for (const { member, change } of changes) if (!datasets.hasResults(member.id)) datasets.update(member.id, change)
      return datasets.get(id)
    })
    for (const sha256 of datasets.unused(members.flatMap((member) => member.files.map((file) => file.sha256)))) await blobs.remove(sha256)
    announce(services, 'datasets')
    return result
  })
}

/** The geometry stays where nothing is said about it. @throws EdgesmithError `USAGE` */
function withGeometry({ name, files, preprocessing }: Dataset, wanted: Preprocessing): Preprocessing {
  if (wanted.image && !files.some(({ role }) => role === 'originals')) {
    throw new EdgesmithError('USAGE', `"${name}" was not made of image files, so there is nothing to resize`, {
      hint: 'Leave "image" out of the preprocessing, or import the folder of images.',
    })
  }
  return preprocessing.image && !wanted.image ? { ...wanted, image: preprocessing.image } : wanted
}

/** Splits, and splits of those, that are read like the dataset and have no results of their own. */
function splitsAlike(services: Services, dataset: Dataset): Dataset[] {
  return services.datasets
    .children(dataset.id)
    .filter((child) => same(child.preprocessing, dataset.preprocessing) && !services.datasets.hasResults(child.id))
    .flatMap((child) => [child, ...splitsAlike(services, child)])
}

function remakeImages(services: Services, dataset: Dataset, { image }: Preprocessing, outFolder: string, context: JobContext) {
  if (!image) throw new Error('no geometry')
  const { blobs, layout } = services
  const whole = { ...dataset, files: dataset.files.filter(({ role }) => role !== 'rows') }
  return runEngine(
    { command: 'remake-images', source: wholeSource(whole, (sha256) => blobs.path(sha256)), image, outFolder },
    { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
  )
}

function describe({ blobs, layout }: Services, dataset: Dataset, context: JobContext): Promise<DatasetReport> {
  return runEngine(
    { command: 'describe-dataset', source: wholeSource(dataset, (sha256) => blobs.path(sha256)) },
    { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
  )
}

/** What the description of a dataset says that another geometry does not change: its notes, and the size of its image files. */
function keptFacts(report: DatasetReport, before: DatasetReport): DatasetReport {
  const arrayBytes = ({ arrays, sizeBytes }: DatasetReport) =>
    sizeBytes - arrays.reduce((sum, { type, shape }) => sum + bytesOf(type, shape), 0)
  return { ...report, notes: before.notes, sizeBytes: report.sizeBytes + Math.max(0, arrayBytes(before)) }
}

function bytesOf(type: string, shape: readonly number[]): number {
  const width = type === 'uint8' ? 1 : 4
  return shape.reduce((product, dim) => product * dim, width)
}

/** A copy of a dataset, or the one that was copied in the same way before. */
function copyOf({ datasets }: Services, dataset: Dataset, change: Change): Dataset {
  const copy: Dataset = { ...dataset, ...change, id: randomUUID(), createdAt: new Date().toISOString() }
  return datasets.findSame(copy) ?? datasets.add(copy)
}

/** Equal as JSON, whatever the order of the fields. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, entry]) => [name, sorted(entry)]),
  )
}
