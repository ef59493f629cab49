import { Button, Group, Loader, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { ReportFormat } from '../../../contract/report.ts'
import { bridge } from '../../backend/bridge.ts'
import { useAction } from '../../backend/use-action.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { formatCount } from '../../format/numbers.ts'
import { ChoiceList } from './choice-list.tsx'
import { chosenIds } from './report-choices.ts'
import { reportFileName, reportFormats } from './report-formats.ts'
import { useMeasured } from './use-measured.ts'
import { notifyWritten } from './use-report-export.tsx'

/** Asks what goes into a report, what it is called and what it is written as, then where to. */
export function NewReportDialog({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation()
  const { choices, error } = useMeasured()
  const [ticked, setTicked] = useState<readonly string[]>([])
  const [title, setTitle] = useState('')
  const [format, setFormat] = useState<ReportFormat>('html')
  const write = useAction('report.write', { showsError: true })
  const chosen = (choices ?? []).filter(({ id }) => ticked.includes(id))
  const proposed = chosen.length === 1 ? (chosen[0]?.title ?? '') : 'Edgesmith report'

  async function submit(): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'save-report', name: reportFileName(title.trim() || proposed, format) })
    if (path === null) return
    write.mutate(
      { ...chosenIds(chosen), path, ...(title.trim() ? { title: title.trim() } : {}) },
      {
        onSuccess: (written) => {
          onClose()
          notifyWritten(written)
          navigate(`/reports/${written.id}`)
        },
      },
    )
  }

  return (
    <Modal opened onClose={onClose} title="New report" size="xl" closeOnClickOutside={!write.isPending}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Stack gap="sm">
          <Group grow gap="xs" align="flex-start">
            <TextInput
              label="Title"
              placeholder="From what it holds"
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
              maxLength={200}
              data-autofocus
              data-testid="report-title"
            />
            <Select
              label="Written as"
              data={reportFormats.map((entry) => ({ value: entry.format, label: entry.label }))}
              value={format}
              onChange={(next) => setFormat((next ?? 'html') as ReportFormat)}
              allowDeselect={false}
              data-testid="report-format"
            />
          </Group>
          {error ? <ErrorNotice error={error} /> : null}
          {choices ? (
            <ChoiceList choices={choices} ticked={ticked} onTicked={setTicked} />
          ) : error ? null : (
            <Loader size="sm" aria-label="Loading what was measured" />
          )}
          {write.error ? <ErrorNotice error={write.error} onClose={write.reset} /> : null}
          <Group justify="space-between" gap="xs">
            <span className="es-dim" role="status">
              {chosen.length === 0 ? 'Nothing chosen yet' : `${formatCount(chosen.length)} chosen`}
            </span>
            <Group gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" disabled={chosen.length === 0} loading={write.isPending} data-testid="report-write">
                Write…
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
