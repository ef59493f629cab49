import { Group, Select, TagsInput } from '@mantine/core'
import { useCall } from '../backend/use-call.ts'
import { ErrorNotice } from '../components/error-notice.tsx'
import { plainText } from '../format/plain-text.ts'
import type { ImportDraft } from './import-draft.ts'
import { TableBeginning } from './table-beginning.tsx'

interface CsvFieldsProps {
  readonly path: string
  readonly draft: ImportDraft
  readonly onChange: (change: Partial<ImportDraft>) => void
  readonly errors: Readonly<Record<string, string>>
}

/** Columns offered at once; typing finds the others. */
const MAX_OFFERED = 200

const delimiters: readonly { readonly value: string; readonly label: string }[] = [
  { value: ',', label: 'Comma' },
  { value: ';', label: 'Semicolon' },
  { value: '\t', label: 'Tab' },
  { value: '|', label: 'Bar |' },
]

/** How a table is read; its columns are those of the file. */
export function CsvFields({ path, draft, onChange, errors }: CsvFieldsProps) {
  const table = useCall('datasets.table', { path, ...(draft.delimiter ? { delimiter: draft.delimiter } : {}) }, { keepPrevious: true })
  const columns = (table.data?.columns ?? []).map((name) => ({ value: name, label: plainText(name, 80) || 'no name' }))
  const found = delimiters.find(({ value }) => value === table.data?.delimiter)?.label.toLowerCase()
  return (
    <>
      {table.isError ? <ErrorNotice error={table.error} /> : <TableBeginning table={table.data} />}
      <Group grow gap="xs" align="flex-start">
        <Select
          label="Label column"
          description="Empty: the last one called label, class, target or y"
          placeholder="Found by its name, if there is one"
          data={columns}
          value={draft.label || null}
          onChange={(label) => onChange({ label: label ?? '' })}
          error={errors['csv.label']}
          limit={MAX_OFFERED}
          searchable
          clearable
          data-testid="csv-label"
        />
        <Select
          label="The labels are"
          description="What the model answers"
          data={[
            { value: '', label: 'As the values look' },
            { value: 'classification', label: 'Classes' },
            { value: 'regression', label: 'Numbers to predict' },
          ]}
          value={draft.task}
          onChange={(task) => onChange({ task: (task ?? '') as ImportDraft['task'] })}
          allowDeselect={false}
          data-testid="csv-task"
        />
      </Group>
      <Group grow gap="xs" align="flex-start">
        <Select
          label="Empty cells"
          description="Only in columns that are used"
          data={[
            { value: 'refuse', label: 'Refuse the file, naming the first' },
            { value: 'drop-row', label: 'Leave the row out' },
            { value: 'mean', label: 'Mean, or most frequent category' },
            { value: 'zero', label: 'Zero' },
          ]}
          value={draft.missing}
          onChange={(missing) => onChange({ missing: (missing ?? 'refuse') as ImportDraft['missing'] })}
          allowDeselect={false}
          data-testid="csv-missing"
        />
        <Select
          label="Delimiter"
          description="Between the cells of a row"
          data={[{ value: '', label: found && !draft.delimiter ? `Found out: ${found}` : 'Found out' }, ...delimiters]}
          value={draft.delimiter}
          onChange={(delimiter) => onChange({ delimiter: (delimiter ?? '') as ImportDraft['delimiter'] })}
          allowDeselect={false}
          data-testid="csv-delimiter"
        />
      </Group>
      <TagsInput
        label="Columns to leave out"
        description="Row numbers, names, everything the model does not see"
        data={columns.filter(({ value }) => value !== draft.label)}
        value={[...draft.ignore]}
        onChange={(ignore) => onChange({ ignore })}
        error={errors['csv.ignore']}
        limit={MAX_OFFERED}
        data-testid="csv-ignore"
      />
      <Select
        label="Split column"
        description="Names the part each row belongs to (train, test); each becomes a dataset of its own"
        placeholder="None"
        data={columns}
        value={draft.splitColumn || null}
        onChange={(splitColumn) => onChange({ splitColumn: splitColumn ?? '' })}
        error={errors['csv.splitColumn']}
        limit={MAX_OFFERED}
        searchable
        clearable
      />
    </>
  )
}
