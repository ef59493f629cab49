import { opendir, realpath } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'
import { quoteName, quoteNames } from '../../../core/onnx/quote-name.ts'
import { readError } from '../../../platform/read-file.ts'
import { IMAGE_ENDINGS } from '../../images/image-file.ts'
import { splitNameOf } from './join-splits.ts'

/** An image file of a folder. */
export interface FoundImage {
  readonly path: string
  /** Below the folder, with slashes. */
  readonly name: string
  /** Folder of its class; null where images lie in the folder itself. */
  readonly className: string | null
  /** train, val or test; null for a folder that is not divided. */
  readonly split: string | null
}

/** A folder of images. */
export interface ImageFolder {
  readonly images: readonly FoundImage[]
  /** Class folders in alphabetical order, without repetition; empty for images without classes. */
  readonly classes: readonly string[]
  readonly notes: readonly string[]
}

/** Images of one dataset. ImageNet has 1.3 million; its validation set 50,000. */
const MAX_IMAGES = 1_000_000
/** ImageNet-21k has 21,843 classes. */
const MAX_CLASSES = 100_000
/** Folders within a class folder. */
const MAX_DEPTH = 10

/**
 * Lists the images of a folder: one sub-folder a class, those perhaps in `train`, `val` and `test`; images without sub-folders have no class.
 * Symbolic links are followed to files below the folder only, so an archive from a stranger cannot bring in other files.
 *
 * @throws EdgesmithError `DATASET_EMPTY`, `DATASET_INVALID`, `TOO_LARGE`, `FILE_UNREADABLE`
 */
export async function listImageFolder(folder: string): Promise<ImageFolder> {
  const name = basename(folder)
  const top = await listFolder(folder, name)
  const walk = new Walk(await realpath(folder), name)
  const divided = top.folders.length > 0 && top.folders.every((entry) => splitNameOf(entry) !== undefined)
  const classes = new Set<string>()
  for (const entry of top.folders) {
    const path = join(folder, entry)
    if (!divided) {
      classes.add(entry)
      await walk.images(path, entry, entry, null, 0)
      continue
    }
    const split = splitNameOf(entry) as string
    const inside = await listFolder(path, `${name}/${entry}`)
    for (const className of inside.folders) {
      classes.add(className)
      await walk.images(join(path, className), `${entry}/${className}`, className, split, 0)
    }
    if (inside.folders.length === 0) await walk.images(path, entry, null, split, 0)
    else walk.passOver(inside, entry)
  }
  if (classes.size > MAX_CLASSES)
    throw new EdgesmithError('TOO_LARGE', `${name} has ${classes.size} class folders, at most ${MAX_CLASSES} are read.`)
  if (top.folders.length === 0) await walk.images(folder, '', null, null, MAX_DEPTH)
  else walk.passOver(top, '')
  if (walk.found.length === 0) {
    const others = walk.others.length > 0 ? ` (it has ${quoteNames(walk.others, 3)})` : ''
    throw new EdgesmithError('DATASET_EMPTY', `${name} holds no image${others}.`, {
      hint: 'Put JPEG, PNG, WebP or BMP files into one folder for each class.',
    })
  }
  const unlabelled = classes.size === 0 ? ['There are no class folders, so the images have no labels.'] : []
  return { images: walk.found, classes: [...classes].sort(), notes: [...walk.notes(), ...unlabelled] }
}

class Walk {
  readonly found: FoundImage[] = []
  readonly others: string[] = []
  readonly skipped: string[] = []
  private readonly root: string
  private readonly name: string

  constructor(root: string, name: string) {
    this.root = root
    this.name = name
  }

  /** Collects the images of a folder and of those in it, in alphabetical order. */
  async images(path: string, prefix: string, className: string | null, split: string | null, depth: number): Promise<void> {
    const named = namedBelow(prefix)
    const { files, folders, links } = await listFolder(path, prefix || this.name)
    for (const link of links) {
      if (await this.isInside(join(path, link))) files.push(link)
      else this.skipped.push(named(link))
    }
    for (const entry of files.sort()) {
      if (!IMAGE_ENDINGS.test(entry)) this.others.push(named(entry))
      else if (this.found.length < MAX_IMAGES) this.found.push({ path: join(path, entry), name: named(entry), className, split })
      else throw new EdgesmithError('TOO_LARGE', `${this.name} has more than ${MAX_IMAGES} images.`, { details: { limit: MAX_IMAGES } })
    }
    for (const entry of folders) {
      if (depth >= MAX_DEPTH)
        throw new EdgesmithError('DATASET_INVALID', `${named(entry)} of ${this.name} lies more than ${MAX_DEPTH} folders deep.`)
      await this.images(join(path, entry), named(entry), className, split, depth + 1)
    }
  }

  /** Notes what lies beside class folders. */
  passOver({ files, links }: { readonly files: readonly string[]; readonly links: readonly string[] }, prefix: string): void {
    for (const entry of files) this.others.push(namedBelow(prefix)(entry))
    for (const entry of links) this.skipped.push(namedBelow(prefix)(entry))
  }

  /** Whether a link leads to a file below the folder. */
  private async isInside(link: string): Promise<boolean> {
    const target = await realpath(link).catch(() => undefined)
    return target?.startsWith(this.root + sep) === true && IMAGE_ENDINGS.test(target)
  }

  notes(): string[] {
    const told = (paths: readonly string[], what: string) => {
      const files = paths.length === 1 ? '1 file is' : `${paths.length} files are`
      return paths.length === 0 ? [] : [`${files} left out, ${what}: ${quoteNames(paths, 5)}.`]
    }
    return [
      ...told(this.others, 'not JPEG, PNG, WebP or BMP by their names, or in no class folder'),
      ...told(this.skipped, 'symbolic links to folders or to places outside'),
    ]
  }
}

function namedBelow(prefix: string): (entry: string) => string {
  return (entry) => (prefix === '' ? entry : `${prefix}/${entry}`)
}

/** Entries of a folder by kind, sorted; what begins with a dot, and what systems leave behind, is passed over. */
async function listFolder(path: string, name: string): Promise<{ files: string[]; folders: string[]; links: string[] }> {
  const [files, folders, links]: [string[], string[], string[]] = [[], [], []]
  try {
    for await (const entry of await opendir(path)) {
      if (entry.name.startsWith('.') || /^(?:Thumbs\.db|desktop\.ini|__MACOSX)$/i.test(entry.name)) continue
      if (entry.isSymbolicLink()) links.push(entry.name)
      else if (entry.isDirectory()) folders.push(entry.name)
      else if (entry.isFile()) files.push(entry.name)
      if (files.length + folders.length > MAX_IMAGES)
        throw new EdgesmithError('TOO_LARGE', `${quoteName(name)} has more than ${MAX_IMAGES} entries.`)
    }
  } catch (error) {
    throw error instanceof EdgesmithError ? error : readError(error, name)
  }
  return { files: files.sort(), folders: folders.sort(), links: links.sort() }
}
