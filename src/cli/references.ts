import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Dataset, Preprocessing } from '../contract/dataset.ts'
import type { Deployment } from '../contract/deployment.ts'
import { type Device, LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { Job } from '../contract/job.ts'
import type { Model } from '../contract/model.ts'
import type { CommandContext } from './command.ts'
import { runJob } from './run-job.ts'
import { didYouMean } from './suggestion.ts'

/** Something in the workspace that is called by its name, its id, or the beginning of its id. */
interface Named {
  readonly id: string
  readonly name: string
  readonly createdAt: string
}

/** Shortest beginning of an id that is taken for one: the first group of a UUID, as listings show it. */
const ID_PREFIX = 8
/** Candidates an error lists; more are not read. */
const MAX_LISTED = 10

/** A model or build by path (imported on the way), name or id. @throws EdgesmithError `NOT_FOUND`, `FILE_NOT_FOUND`, `USAGE` when ambiguous, or why the file cannot be imported */
export async function findModel(context: CommandContext, text: string): Promise<Model> {
  const backend = await context.backend()
  return findOrImport(context, text, {
    noun: 'model',
    listed: await backend.call('models.list', {}),
    extension: /\.onnx$/i,
    listing: 'edgesmith models',
    importFile: (path) => backend.call('models.import', { path }),
  })
}

/**
 * A dataset by path (imported on the way, with its preprocessing), name or id. Splits have names of their own.
 *
 * @throws EdgesmithError like {@link findModel}; `USAGE` when preprocessing is given for a dataset that carries its own
 */
export async function findDataset(context: CommandContext, text: string, preprocessing?: Preprocessing): Promise<Dataset> {
  const backend = await context.backend()
  let imported = false
  const dataset = await findOrImport(context, text, {
    noun: 'dataset',
    listed: await backend.call('datasets.list', {}),
    extension: /\.(npz|npy|gz|idx|csv|tsv)$|ubyte$/i,
    listing: 'edgesmith datasets',
    importFile: async (path) => {
      imported = true
      const made = await runJob(context, 'datasets.import', { path, ...(preprocessing && { preprocessing }) })
      const parts = made.splits.map(({ name }) => `"${name}"`).join(', ')
      if (parts !== '')
        context.terminal.note(`${made.dataset.name} came in parts, and all of it is used. Give the name of one to use only that: ${parts}.`)
      return made.dataset
    },
  })
  if (preprocessing && !imported) {
    throw new EdgesmithError('USAGE', `The dataset "${dataset.name}" of the workspace carries its own preprocessing`, {
      hint: 'Leave out --preprocess, or give the path of the dataset file.',
    })
  }
  return dataset
}

/** A dataset of the workspace by name or id: nothing is imported. @throws EdgesmithError `NOT_FOUND`, `USAGE` when ambiguous */
export async function findStoredDataset(context: CommandContext, text: string): Promise<Dataset> {
  const backend = await context.backend()
  const datasets = await backend.call('datasets.list', {})
  return findNamed(text, datasets, 'dataset') ?? notFound('dataset', text, datasets, 'edgesmith datasets')
}

/** A device by name or id. @throws EdgesmithError `NOT_FOUND` */
export async function findDevice(context: CommandContext, text: string = LOCAL_DEVICE_NAME): Promise<Device> {
  const backend = await context.backend()
  const devices = await backend.call('devices.list', {})
  return findNamed(text, devices, 'device') ?? notFound('device', text, devices, 'edgesmith device list')
}

/** A deployment by service name or id, on one device when two have a service of that name. @throws EdgesmithError `NOT_FOUND`, `USAGE` when ambiguous */
export async function findDeployment(context: CommandContext, text: string, deviceName?: string): Promise<Deployment> {
  const backend = await context.backend()
  const deployments = await backend.call('deployments.list', {})
  const candidates = deployments
    .filter(({ device }) => deviceName === undefined || device === deviceName)
    .map((deployment) => ({ ...deployment, name: deployment.service }))
  return findNamed(text, candidates, 'service') ?? notFound('service', text, candidates, 'edgesmith deployments')
}

/** A job by its id. @throws EdgesmithError `NOT_FOUND`, `USAGE` when ambiguous */
export async function findJob(context: CommandContext, text: string): Promise<Job> {
  const backend = await context.backend()
  const jobs = await backend.call('jobs.list', { limit: 1000 })
  const named = jobs.map((job) => ({ ...job, name: job.id }))
  return findNamed(text, named, 'job') ?? notFound('job', text, [], 'edgesmith jobs')
}

/** How an id is shown where a short form is enough. */
export function shortId(id: string): string {
  return id.slice(0, ID_PREFIX)
}

interface ImportableKind<T extends Named> {
  readonly noun: string
  readonly listed: readonly T[]
  /** Endings that make a word without slashes look like a path. */
  readonly extension: RegExp
  /** Command that lists what there is. */
  readonly listing: string
  readonly importFile: (path: string) => Promise<T>
}

async function findOrImport<T extends Named>(context: CommandContext, text: string, kind: ImportableKind<T>): Promise<T> {
  const path = resolve(context.workingFolder, text)
  const looksLikePath = /[/\\]/.test(text) || kind.extension.test(text)
  const exists = statSync(path, { throwIfNoEntry: false }) !== undefined
  if (looksLikePath && exists) return kind.importFile(path)
  const named = findNamed(text, kind.listed, kind.noun)
  if (named) return named
  if (exists) return kind.importFile(path)
  if (!looksLikePath) notFound(kind.noun, text, kind.listed, kind.listing)
  throw new EdgesmithError('FILE_NOT_FOUND', `There is no file ${path}`, {
    hint: `Check the path. ${kind.listing} lists what the workspace has.`,
  })
}

/** The one entry with that name or id, or undefined. Names win over ids. @throws EdgesmithError `USAGE` when several fit */
function findNamed<T extends Named>(text: string, listed: readonly T[], noun: string): T | undefined {
  const matches = [
    listed.filter(({ name }) => name === text),
    listed.filter(({ id }) => id === text || (text.length >= ID_PREFIX && id.startsWith(text.toLowerCase()))),
    listed.filter(({ name }) => name.toLowerCase() === text.toLowerCase()),
  ].find((group) => group.length > 0)
  if (!matches || matches.length === 1) return matches?.[0]
  throw new EdgesmithError('USAGE', `"${text}" fits ${matches.length} ${noun}s`, {
    hint: `Give the id: ${matches.slice(0, MAX_LISTED).map(describeCandidate).join('; ')}.`,
    details: { candidates: matches.slice(0, MAX_LISTED).map(({ id, name }) => ({ id, name })) },
  })
}

function describeCandidate(entry: Named): string {
  const device = 'device' in entry && typeof entry.device === 'string' ? ` on ${entry.device}` : ''
  return `${entry.id} (${entry.name}${device}, ${entry.createdAt.slice(0, 16).replace('T', ' ')})`
}

function notFound(noun: string, text: string, listed: readonly Named[], listing: string): never {
  const names = listed.map(({ name }) => name)
  const suggestion = didYouMean(text, names)
  throw new EdgesmithError('NOT_FOUND', `There is no ${noun} "${text}"`, {
    hint: `${suggestion ? `${suggestion} ` : ''}${listing} lists what there is.`,
    details: { known: names.slice(0, MAX_LISTED) },
  })
}
