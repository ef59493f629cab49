import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ExportResult } from '../../../contract/export.ts'
import type { Model } from '../../../contract/model.ts'
import { CopyValue } from '../../components/copy-value.tsx'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText, shortHash } from '../../format/plain-text.ts'
import classes from './export-dialog.module.css'

type ExportedFile = ExportResult['files'][number]

const columns: readonly CutColumn<ExportedFile>[] = [
  { header: 'File', className: 'es-wrap', cell: ({ path }) => plainText(path, 300) },
  { header: 'Size', align: 'right', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
  {
    header: 'SHA-256',
    cell: ({ sha256 }) => (
      <span className="es-mono" title={sha256}>
        {shortHash(sha256)}
      </span>
    ),
  },
]

interface ExportOutcomeProps {
  readonly model: Model
  readonly result: ExportResult
  readonly onClose: () => void
}

/** What was written where, and what to do with it. */
export function ExportOutcome({ model, result: { folder, files, notes }, onClose }: ExportOutcomeProps) {
  return (
    <Modal opened onClose={onClose} title={`${plainText(model.name, 60)} is exported`} size={640}>
      <Stack gap="sm" data-testid="export-result" data-files={files.length}>
        <div className={classes.written}>
          <span className="es-wrap">
            {formatCounted(files.length, 'file')} in <code className="es-mono">{plainText(folder, 500)}</code>
          </span>
          <CopyValue value={folder} what="folder" />
        </div>
        {notes.length > 0 ? (
          <ul className={classes.notes}>
            {notes.map((note) => (
              <li key={note} className="es-wrap">
                {plainText(note, 1000)}
              </li>
            ))}
          </ul>
        ) : null}
        <section className={classes.files} aria-label="Files">
          <CutTable columns={columns} rows={files} first={12} />
        </section>
        <Group justify="flex-end">
          <Button onClick={onClose} data-autofocus>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
