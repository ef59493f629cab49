import { CoreError } from '../core-error.ts'
import { quoteName, quoteNames } from '../onnx/quote-name.ts'
import { DATASET_LIMITS } from './limits.ts'
import { type ColumnFacts, MAX_CATEGORIES, type NotedCell } from './table-column.ts'

/** What is done with an empty cell. */
export type MissingPolicy = 'refuse' | 'drop-row' | 'mean' | 'zero'

/** How a table is to be read. */
export interface TableOptions {
  readonly label?: string | undefined
  readonly task?: 'classification' | 'regression' | undefined
  readonly ignore?: readonly string[] | undefined
  readonly splitColumn?: string | undefined
  readonly missing: MissingPolicy
  /** Indices for texts of the label column. */
  readonly classes?: Readonly<Record<string, number>> | undefined
}

/** How the cells of one column become numbers. */
export interface PlannedColumn {
  /** Its place in the file, from 0 on. */
  readonly index: number
  readonly name: string
  readonly kind: 'number' | 'category'
  /** "3,14" is a number. */
  readonly comma: boolean
  /** Of a category column, in the order of their indices. */
  readonly categories: readonly string[] | null
  readonly missing: number
  /** What stands for a missing cell under the policies `mean` and `zero`. */
  readonly fill: number
}

/** How a table becomes arrays. */
export interface TablePlan {
  readonly features: readonly PlannedColumn[]
  readonly label: (PlannedColumn & { readonly task: 'classification' | 'regression'; readonly classNames: readonly string[] | null }) | null
  readonly split: { readonly index: number; readonly name: string } | null
  readonly notes: readonly string[]
}

/** Column names that mean the answer. */
const LABEL_COLUMNS = new Set(['label', 'labels', 'class', 'target', 'targets', 'y'])
/** A column with that share of numbers is one of numbers: a text in it is a mistake, no category. */
const MOSTLY_NUMBERS = 0.9
/** Whole numbers are taken for classes when each occurs that often on average, or when there are as few as in a small table. */
const ROWS_PER_CLASS = 20
const SURELY_FEW_CLASSES = 20
/** The largest whole number up to which float32 holds every one. */
const EXACT_IN_FLOAT32 = 2 ** 24
const FLOAT32_MAX = 3.4028234663852886e38
/** Rows from which a text column without any repetition is taken for names of the rows. */
const ROWS_TO_JUDGE = 20

/**
 * Decides what each column of a table is, after all its cells have been seen.
 * @param rows number of rows
 * @param file how messages call the table
 * @throws CoreError `DATASET_INVALID` naming line and column, `DATASET_LABELS`, `TOO_LARGE`, `USAGE` for options that name no column
 */
export function planTable(columns: readonly ColumnFacts[], rows: number, options: TableOptions, file: string): TablePlan {
  const notes: string[] = []
  const named = (name: string, what: string) => findColumn(columns, name, what, file)
  const ignored = new Set((options.ignore ?? []).map((name) => named(name, 'to leave out')))
  const split = options.splitColumn === undefined ? null : named(options.splitColumn, 'of splits')
  const label = options.label === undefined ? guessLabel(columns, ignored, split) : named(options.label, 'of labels')
  if (label !== null && (ignored.has(label) || label === split)) {
    throw new CoreError('USAGE', `Column ${quoteName(columns[label]?.name ?? '')} cannot be the label and something else as well.`)
  }
  if (split !== null) requirePresent(columns[split] as ColumnFacts, file)
  const features: PlannedColumn[] = []
  for (const [index, column] of columns.entries()) {
    if (ignored.has(index) || index === label || index === split) continue
    const reason = whyUseless(column, index, rows)
    if (reason !== undefined) notes.push(`Column ${quoteName(column.name)} is left out: ${reason}.`)
    else features.push(planFeature(column, index, options.missing, file, notes))
  }
  if (features.length === 0) {
    throw new CoreError('DATASET_EMPTY', `${file} has no column of values${label === null ? '' : ' besides the label'}.`, {
      hint: 'A table needs a header and at least one column of numbers or categories.',
    })
  }
  return {
    features,
    label: label === null ? null : planLabel(columns[label] as ColumnFacts, label, rows, options, file, notes),
    split: split === null ? null : { index: split, name: (columns[split] as ColumnFacts).name },
    notes,
  }
}

function findColumn(columns: readonly ColumnFacts[], name: string, what: string, file: string): number {
  const exact = columns.findIndex((column) => column.name === name)
  if (exact >= 0) return exact
  throw new CoreError(
    'USAGE',
    `${file} has no column ${quoteName(name)} ${what}: it has ${quoteNames(columns.map((column) => column.name))}.`,
    {
      hint: 'Names are written as in the header.',
      details: { expected: name, found: columns.slice(0, 100).map((column) => column.name) },
    },
  )
}

function guessLabel(columns: readonly ColumnFacts[], ignored: ReadonlySet<number>, split: number | null): number | null {
  const found = columns.findLastIndex(({ name }, index) => LABEL_COLUMNS.has(name.toLowerCase()) && !ignored.has(index) && index !== split)
  return found < 0 ? null : found
}

function whyUseless(column: ColumnFacts, index: number, rows: number): string | undefined {
  if (column.cells === column.empty) return 'every cell is empty'
  if (index === 0 && column.counts && /^(?:column 1|unnamed: 0|index|id)$/i.test(column.name) && rows > 1) return 'it numbers the rows'
  const distinct = column.occurrences
  if (kindOf(column).kind === 'category' && rows >= ROWS_TO_JUDGE && distinct?.size === rows)
    return 'every row has another text in it, as names of rows have'
  return undefined
}

/** What the cells of a column are, with the first cell that does not fit. */
function kindOf(column: ColumnFacts): { kind: 'number' | 'category'; comma: boolean; wrong: NotedCell | undefined } {
  const { numbers, commaNumbers, sureCommaNumbers, texts, points } = column
  const comma = sureCommaNumbers > 0 && points === 0
  const fitting = numbers + (comma ? commaNumbers : 0)
  const others = texts + (comma ? 0 : commaNumbers)
  if (others === 0) return { kind: fitting > 0 ? 'number' : 'category', comma, wrong: undefined }
  if (fitting / (fitting + others) >= MOSTLY_NUMBERS) return { kind: 'number', comma, wrong: column.firstText }
  // Only numbers, some with a comma that may mean thousands: nobody means categories by that.
  if (texts === 0) return { kind: 'number', comma, wrong: column.firstText }
  return { kind: 'category', comma: false, wrong: undefined }
}

function planFeature(column: ColumnFacts, index: number, policy: MissingPolicy, file: string, notes: string[]): PlannedColumn {
  const { kind, comma, wrong } = kindOf(column)
  if (wrong) throw notANumber(column, wrong, file)
  if (kind === 'number') {
    if (policy === 'refuse') requirePresent(column, file, true)
    requireFloat32(column, file)
    if (comma) notes.push(`Column ${quoteName(column.name)} is read with decimal commas.`)
    if (column.whole && Math.max(Math.abs(column.min), Math.abs(column.max)) > EXACT_IN_FLOAT32) {
      notes.push(`Column ${quoteName(column.name)} holds whole numbers beyond ${EXACT_IN_FLOAT32}, which float32 rounds.`)
    }
    const present = column.numbers + column.commaNumbers
    const fill = policy === 'mean' ? column.sum / present : 0
    return { index, name: column.name, kind, comma, categories: null, missing: column.empty + column.notAvailable, fill }
  }
  if (policy === 'refuse') requirePresent(column, file)
  const occurrences = requireCategories(column, file)
  const texts = [...occurrences.keys()].sort()
  // Zero must not be one of the texts: the empty cell gets an index of its own.
  const categories = policy === 'zero' && column.empty > 0 ? ['', ...texts] : texts
  const common = texts.reduce((best, text) => ((occurrences.get(text) ?? 0) > (occurrences.get(best) ?? 0) ? text : best), texts[0] ?? '')
  const fill = policy === 'mean' ? categories.indexOf(common) : 0
  return { index, name: column.name, kind, comma: false, categories, missing: column.empty, fill }
}

function planLabel(
  column: ColumnFacts,
  index: number,
  rows: number,
  options: TableOptions,
  file: string,
  notes: string[],
): NonNullable<TablePlan['label']> {
  const { kind, comma, wrong } = kindOf(column)
  const what = `Column ${quoteName(column.name)} of ${file}`
  if (column.cells === column.empty) throw new CoreError('DATASET_LABELS', `${what} is the label, and every cell of it is empty.`)
  if (options.missing !== 'drop-row') requirePresent(column, file, kind === 'number')
  const missing = column.empty + (kind === 'number' ? column.notAvailable : 0)
  const common = { index, name: column.name, missing, fill: 0 }
  const asClass = kind === 'number' && column.whole && column.min >= 0 && column.max <= 0x7fffffff
  const distinct = column.occurrences?.size
  const few = distinct !== undefined && (distinct <= SURELY_FEW_CLASSES || distinct * ROWS_PER_CLASS <= rows)
  const task = options.task ?? (kind === 'category' || (asClass && few) ? 'classification' : 'regression')
  if (task === 'regression') {
    if (kind === 'category') throw notANumber(column, column.firstText ?? { line: 0, text: '' }, file)
    if (wrong) throw notANumber(column, wrong, file)
    requireFloat32(column, file)
    if (options.task === undefined && asClass)
      notes.push(`${what} is taken as values to regress: it has ${distinct ?? `more than ${MAX_CATEGORIES}`} different numbers.`)
    return { ...common, kind, comma, categories: null, task, classNames: null }
  }
  if (asClass && !wrong && !options.classes) {
    if (options.task === undefined) notes.push(`${what} is taken as class labels: ${distinct} different whole numbers.`)
    return { ...common, kind, comma, categories: null, task, classNames: null }
  }
  const texts = [...requireCategories(column, file).keys()].sort()
  if (!options.classes) return { ...common, kind: 'category', comma: false, categories: texts, task, classNames: texts }
  const { classes } = options
  const unknown = texts.find((text) => !Object.hasOwn(classes, text))
  if (unknown !== undefined) {
    throw new CoreError('DATASET_LABELS', `${what} holds ${quoteName(unknown)}, which the list of classes does not name.`, {
      hint: 'Give an index for every class.',
      details: { column: column.name, found: unknown, expected: Object.keys(classes).slice(0, 100) },
    })
  }
  const names = namesByIndex(classes)
  return {
    ...common,
    kind: 'category',
    comma: false,
    categories: names.map((name) => name ?? ''),
    task,
    classNames: names.map((name, at) => name ?? `class ${at}`),
  }
}

/** Names at their indices; holes stay undefined. @throws CoreError `DATASET_LABELS` when two have the same index, `TOO_LARGE` */
export function namesByIndex(classes: Readonly<Record<string, number>>): (string | undefined)[] {
  const names: (string | undefined)[] = []
  for (const [name, index] of Object.entries(classes)) {
    if (index >= DATASET_LIMITS.classes) {
      throw new CoreError(
        'TOO_LARGE',
        `Class ${quoteName(name)} has the index ${index}, at most ${DATASET_LIMITS.classes - 1} is possible.`,
      )
    }
    if (names[index] !== undefined) {
      throw new CoreError('DATASET_LABELS', `The classes ${quoteName(names[index])} and ${quoteName(name)} have the same index ${index}.`)
    }
    while (names.length < index) names.push(undefined)
    names[index] = name
  }
  return names
}

function requireCategories(column: ColumnFacts, file: string): ReadonlyMap<string, number> {
  if (column.occurrences) return column.occurrences
  throw new CoreError(
    'TOO_LARGE',
    `Column ${quoteName(column.name)} of ${file} holds more than ${MAX_CATEGORIES} different texts, which are no categories.`,
    { hint: 'Leave the column out, or turn it into numbers.', details: { column: column.name, limit: MAX_CATEGORIES } },
  )
}

function requirePresent(column: ColumnFacts, file: string, numbers = false): void {
  const first = [column.firstEmpty, numbers ? column.firstNotAvailable : undefined]
    .flatMap((cell) => (cell ? [cell] : []))
    .sort((a, b) => a.line - b.line)[0]
  if (!first) return
  const found = first.text === '' ? 'an empty cell' : quoteName(first.text)
  throw new CoreError(
    'DATASET_INVALID',
    `${file}, line ${first.line}, column ${quoteName(column.name)}: expected a ${numbers ? 'number' : 'value'}, found ${found}.`,
    {
      hint: 'Fill it in, or say what to do with missing values: leave such rows out, take the mean, or 0. Rows without a label can only be left out.',
      details: { line: first.line, column: column.name, expected: numbers ? 'a number' : 'a value', found: first.text },
    },
  )
}

function requireFloat32(column: ColumnFacts, file: string): void {
  if (column.max <= FLOAT32_MAX && column.min >= -FLOAT32_MAX) return
  throw new CoreError('DATASET_TYPE', `Column ${quoteName(column.name)} of ${file} holds numbers that do not fit into float32.`, {
    hint: 'Scale the column, or leave it out.',
    details: { column: column.name, found: String(column.max > FLOAT32_MAX ? column.max : column.min) },
  })
}

function notANumber(column: ColumnFacts, cell: NotedCell, file: string): CoreError {
  return new CoreError(
    'DATASET_INVALID',
    `${file}, line ${cell.line}, column ${quoteName(column.name)}: expected a number${column.numbers > 0 ? ' as in other rows' : ''}, found ${quoteName(cell.text)}.`,
    {
      hint: 'Correct the cell, or leave the column out. Numbers have a decimal point and no separators of thousands.',
      details: { line: cell.line, column: column.name, expected: 'a number', found: cell.text },
    },
  )
}
